"""How long work tells how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

#: Called with the share of the work that is done, in [0, 1], and the number of regions so far.
Progress = Callable[[float, int], None]

#: Seconds before the first line, and between two.
PAUSE = 1.0


def reporter(progress: Any) -> Progress:
    """The function to call.

    Raises:
        TypeError: ``progress`` not True, False, None or callable.
    """
    if callable(progress):
        return progress  # type: ignore[no-any-return]
    if progress is not None and not isinstance(progress, bool):
        raise TypeError(f"progress must be True, False, None or callable, got {progress!r}")
    shown = sys.stderr.isatty() if progress is None else progress
    return _Lines() if shown else lambda share, number: None  # noqa: ARG005


class _Lines:
    """A line on stderr at most once a second."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, share: float, number: int) -> None:
        now = time.monotonic()
        if now - self.last >= PAUSE:
            self.last = now
            print(f"partition: {share:.1%} of the area, {number:,} regions", file=sys.stderr, flush=True)
