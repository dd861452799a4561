"""Frames: what a figure function returns, in plotly's own words.

A frame holds panels; a panel is one pair of axes: plotly traces and a plotly layout whose ranges and ticks are
stated, so that the page can draw it before plotly has arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from . import palette
from .axes import check_option
from .names import label as named
from .numbers import short
from .tracing.recorder import stacked, traced

Array = np.ndarray[Any, Any]
Trace = dict[str, Any]
Stroke = dict[str, Any]

DASHES = {"solid": "", "dash": "7 5", "dot": "1.5 4", "dashdot": "8 4 1.5 4"}
SYMBOLS = ("circle", "square")


@dataclass(frozen=True)
class Panel:
    """One plot: ``traces`` and ``layout`` as plotly takes them, and the words around it.

    Attributes:
        title: says what is drawn, above the plot.
        xlabel: what runs along the horizontal axis, below the plot.
        alt: what the picture shows, in a sentence, for readers who do not see it: the conclusion, not the axes.
        aspect: width over height of the plot area, for geometry and pictures, whose shape means something; None
            fills the room there is.
        large: as wide as the column; for a shaped panel of many small things.
    """

    title: str
    xlabel: str
    alt: str
    traces: Sequence[Trace]
    layout: dict[str, Any]
    aspect: float | None = None
    large: bool = False


@dataclass(frozen=True)
class Frame:
    """What a figure shows at one setting of its axes: panels side by side, and one line of numbers below."""

    panels: Sequence[Panel]
    readout: str


def axis(
    low: float, high: float, ticks: Sequence[float], labels: Sequence[str] | None = None, *, grid: bool = True
) -> dict[str, Any]:
    """A plotly axis with a fixed range and stated ticks; without ``grid`` for plots that are filled by a map.

    Raises:
        ValueError: a tick outside the range; its label would stand outside the plot.
    """
    strangers = [tick for tick in ticks if not low <= tick <= high]
    if strangers:
        raise ValueError(f"ticks must lie between {low} and {high}, got {strangers}")
    return {
        "range": [low, high],
        "tickvals": [float(tick) for tick in ticks],
        "ticktext": list(labels) if labels else [short(tick) for tick in ticks],
        "fixedrange": True,
        "showgrid": grid,
        "zeroline": grid,
        "gridcolor": palette.GRID,
        "zerolinecolor": palette.ZERO,
        "zerolinewidth": 1,
        "linecolor": palette.ZERO,
        "automargin": False,
    }


def layout(xaxis: dict[str, Any], yaxis: dict[str, Any]) -> dict[str, Any]:
    """A plotly layout of two stated axes; colours and fonts are added where it is shown.

    The lines of a grid lie level: they help to read heights.
    """
    return {"xaxis": {**xaxis, "showgrid": False}, "yaxis": yaxis, "showlegend": False, "hovermode": "closest"}


def line(
    name: str, x: Any, y: Any, colour: str, *, dash: str = "solid", width: float = 2.5, label: Any = None, **more: Any
) -> Trace:
    """A plotly line through the points (x, y); a NaN leaves a gap. ``x`` may be ``(x0, dx)`` for an even grid.

    Its ``label``, a text or what :func:`~hardtosoft.interactive.names.label` gives, stands on it in the picture in
    place of a legend; True means its ``name``, and an empty one that neither tells it.

    Raises:
        ValueError: a dash that the book does not use.
    """
    check_option("dash", dash, DASHES)
    place = {"x0": x[0], "dx": x[1]} if isinstance(x, tuple) else {"x": array(x)}
    stroke = {"color": colour, "width": width, "dash": dash, "simplify": False}
    told = _told(name, label)
    return {"type": "scatter", "mode": "lines", "name": name, **place, "y": array(y), "line": stroke, **told, **more}


def path(name: str, points: Any, colour: str, **look: Any) -> Trace:
    """The same through points ``(M, 2)``."""
    x, y = array(points).T
    return line(name, x, y, colour, **look)


def dots(
    name: str,
    x: Any,
    y: Any,
    colour: str,
    *,
    symbol: str = "circle",
    size: float = 6,
    label: Any = None,
    **more: Any,
) -> Trace:
    """Plotly markers at the points (x, y); a ``label`` of several texts names each of them.

    Raises:
        ValueError: a symbol that the book does not use.
    """
    check_option("symbol", symbol, SYMBOLS)
    marker = {"color": colour, "symbol": symbol, "size": size}
    place = {"x": array(x), "y": array(y)}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        **place,
        "marker": marker,
        **_told(name, label),
        **more,
    }


def _told(name: str, label: Any) -> Trace:
    if not label:
        return {} if label is None else {"showlegend": False}
    text = name if label is True else label
    return {"label": named(text) if isinstance(text, str) else text}


def heatmap(name: str, z: Any, x: tuple[float, float], y: tuple[float, float], colour: str | None = None) -> Trace:
    """A plotly heatmap of ``z`` (rows along y, values in [0, 1]) that fills the box ``x`` times ``y``.

    With a line's ``colour`` it goes from no tint to that colour's. Such maps may lie over each other, one for each
    weight of a code: their tints add up, so the weights have to sum to at most 1.

    Raises:
        ValueError: ``z`` is not a matrix with values in [0, 1].
    """
    scale = palette.MAP_SCALE if colour is None else [[0.0, "var(--hts-map-low)"], [1.0, palette.TINTS[colour]]]
    return _map(name, z, x, y, scale, smooth="best")


def picture(name: str, z: Any, x: tuple[float, float], y: tuple[float, float]) -> Trace:
    """Pixels as they are, ``z`` in [0, 1] from paper to ink; the first row stands at the top, as in an image.

    Raises:
        ValueError: ``z`` is not a matrix with values in [0, 1].
    """
    return _map(name, array(z)[::-1], x, y, palette.PICTURE_SCALE, smooth=False)


def polygons(
    name: str,
    corners: Any,
    sides: Any,
    *,
    fill: Any = None,
    scale: Sequence[Sequence[Any]] = palette.MAP_SCALE,
    kinds: Any = None,
    strokes: Sequence[Stroke] = (),
    key: Sequence[tuple[str, str]] = (),
) -> Trace:
    """Convex polygons, up to tens of thousands of them, for a canvas under plotly's axes; one such trace a panel.

    Where nothing but ``fill`` or an opacity among ``strokes`` changes from state to state, a move costs a few
    milliseconds whatever their number.

    Args:
        corners: of all polygons, one after another, each's in their order: ``(T, 2)``.
        sides: how many corners each polygon has, ``(N,)``.
        fill: of each polygon, a place on the colour scale in [0, 1], kept to 1/255; None leaves them clear.
        scale: of ``fill``: pairs of a place and a colour, the first at 0, the last at 1.
        kinds: of the side from each corner to the next, ``(T,)``: k is drawn as ``strokes[k - 1]``, 0 not at all. If
            not given all are of kind 1 as long as there are strokes.
        strokes: how each kind is drawn, see :func:`stroke`.
        key: what the legend says of fills: texts and colours.

    Raises:
        ValueError: corners and sides that do not fit, a fill outside [0, 1], or kinds without a stroke.
    """
    places, sides = array(corners), np.asarray(sides, dtype=np.int64)
    if places.shape != (sides.sum(), 2) or (sides < 3).any():
        raise ValueError(f"sides must be 3 or more a polygon, {len(places)} in all, got {sides} for {places.shape}")
    x, y = places.T
    kinds = np.full(len(x), bool(strokes), dtype=np.int64) if kinds is None else np.asarray(kinds, dtype=np.int64)
    if len(kinds) != len(x) or not np.isin(kinds, range(len(strokes) + 1)).all():
        raise ValueError(f"kinds must be {len(x)} numbers from 0 to {len(strokes)}, one a side, got {kinds}")
    shades = None if fill is None else array(fill)
    if shades is not None and not (shades.shape == sides.shape and ((shades >= 0) & (shades <= 1)).all()):
        raise ValueError(f"fill must be {len(sides)} numbers in [0, 1], got shape {shades.shape}")
    look = {"fill": None if shades is None else (255 * shades).round().astype(np.int64), "colorscale": list(scale)}
    drawn = {"x": x, "y": y, "sides": sides, "kinds": kinds, "strokes": list(strokes), "key": list(key)}
    return {"type": "polygons", "name": name, **drawn, **look}


def stroke(name: str, colour: str, *, width: float = 1.0, opacity: float = 1.0) -> Stroke:
    """How one kind of sides is drawn: its name in the legend, its colour, its width on the screen."""
    return {"name": name, "color": colour, "width": width, "opacity": opacity}


def _map(name: str, z: Any, x: tuple[float, float], y: tuple[float, float], scale: Any, smooth: str | bool) -> Trace:
    grid = array(z)
    if grid.ndim != 2 or not (traced(grid) or (np.min(grid) >= 0 and np.max(grid) <= 1)):
        raise ValueError(f"z must be a matrix with values in [0, 1], got shape {grid.shape}")
    rows, columns = grid.shape
    dx, dy = (x[1] - x[0]) / columns, (y[1] - y[0]) / rows
    corner = {"x0": x[0] + dx / 2, "dx": dx, "y0": y[0] + dy / 2, "dy": dy}
    look = {"zmin": 0, "zmax": 1, "colorscale": scale, "zsmooth": smooth, "showscale": False, "hoverinfo": "skip"}
    return {"type": "heatmap", "name": name, "z": grid, **corner, **look}


def array(values: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Values as a float64 array, from torch, numpy or a list; what is being traced for a page stays in torch."""
    if traced(values):
        return stacked(values)  # type: ignore[return-value]
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64)


def tensor(values: Any) -> torch.Tensor:
    """The same as a float64 tensor."""
    return torch.as_tensor(array(values))


def plain(value: Any) -> Any:
    """``value`` with arrays as lists of short numbers (seven digits), ready for JSON; NaN becomes null."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, float):
        return None if value != value else int(value) if value.is_integer() else float(f"{value:.7g}")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
