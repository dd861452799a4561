"""The figures of *Orthogonal filters*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .gains import gains_figure
from .similarity import filters_figure, shifts_figure

__all__ = ["figures", "filters_figure", "gains_figure", "shifts_figure"]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        gains_figure(),
        filters_figure(),
        shifts_figure(),
    ]
