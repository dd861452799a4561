"""The book's figure object: a pure function of its parameters that a reader can move.

In a built page it shows native sliders over states that Python made at build time: no kernel, no network. In a
notebook it shows plotly's own picture of the first state.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from .axes import Axis, Value
from .frames import Frame
from .markup import figure_html
from .states import State, Table, tabulate

#: Set while the book is built (and tested): figures then show themselves as page HTML.
STATIC = "HARDTOSOFT_STATIC"


class InteractiveFigure:
    """A figure function together with the axes a reader may move.

    Args:
        name: the figure's id in the page; links to a state read ``#name.beta=0.5``.
        function: parameters in, :class:`~hardtosoft.frames.Frame` out; called with one keyword for each axis.
        axes: what can be moved; each starts where it says.
        caption: what to do and what to notice, as HTML.
        hero: shown with its panels side by side at every width, in the first screen (the landing page).

    Raises:
        ValueError: a name that no link can carry, or no axis.
    """

    def __init__(
        self, name: str, function: Callable[..., Frame], axes: Sequence[Axis], *, caption: str = "", hero: bool = False
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise ValueError(f"name must be lower-case letters, digits and hyphens, got {name!r}")
        if not axes:
            raise ValueError("axes must hold at least one axis, got none; a figure without one is a plain figure")
        self.name, self.function, self.axes = name, function, tuple(axes)
        self.caption, self.hero = caption, hero

    @property
    def start(self) -> State:
        """The values the figure shows first."""
        return {axis.name: axis.start for axis in self.axes}

    @cached_property
    def table(self) -> Table:
        """Every state of the built page."""
        return tabulate(self.function, self.axes)

    def frame(self, **values: Value) -> Frame:
        """What the figure shows at ``values``; an axis that is not named stays at its start.

        Raises:
            ValueError: a name that is no axis of this figure.
        """
        strangers = values.keys() - self.start.keys()
        if strangers:
            raise ValueError(f"axes of {self.name!r} are {', '.join(self.start)}; got {', '.join(sorted(strangers))}")
        return self.function(**{**self.start, **values})

    def html(self) -> str:
        """The figure for a built page."""
        return figure_html(self.name, self.axes, self.frame(), self.start, self.table, self.caption, hero=self.hero)

    def __repr__(self) -> str:
        moves = "; ".join(f"{axis.label}: {axis.words(axis.start)}" for axis in self.axes)
        shown = " ".join(panel.alt for panel in self.frame().panels)
        return f"Interactive figure “{self.name}” ({moves}). {shown}"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if os.environ.get(STATIC):
            display({"text/html": self.html(), "text/plain": repr(self)}, raw=True)
            return
        for panel in self.frame().panels:
            shown: dict[str, Any] = {"application/vnd.plotly.v1+json": panel.plotly(), "text/plain": repr(self)}
            display(shown, raw=True)
