"""The figures of *β-VQ: one problem on the simplex*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .readouts import entropy_figure, tangent_figure
from .simplex import grid_of_codes, scores_figure, simplex_figure

__all__ = ["entropy_figure", "figures", "grid_of_codes", "scores_figure", "simplex_figure", "tangent_figure"]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        simplex_figure(),
        tangent_figure(),
        entropy_figure(),
        scores_figure(),
    ]
