"""The book's figure object: a pure function of its parameters that a reader can move, in two homes.

In a built page it shows native sliders over states that Python made at build time: no kernel, no network. In a
notebook torch answers every move, between and beyond the page's states too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from .axes import Axis
from .frames import Frame
from .markup import page_figure
from .states import State, Table, tabulate
from .vectors import Vector, taking_tensors

if TYPE_CHECKING:
    from .live import LiveFigure
    from .tracing.program import Program

#: Set while the book is built (and tested): figures then show themselves as page HTML.
STATIC = "HARDTOSOFT_STATIC"


class InteractiveFigure:
    """A figure function together with the axes a reader may move.

    Args:
        name: the figure's id in the page; links to a state read ``#name.beta=0.5``.
        function: parameters in, :class:`~hardtosoft.interactive.frames.Frame` out; called with one keyword an axis.
        axes: what can be moved; each starts where it says.
        caption: what to do and what to notice, as HTML.
        hero: shown with its panels side by side at every width, in the first screen (the landing page).
        traced: whether a page computes it, for any values of its axes, instead of showing stored states; the function
            then stays in torch from axes to frame.

    Raises:
        ValueError: a name that no link can carry, or no axis.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Frame],
        axes: Sequence[Axis | Vector],
        *,
        caption: str = "",
        hero: bool = False,
        traced: bool = False,
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise ValueError(f"name must be lower-case letters, digits and hyphens, got {name!r}")
        if not axes:
            raise ValueError("axes must hold at least one axis, got none; a figure without one is a plain figure")
        self.name, self.axes = name, tuple(axes)
        self.function = taking_tensors(function) if any(isinstance(axis, Vector) for axis in axes) else function
        self.caption, self.hero, self.traced = caption, hero, traced
        self._values = self.start
        self._callbacks: list[Callable[[State], object]] = []
        self._widget: LiveFigure | None = None
        self._frame: Frame | None = None
        self._told = ""

    @property
    def start(self) -> State:
        """The values the figure shows first in a page, and goes back to when reset."""
        return {axis.name: axis.start for axis in self.axes}

    @property
    def values(self) -> State:
        """Where the axes stand now in a notebook."""
        return dict(self._values)

    @cached_property
    def table(self) -> Table:
        """Every state of the built page."""
        return tabulate(self.function, self.axes)

    @cached_property
    def program(self) -> Program:
        """What the built page computes, if the figure is traced."""
        from .tracing.program import program

        return program(self.function, self.axes)

    def frame(self, **values: Any) -> Frame:
        """What the figure shows at ``values``; an axis that is not named stays at its start.

        Raises:
            ValueError: a name that is no axis of this figure.
        """
        return self.function(**self._complete(values, self.start))

    def set(self, **values: Any) -> None:
        """Move the figure from code: ``figure.set(beta=0.3)``. Sliders and callbacks follow; a built page does not.

        Values need not be among those of the page's sliders. What the figure function raises is raised here, and the
        figure stays where it was.

        Raises:
            ValueError: a name that is no axis of this figure, or a value that the axis does not take.
        """
        wanted = self._complete(values, self._values)
        if wanted != self._values:
            self._move(wanted)

    def observe(self, callback: Callable[[State], object]) -> Callable[[], None]:
        """Call ``callback`` with the values, ``{"beta": 0.3}``, whenever the figure has moved in a notebook.

        What it raises is shown under the figure (or raised by :meth:`set`), and the slider goes on working. To show
        text, write into an ``ipywidgets`` widget: what is printed has no cell to go to.

        Returns:
            a function that ends the calls.
        """
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback) if callback in self._callbacks else None

    def html(self) -> str:
        """The figure for a built page."""
        answers = self.program if self.traced else self.table
        return page_figure(self.name, self.axes, self.frame(), self.start, answers, self.caption, hero=self.hero)

    @property
    def widget(self) -> LiveFigure:
        """The figure as an ipywidgets widget, to stand in a ``VBox`` beside others; needs a kernel."""
        widget = self._live()
        widget.runtime.deliver()
        return widget

    def __repr__(self) -> str:
        moves = "; ".join(f"{axis.label}: {axis.words(self._values[axis.name])}" for axis in self.axes)
        shown = " ".join(panel.alt for panel in self._now().panels)
        return f"Interactive figure “{self.name}” ({moves}). {shown}"

    def _now(self) -> Frame:
        """The frame at the values of the moment."""
        self._frame = self._frame or self.frame(**self._values)
        return self._frame

    def _live(self) -> LiveFigure:
        if self._widget is None:
            from .live import LiveFigure

            self._widget = LiveFigure(
                self.name,
                self.axes,
                self._now(),
                self._values,
                self._move,
                self._remember,
                caption=self.caption,
                hero=self.hero,
            )
        return self._widget

    def _complete(self, values: State, others: State) -> State:
        strangers = values.keys() - others.keys()
        if strangers:
            raise ValueError(f"axes of {self.name!r} are {', '.join(others)}; got {', '.join(sorted(strangers))}")
        named = {axis.name: axis.check(values[axis.name]) for axis in self.axes if axis.name in values}
        return {**others, **named}

    def _move(self, values: State) -> None:
        wanted = self._complete(values, self._values)
        frame = self.frame(**wanted)
        if self._widget:
            self._widget.show(frame, wanted)
        self._values, self._frame = wanted, frame
        for callback in tuple(self._callbacks):
            callback(self.values)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if os.environ.get(STATIC):
            display({"text/html": self.html(), "text/plain": self._sentence()}, raw=True)
            return
        widget = self._live()
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        # Where no widget can be shown, the sentence after it says the same.
        display({"application/vnd.jupyter.widget-view+json": view, "text/plain": ""}, raw=True)
        display(self._memory(widget.mark), raw=True, display_id=widget.mark)
        widget.runtime.deliver()  # what comes last is not waited for by the figure

    def _remember(self) -> None:
        from IPython.display import update_display

        mark = self._live().mark
        if self._sentence() != self._told:
            update_display(self._memory(mark), raw=True, display_id=mark)

    def _sentence(self) -> str:
        return f"{self!r} Run the cell to move it."

    def _memory(self, mark: str) -> dict[str, str]:
        """What a saved notebook shows of the figure when no kernel is there to draw it; else live.js hides it."""
        self._told = self._sentence()
        # What the widget manager complains of right before the sentence, an output without elements, helps no reader.
        lost = f".jp-OutputArea-child:has(+ .jp-OutputArea-child .{mark}) .jupyter-widgets:not(:has(*))"
        style = f'<style data-words="{mark}">{lost} {{ display: none }}</style>'
        return {"text/html": f'{style}<p class="{mark}">{escape(self._told)}</p>', "text/plain": self._told}
