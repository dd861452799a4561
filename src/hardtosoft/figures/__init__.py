"""One module a chapter: parameters in, frames out."""

from __future__ import annotations

from ..interactive import InteractiveFigure


def every_figure() -> list[InteractiveFigure]:
    """Every interactive figure of the book, in the order of its pages: what tests sweep."""
    from . import pieces, readouts, simplex, smoothings, trained, units

    return [
        trained.opening_figure(),
        units.unit_figure(),
        units.objective_figure(),
        smoothings.gap_figure(),
        smoothings.softplus_figure(),
        trained.softening_figure(),
        pieces.pieces_figure(),
        simplex.simplex_figure(),
        readouts.tangent_figure(),
        readouts.entropy_figure(),
        simplex.scores_figure(),
    ]
