"""The figures of *Selecting a piece is quantizing*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .cells import cells_figure, your_cells_figure
from .clusters import k_means_figure, points, start_means
from .codebooks import SIZES, codebook_figure, fit_codebook, losses, share_lost

__all__ = [
    "SIZES",
    "cells_figure",
    "codebook_figure",
    "figures",
    "fit_codebook",
    "k_means_figure",
    "losses",
    "points",
    "share_lost",
    "start_means",
    "your_cells_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        cells_figure(),
        k_means_figure(),
        codebook_figure(),
        your_cells_figure(),
    ]
