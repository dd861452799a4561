"""Small pictures of figures: a panel drawn again in 120 by 76 units, its lines fewer points, its maps a few levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from contourpy import contour_generator

from ..interactive.frames import Panel, Trace, array

WIDTH, HEIGHT = 120, 76
LEVELS = 5
#: Opacity of each level of a map over the one below.
LAYER = 0.36
PIXELS = 60  # a side; finer ones are not seen
DASHES = {"solid": "", "dash": "4 3", "dot": "1 3", "dashdot": "5 2.5 1 2.5"}
Points = np.ndarray[Any, Any]


class Paper:
    """Where a panel's places lie in the small picture: they fill it; a shaped one is cut to it, or shown ``whole``."""

    def __init__(self, panel: Panel, whole: bool) -> None:
        spans = [panel.layout[axis]["range"] for axis in ("xaxis", "yaxis")]
        self.low = np.array([span[0] for span in spans], dtype=float)
        self.extent = np.array([span[1] - span[0] for span in spans], dtype=float)
        self.size = np.array([WIDTH, HEIGHT], dtype=float)
        if panel.aspect:
            shape = np.array([panel.aspect, 1.0])
            room = self.size / shape
            self.size = shape * (0.9 * room.min() if whole else room.max())

    def place(self, points: Points) -> Points:
        """Units of the picture, from its upper left corner."""
        across = (points - self.low) / self.extent * self.size + (np.array([WIDTH, HEIGHT]) - self.size) / 2
        return np.stack([across[:, 0], HEIGHT - across[:, 1]], -1)


def thumbnail(panel: Panel, only: Sequence[str] = (), *, whole: bool = False) -> str:
    """The panel as inline SVG in the colours of the page's theme; ``only`` traces whose names begin so, if any."""
    paper = Paper(panel, whole)
    shown = [trace for trace in panel.traces if not only or trace["name"].startswith(tuple(only))]
    order = sorted(shown, key=lambda trace: trace["type"] == "scatter")  # maps and polygons below
    inside = "".join(_DRAW[trace["type"]](trace, paper) for trace in order)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="xMidYMid slice" aria-hidden="true">{inside}</svg>'
    )


def _scatter(trace: Trace, paper: Paper) -> str:
    x = trace["x"] if "x" in trace else trace["x0"] + trace["dx"] * np.arange(len(trace["y"]))
    points = paper.place(np.stack([x, trace["y"]], -1))
    if trace["mode"] == "markers":
        return _dots(points, trace["marker"])
    width = trace["line"]["width"]
    thick = 3.0 if width >= 3.2 else 1.8 if width >= 2 else 1.0
    dash = DASHES[trace["line"]["dash"]]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    path = "".join(_path(_simple(part)) for part in _parts(points))
    stroke = (
        f'style="fill:none;stroke:{trace["line"]["color"]}" stroke-width="{thick}" stroke-linejoin="round"{dashed}'
    )
    return f'<path {stroke} d="{path}"/>'


def _area(trace: Trace, paper: Paper) -> str:
    outline = paper.place(np.stack([trace["x"], trace["y"]], -1))
    path = "".join(_path(part, close=True) for part in _parts(outline))
    return f'<path style="fill:{trace["fill"]}" fill-opacity="{trace["opacity"]}" d="{path}"/>'


def _dots(points: Points, marker: dict[str, Any]) -> str:
    inside = points[((points > 0) & (points < (WIDTH, HEIGHT))).all(1)]
    path = "".join(f"M{_number(x)} {_number(y)}h0" for x, y in inside)
    cap = "round" if marker["symbol"] == "circle" else "square"
    size = 2.4 if len(inside) > 12 else 6.5
    return (
        f'<path style="stroke:{marker["color"]}" stroke-width="{size}" stroke-linecap="{cap}" d="{path}"/>'
        if path
        else ""
    )


def _heatmap(trace: Trace, paper: Paper) -> str:
    z, colour = trace["z"], trace["colorscale"][-1][1]
    rows, columns = z.shape
    if not trace["zsmooth"]:
        return _pixels(trace, paper)
    # Its last cells reach the frame, and all around it is nothing: so every contour closes.
    around = np.pad(np.pad(z, 1, mode="edge"), 1)
    x, y = (trace[f"{a}0"] + trace[f"d{a}"] * _beyond(count) for a, count in (("x", columns), ("y", rows)))
    plain = bool((np.abs(z - 0.5) > 0.45).mean() > 0.9)  # cells, each one tint
    found = contour_generator(x, y, around)
    levels = [0.5] if plain else [(level + 0.5) / LEVELS for level in range(LEVELS)]
    paths = []
    for level in levels:
        rings = [paper.place(array(ring)) for ring in found.lines(level)]
        if d := "".join(_path(_simple(ring), close=True) for ring in rings):
            paths.append(f'<path d="{d}"/>')
    opacity = 1 if plain else LAYER
    return f'<g style="fill:{colour}" fill-opacity="{opacity}" fill-rule="evenodd">{"".join(paths)}</g>'


