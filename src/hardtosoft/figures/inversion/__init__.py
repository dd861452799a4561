"""The figures of *A network run backwards*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .gains import few_labels_figure, said
from .rebuilt import rebuild, rebuilt_figure, relative_error

__all__ = ["few_labels_figure", "figures", "rebuild", "rebuilt_figure", "relative_error", "said"]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [rebuilt_figure(), few_labels_figure()]
