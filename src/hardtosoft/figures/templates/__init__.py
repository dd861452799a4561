"""The figures of *Templates*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .neighbours import (
    TRIED,
    chosen_beta,
    distances,
    nearest_accuracy,
    neighbours_figure,
    right_without_itself,
    soft_distance,
)
from .ways import FINE, WAYS, images_at, templates_figure, your_way_figure

__all__ = [
    "FINE",
    "TRIED",
    "WAYS",
    "chosen_beta",
    "distances",
    "figures",
    "images_at",
    "nearest_accuracy",
    "neighbours_figure",
    "right_without_itself",
    "soft_distance",
    "templates_figure",
    "your_way_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        templates_figure(),
        neighbours_figure(),
        your_way_figure(7, 1),
    ]
