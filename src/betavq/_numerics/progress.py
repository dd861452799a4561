"""How long work tells how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, ParamSpec

P = ParamSpec("P")

#: Seconds between two lines, and before the first unless it was asked for.
PAUSE = 1.0


def reporter(progress: bool | Callable[P, object] | None, line: str) -> Callable[P, object]:
    """The function to call, which formats ``line`` with its arguments unless it is the caller's own.

    Raises:
        TypeError: ``progress`` not True, False, None or callable.
    """
    if callable(progress):
        return progress
    if progress is not None and not isinstance(progress, bool):
        raise TypeError(f"progress must be True, False, None or callable, got {progress!r}")
    shown = sys.stderr.isatty() if progress is None else progress
    return _Lines(line, at_once=progress is True) if shown else lambda *_, **__: None


class _Lines:
    """A line on stderr at most once a second."""

    def __init__(self, line: str, *, at_once: bool) -> None:
        self.line = line
        self.next = time.monotonic() + (0.0 if at_once else PAUSE)

    def __call__(self, *reached: Any, **_: Any) -> None:
        now = time.monotonic()
        if now >= self.next:
            self.next = now + PAUSE
            print(self.line.format(*reached), file=sys.stderr, flush=True)
