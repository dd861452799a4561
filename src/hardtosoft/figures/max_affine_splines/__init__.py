"""The figures of *A layer is a maximum of planes*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .envelopes import block_figure, cells, lines_figure, three_lines
from .layers import kinds_figure, overlay_figure
from .planes import four_planes, own_figure, planes_figure

__all__ = [
    "block_figure",
    "cells",
    "figures",
    "four_planes",
    "kinds_figure",
    "lines_figure",
    "overlay_figure",
    "own_figure",
    "planes_figure",
    "three_lines",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        lines_figure(),
        planes_figure(),
        overlay_figure(),
        kinds_figure(),
        block_figure(),
        own_figure(four_planes(0.5, 0.0)),
    ]
