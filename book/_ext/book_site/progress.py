"""What a build says while it works: each page as it is read, which for a chapter is to run it, in whatever process."""

from __future__ import annotations

import multiprocessing
import sys
import time

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_read = multiprocessing.Value("i", 0)  # counted by all processes, which come from this one
_planned = 0
_started = time.monotonic()


def begin(_app: Sphinx, _env: BuildEnvironment, pages: list[str]) -> None:
    """Say how much there is to do."""
    global _planned, _started
    _planned, _started, _read.value = len(pages), time.monotonic(), 0
    if pages:
        _say(f"Reading {_planned} pages; chapters are run.")


def page_read(app: Sphinx, _doctree: nodes.document) -> None:
    """Say that a page is done. Sphinx tells it of a whole batch, when the batch is."""
    with _read.get_lock():
        _read.value += 1
        _say(f"{_read.value:3} of {_planned}: {app.env.docname} ({time.monotonic() - _started:.0f} s)")


def all_read(_app: Sphinx, _env: BuildEnvironment) -> None:
    """Say what comes next."""
    if _planned:
        _say("Writing the pages.")


def end(_app: Sphinx, error: Exception | None) -> None:
    """Say that all is done."""
    if _planned and error is None:
        _say(f"Built in {time.monotonic() - _started:.0f} s.")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
