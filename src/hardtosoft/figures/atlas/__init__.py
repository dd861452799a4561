"""The figures of *The atlas: activations and their coordinates*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .noise import slot_figure
from .pairs import pairs_figure
from .yours import your_activation_figure

__all__ = ["figures", "pairs_figure", "slot_figure", "your_activation_figure"]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        slot_figure(),
        pairs_figure(),
        your_activation_figure(),
    ]
