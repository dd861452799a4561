"""The figures of *How far an attack has to go*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .penalty import penalty_figure
from .radii import Radii, radii_of, radius_figure, shares

__all__ = ["Radii", "figures", "penalty_figure", "radii_of", "radius_figure", "shares"]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [radius_figure(), penalty_figure()]
