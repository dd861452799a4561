"""The figures of *The mixture behind a unit*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .digits import digits_figure, fit_digits
from .gates import components_figure, gates_figure
from .posteriors import posterior_figure, prior_figure

__all__ = [
    "components_figure",
    "digits_figure",
    "figures",
    "fit_digits",
    "gates_figure",
    "posterior_figure",
    "prior_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        posterior_figure(),
        prior_figure(),
        gates_figure(),
        digits_figure(),
        components_figure(),
    ]
