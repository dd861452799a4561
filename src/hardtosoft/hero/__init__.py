"""The landing page's figure: one unit and a network of such units, computed in the page at every β."""

from .figure import OpeningFigure

__all__ = ["OpeningFigure"]
