"""The figures of *The regions of a network*, and what its notebook computes with."""

from __future__ import annotations

from ...drawing.moons import moons_partition
from ...interactive.figure import InteractiveFigure
from .digit_slice import DIGITS, digit_slice_figure, digits_slice, slice_partition
from .many import many_regions_figure, random_regions, your_regions_figure
from .melting import melting_figure
from .moons import moon_regions_figure

__all__ = [
    "DIGITS",
    "digit_slice_figure",
    "digits_slice",
    "figures",
    "many_regions_figure",
    "melting_figure",
    "moon_regions_figure",
    "moons_partition",
    "random_regions",
    "slice_partition",
    "your_regions_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        moon_regions_figure(),
        melting_figure(),
        many_regions_figure(),
        digit_slice_figure(),
        your_regions_figure([8, 8]),
    ]
