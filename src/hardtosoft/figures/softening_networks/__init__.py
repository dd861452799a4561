"""The figures of *Soften any trained network*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .curves import NETWORKS, dial_figure, robustness_figure, ways_figure
from .digits import digit_figure, images, plane_figure, your_plane_figure
from .small import small_figure

__all__ = [
    "NETWORKS",
    "dial_figure",
    "digit_figure",
    "figures",
    "images",
    "plane_figure",
    "robustness_figure",
    "small_figure",
    "ways_figure",
    "your_plane_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        small_figure(),
        dial_figure(),
        digit_figure(),
        plane_figure(),
        ways_figure(),
        robustness_figure(),
        your_plane_figure(),
    ]
