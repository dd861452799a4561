"""The figures of *Learning β*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .descent import arrivals, descent_figure, detached_figure, pull, pull_figure, slope
from .learned import fit_figure, where_figure

__all__ = [
    "arrivals",
    "descent_figure",
    "detached_figure",
    "figures",
    "fit_figure",
    "pull",
    "pull_figure",
    "slope",
    "where_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        pull_figure(),
        descent_figure(),
        detached_figure(),
        fit_figure(),
        where_figure(),
    ]
