"""Names that stand on what they name: a line's at a place of the line, a point's beside it, a cell's in its middle.

A trace carries its name as ``label``; what is labelled needs no legend. Python says where the name should stand, and
the page keeps it off the names and lines around it at the size there is (``names.js``).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from .axes import check_option

#: Where a name stands, seen from its place: in the middle of it, or towards one of the eight winds.
SIDES = {
    "c": (-50, -50),
    "n": (-50, -100),
    "s": (-50, 0),
    "e": (0, -50),
    "w": (-100, -50),
    "ne": (0, -100),
    "nw": (-100, -100),
    "se": (0, 0),
    "sw": (-100, 0),
}


def label(
    text: str | Sequence[str], *, x: float | None = None, at: float | None = None, side: str = "", colour: str = ""
) -> dict[str, Any]:
    """What a trace is called in the picture, and where that stands.

    Args:
        text: the name; or one for each point of the trace, empty where a point has none.
        x: the name stands where the line passes this place of the horizontal axis; or
        at: how far along what is seen of the line, from 0 to 1. Without both it stands where there is room.
        side: of the line, one of ``SIDES``; any that is free unless given.
        colour: the trace's own unless given.

    Raises:
        ValueError: no such side.
    """
    if side:
        check_option("side", side, SIDES)
    return {"texts": [text] if isinstance(text, str) else list(text), "x": x, "at": at, "side": side, "color": colour}


def spans(traces: Sequence[dict[str, Any]], layout: dict[str, Any]) -> str:
    """The names of a panel as HTML over its plot, before any script."""
    shown = "".join(_spans(index, trace, layout) for index, trace in enumerate(traces) if trace.get("label"))
    return f'<div class="hts-names" aria-hidden="true">{shown}</div>' if shown else ""


def _spans(index: int, trace: dict[str, Any], layout: dict[str, Any]) -> str:
    named = trace["label"]
    colour = named["color"] or trace["line" if trace["mode"] == "lines" else "marker"]["color"]
    style = f"color:{escape(colour)}"
    texts = named["texts"]
    places = _points(trace, layout) if len(texts) > 1 or trace["mode"] == "text" else [_place(trace, layout)]
    return "".join(
        f'<span data-of="{index}" style="{style};{_where(place, named["side"])}">{escape(text)}</span>'
        for text, place in zip(texts, places, strict=True)
    )


def _where(place: Any, side: str) -> str:
    if not np.isfinite(place).all():
        return "visibility:hidden"
    across, down = SIDES[side or "n"]
    return f"left:{place[0]:.1%};top:{place[1]:.1%};translate:{across}% {down}%"


def _points(trace: dict[str, Any], layout: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The points of a trace as shares of the plot, from its upper left corner."""
    y = np.asarray(trace["y"], dtype=float)
    x = np.asarray(trace["x"], dtype=float) if "x" in trace else trace["x0"] + trace["dx"] * np.arange(len(y))
    (left, right), (low, high) = layout["xaxis"]["range"], layout["yaxis"]["range"]
    return np.stack([(x - left) / (right - left), (high - y) / (high - low)], axis=-1)


def _place(trace: dict[str, Any], layout: dict[str, Any]) -> Any:
    points = _points(trace, layout)
    seen = points[((points >= 0) & (points <= 1)).all(axis=1)]
    if not len(seen):
        return np.full(2, np.nan)
    if (x := trace["label"]["x"]) is None:
        at = trace["label"]["at"]
        return seen[round((0.5 if at is None else at) * (len(seen) - 1))]
    left, right = layout["xaxis"]["range"]
    return seen[np.abs(seen[:, 0] - (x - left) / (right - left)).argmin()]
