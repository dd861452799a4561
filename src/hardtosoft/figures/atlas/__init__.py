"""The figures of *The atlas: activations and their coordinates*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .grid import grid_figure
from .noise import slot_figure
from .yours import your_activation_figure

__all__ = ["figures", "grid_figure", "slot_figure", "your_activation_figure"]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        slot_figure(),
        grid_figure(),
        your_activation_figure(),
    ]
