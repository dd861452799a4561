"""The landing page's figure as an object: computed in a page, the book's figure object in a notebook."""

from __future__ import annotations

from ..interactive.figure import InteractiveFigure
from .markup import page


class OpeningFigure(InteractiveFigure):
    """A figure whose page computes every β from the network's weights, instead of holding states.

    In a notebook it is an :class:`~hardtosoft.interactive.figure.InteractiveFigure` like the others.
    """

    def html(self) -> str:
        """The figure for a built page; it shows β = 1, the network as it was trained."""
        return page(self.name, self.caption)
