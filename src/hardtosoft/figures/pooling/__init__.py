"""The figures of *Pooling, from the maximum to the mean*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .photograph import SCALES, photograph_figure, units_figure, way_at
from .window import gradient, window_figure, your_window_figure

__all__ = [
    "SCALES",
    "figures",
    "gradient",
    "photograph_figure",
    "units_figure",
    "way_at",
    "window_figure",
    "your_window_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        window_figure(),
        photograph_figure(),
        units_figure(),
        your_window_figure(),
    ]
