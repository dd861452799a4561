"""A figure in a notebook with a kernel: an ipywidgets widget whose every move torch answers.

What draws (script, style, plotly) travels once a notebook, in one hidden :class:`Runtime`; a figure's own widget
carries its numbers alone. A move comes as ``asked``; the arrays and texts that changed go back as ``answer``, the
values and their words, or what went wrong, as ``said``.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any
from uuid import uuid4

import anywidget
import numpy as np
import traitlets
from ipywidgets import Widget, widget_serialization

from . import driver, plotly
from .axes import Axis
from .frames import Array, Frame, plain
from .markup import axes_config, notebook_figure
from .packing import Path
from .states import State, leaves, put, refuse_moving_layout, same
from .vectors import Vector


class Runtime(Widget):  # type: ignore[misc]
    """The code that draws, shared by all figures of a notebook; it shows nothing itself."""

    script = traitlets.Unicode(driver.notebook_script(), read_only=True).tag(sync=True)
    style = traitlets.Unicode(driver.notebook_style(), read_only=True).tag(sync=True)
    bundle = traitlets.Bytes(b"").tag(sync=True)
    _fetcher: threading.Thread | None = None

    def deliver(self) -> None:
        """Send plotly, compressed; when it is not on this machine yet, fetch it without holding up the kernel."""
        if self.bundle or (self._fetcher and self._fetcher.is_alive()):
            return
        self.bundle = plotly.cached_bundle() or b""
        if not self.bundle:
            self._fetcher = threading.Thread(target=self._fetch, daemon=True)
            self._fetcher.start()

    def _fetch(self) -> None:
        # Without plotly a figure moves all the same; only the values under the pointer are missing.
        try:
            plotly.plotly_bundle(plotly.cache_dir())
        except (plotly.AssetError, OSError):
            return
        self.bundle = plotly.cached_bundle() or b""


@cache
def runtime() -> Runtime:
    """The one runtime of this kernel."""
    return Runtime()


class LiveFigure(anywidget.AnyWidget):
    """The widget of one figure; the figure itself is in :class:`hardtosoft.interactive.figure.InteractiveFigure`.

    Args:
        name, axes, caption, hero: as the figure has them.
        frame, values: what it shows first, and where its axes stand then.
        move: called with the values a reader chose; what it raises is shown under the figure.
        rested: called when the reader has stopped moving for a moment.
    """

    _esm = driver.widget_script()
    runtime = traitlets.Instance(Runtime).tag(sync=True, **widget_serialization)
    opening = traitlets.Dict().tag(sync=True)
    asked = traitlets.Dict().tag(sync=True, echo_update=False)
    answer = traitlets.Dict().tag(sync=True)
    said = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        name: str,
        axes: Sequence[Axis | Vector],
        frame: Frame,
        values: State,
        move: Callable[[State], None],
        rested: Callable[[], None],
        *,
        caption: str,
        hero: bool,
    ) -> None:
        self._axes, self._move = tuple(axes), move
        self._first = dict(leaves(asdict(frame)))
        self._corners = {(*path[:-1], along) for path in self._first if path[-1] == "sides" for along in "xy"}
        self._moved: dict[Path, None] = {}  # whatever has changed since the opening, so that a new view gets it all
        markup = notebook_figure(name, axes, frame, {axis.name: axis.start for axis in axes}, caption, hero=hero)
        self.mark = f"hts-{uuid4().hex[:12]}"
        config = {**axes_config(axes), "frame": _without_arrays(frame)}
        arrays = {path: value for path, value in self._first.items() if isinstance(value, np.ndarray)}
        super().__init__(
            runtime=runtime(),
            opening={"mark": self.mark, "markup": markup, "config": config, **self._pack(arrays)},
            answer=self._pack({}),
            said=self._words(values, ""),
        )
        self.observe(self._hear, "asked")
        self.on_msg(lambda *_: rested())

    def show(self, frame: Frame, values: State) -> None:
        """Draw ``frame`` in every view and put the controls at ``values``.

        Raises:
            ValueError: other traces, settings or layouts than in the frame shown first.
        """
        shown = dict(leaves(asdict(frame)))
        if shown.keys() != self._first.keys():
            odd = sorted("/".join(map(str, path)) for path in shown.keys() ^ self._first.keys())
            raise ValueError(f"every frame must have the same traces and settings as the first; {odd[0]} differs")
        changed = [path for path, value in shown.items() if not same(value, self._first[path])]
        refuse_moving_layout(changed)
        self._moved |= dict.fromkeys(changed)
        with self.hold_sync():
            self.answer = self._pack({path: shown[path] for path in self._moved})
            self.said = self._words(values, "")

    def _hear(self, change: dict[str, Any]) -> None:
        values: State = change["new"]["values"]
        try:
            self._move(values)
        except Exception as error:  # whatever a reader's own code raises: the next move may be right
            self.said = self._words(values, _explain(error))

    def _pack(self, changes: dict[Path, Any]) -> dict[str, Any]:
        """Arrays as bytes beside what they are, and everything else."""
        arrays = {path: value for path, value in changes.items() if isinstance(value, np.ndarray)}
        packed = [_bytes(value, path in self._corners) for path, value in arrays.items()]
        return {
            "arrays": [
                {"path": path, "shape": value.shape, **kind}
                for (path, value), (kind, _) in zip(arrays.items(), packed, strict=True)
            ],
            "data": [data for _, data in packed],
            "texts": [[path, plain(value)] for path, value in changes.items() if path not in arrays],
        }

    def _words(self, values: State, trouble: str) -> dict[str, Any]:
        words = [_in_words(axis, values[axis.name]) for axis in self._axes]
        return {"turn": self.asked.get("turn"), "values": values, "words": words, "trouble": trouble}


def _in_words(axis: Axis | Vector, value: Any) -> str:
    try:
        return axis.words(value)
    except Exception:  # made for the page's stops, and this is none of them
        return f"{axis.name} = {value}"


def _bytes(array: Array, of_corners: bool) -> tuple[dict[str, Any], bytes]:
    """An array as numbers of few bits where that is enough; ``high`` means steps from ``low`` to it.

    A heatmap, in [0, 1], takes 8 bits, and so do small whole numbers; the corners of polygons, which lie within a
    picture of about a thousand pixels, take 16.
    """
    if array.ndim == 2:
        return {"type": "u1", "low": 0, "high": 1}, (array * 255).round().astype("u1").tobytes()
    if np.issubdtype(array.dtype, np.integer) and array.size and array.min() >= 0 and array.max() <= 255:
        return {"type": "u1"}, array.astype("u1").tobytes()
    if of_corners and array.size and array.min() < array.max():
        low, high = float(array.min()), float(array.max())
        steps = (array - low) * (65535 / (high - low))
        return {"type": "u2", "low": low, "high": high}, steps.round().astype("<u2").tobytes()
    return {"type": "f8"}, array.astype("<f8").tobytes()


def _without_arrays(frame: Frame) -> Any:
    skeleton = asdict(frame)
    for path, value in leaves(skeleton):
        if isinstance(value, np.ndarray):
            put(skeleton, path, None)
    return plain(skeleton)


def _explain(error: Exception) -> str:
    """The error in one line, with the place it came from: in the reader's own cells where it passed through one."""
    passed = traceback.extract_tb(error.__traceback__)
    place = next((frame for frame in reversed(passed) if "ipykernel_" in frame.filename), passed[-1])
    message = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {message} (line {place.lineno} of {place.name})"