def _beyond(count: int) -> Points:
    """Places of cells, of one more on either side, and right behind these."""
    return np.concatenate([[-1.001], np.arange(-1, count + 1), [count + 0.001]])


def _pixels(trace: Trace, paper: Paper) -> str:
    every = -(-max(trace["z"].shape) // PIXELS)
    z = trace["z"][every // 2 :: every, every // 2 :: every]
    scale = [colour for _, colour in trace["colorscale"]]
    if len(scale) == 3:  # from against over nothing to for
        against, nothing, for_ = scale
        parts = (
            ({**trace, "z": (2 * side - 1).clip(0, 1)}, end)
            for side, end in ((1 - trace["z"], against), (trace["z"], for_))
        )
        return "".join(
            _pixels({**one, "colorscale": [[0, ground], [1, end]]}, paper)
            for (one, end), ground in zip(parts, (nothing, "none"), strict=True)
        )
    dx, dy = trace["dx"] * every, trace["dy"] * every
    grey = (LEVELS * np.nan_to_num(z)).round().astype(int)
    origin = np.array([trace["x0"] - trace["dx"] / 2, trace["y0"] - trace["dy"] / 2])

    def boxes(cells: Sequence[tuple[int, int, int, int]]) -> str:
        corners = np.array(cells, dtype=float).reshape(-1, 2, 2) * (dx, dy) + origin
        pairs = zip(paper.place(corners[:, 0]), paper.place(corners[:, 1]), strict=True)
        return "".join(
            f"M{_number(a)} {_number(d)}H{_number(c)}V{_number(b)}H{_number(a)}z" for (a, b), (c, d) in pairs
        )

    levels = range(1, LEVELS + 1)
    runs = {v: [(a, row, b, row + 1) for row, line in enumerate(grey == v) for a, b in _runs(line)] for v in levels}
    paths = [f'<path fill-opacity="{v / LEVELS:.2g}" d="{boxes(found)}"/>' for v, found in runs.items() if found]
    ground, ink = trace["colorscale"][0][1], trace["colorscale"][-1][1]
    whole = boxes([(0, 0, grey.shape[1], grey.shape[0])])
    return f'<path style="fill:{ground}" d="{whole}"/><g style="fill:{ink}">{"".join(paths)}</g>'


def _runs(line: Points) -> Iterable[tuple[int, int]]:
    ends = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
    return zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True)


def _polygons(trace: Trace, paper: Paper) -> str:
    corners = paper.place(np.stack([trace["x"], trace["y"]], -1))
    each = np.split(corners, np.cumsum(trace["sides"])[:-1])
    if trace["fill"] is None:
        path = "".join(_path(one, close=True) for one in each)
        return f'<path style="fill:none;stroke:var(--hts-muted)" stroke-width="0.6" d="{path}"/>'
    shades: dict[str, str] = {}
    for one, fill in zip(each, trace["fill"], strict=True):
        shade = _shade(trace["colorscale"], round(fill / 255 * 8) / 8)
        shades[shade] = shades.get(shade, "") + _path(one, close=True)
    paths = "".join(f'<path style="fill:{shade}" d="{path}"/>' for shade, path in shades.items())
    return f'<g style="stroke:var(--pst-color-background)" stroke-width="0.5">{paths}</g>'


def _shade(scale: Sequence[Sequence[Any]], at: float) -> str:
    above = next(i for i, (place, _) in enumerate(scale) if place >= at)
    (low, first), (high, second) = scale[max(above - 1, 0)], scale[max(above, 1)]
    share = round(100 * (at - low) / (high - low))
    return f"color-mix(in srgb,{second} {share}%,{first})"


def _parts(points: Points) -> list[Points]:
    """The runs of a line between its gaps."""
    kept = np.asarray(np.isfinite(points).all(1))
    return [points[start:end] for start, end in _runs(kept) if end - start > 1]


def _simple(points: Points, tolerance: float = 0.2) -> Points:
    """The points without which the line would be another one (Ramer, Douglas & Peucker)."""
    if len(points) < 3:
        return points
    chord = points[-1] - points[0]
    length = float(np.hypot(*chord))
    away = points - points[0]
    off = np.abs(chord[0] * away[:, 1] - chord[1] * away[:, 0]) / length if length > 1e-9 else np.hypot(*away.T)
    far = int(off.argmax())
    if off[far] <= tolerance:
        return points[[0, -1]]
    return np.concatenate([_simple(points[: far + 1], tolerance)[:-1], _simple(points[far:], tolerance)])


def _path(points: Points, *, close: bool = False) -> str:
    if len(points) < 2 + close:
        return ""
    return "".join(f"{'L' if i else 'M'}{_number(x)} {_number(y)}" for i, (x, y) in enumerate(points)) + "z" * close


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


_DRAW = {"scatter": _scatter, "heatmap": _heatmap, "polygons": _polygons, "area": _area, "names": lambda *_: ""}
