"""The figures of *Where a network decides*, and what its notebook computes with."""

from __future__ import annotations

from ...drawing.moons import moons_partition
from ...interactive.figure import InteractiveFigure
from .bends import bends_figure, course
from .border import border_figure
from .steps import your_step_figure

__all__ = ["bends_figure", "border_figure", "course", "figures", "moons_partition", "your_step_figure"]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        bends_figure(),
        border_figure(),
        your_step_figure([0.5, 0.4]),
    ]
