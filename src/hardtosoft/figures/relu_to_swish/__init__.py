"""The figures of *From ReLU to swish* and of the landing page, and what notebooks compute with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .pieces import pieces_figure
from .smoothings import gap_bound, gap_constant, gap_figure, softplus_figure
from .trained import opening_figure
from .units import objective_figure, unit_figure

__all__ = [
    "figures",
    "gap_bound",
    "gap_constant",
    "gap_figure",
    "objective_figure",
    "opening_figure",
    "pieces_figure",
    "softplus_figure",
    "unit_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        opening_figure(),
        unit_figure(),
        objective_figure(),
        gap_figure(),
        softplus_figure(),
        pieces_figure(),
    ]
