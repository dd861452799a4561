"""The figures of *Units that share an input*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from ..layers import equicorrelated, layer, pair
from .two_units import codes_at, two_units_figure, your_filters_figure
from .wrong_codes import CLEAR, GAUSSIAN, errors, errors_figure, points

__all__ = [
    "CLEAR",
    "GAUSSIAN",
    "codes_at",
    "equicorrelated",
    "errors",
    "errors_figure",
    "figures",
    "layer",
    "pair",
    "points",
    "two_units_figure",
    "your_filters_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        two_units_figure(),
        errors_figure(),
        your_filters_figure([[1.0, 0.0], [0.8, 0.6]]),
    ]
