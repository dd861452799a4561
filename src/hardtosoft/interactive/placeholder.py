"""The picture of a panel before plotly: lines, points and ticks as plain HTML and SVG.

It is drawn in the same place and to the same ranges as plotly's plot, so that one follows the other without a jump,
and ``panel.js`` moves both from the same numbers. The drawing fills a box of 1000 by 1000 units that the browser
stretches; strokes keep their width on the screen.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from . import names
from .frames import DASHES, Panel, Trace

BOX = 1000


def plot(panel: Panel) -> str:
    """The plot area of ``panel``: canvases for heatmaps and polygons, grid, lines, points and tick labels."""
    maps = [trace for trace in panel.traces if trace["type"] == "heatmap"]
    kind = "hts-map" if all(trace["zsmooth"] for trace in maps) else "hts-map hts-pixels"
    canvas = f'<canvas class="{kind}"></canvas>' if maps else ""
    if any(trace["type"] == "polygons" for trace in panel.traces):
        canvas += '<canvas class="hts-polygons"></canvas>'
    shapes = "".join(_shape(index, trace, panel.layout) for index, trace in enumerate(panel.traces))
    areas = "".join(_area(index, trace, panel.layout) for index, trace in enumerate(panel.traces))
    box = f'<svg viewBox="0 0 {BOX} {BOX}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
    return (
        f'<div class="hts-area">{canvas}{f"{box}{areas}</svg>" if areas else ""}'
        f'<div class="hts-still">{_ticks(panel.layout)}{box}{_grid(panel.layout)}{shapes}</svg></div>'
        f"{names.spans(panel.traces, panel.layout)}</div>"
    )


def path_data(trace: Trace, layout: dict[str, Any]) -> str:
    """The SVG path of a trace in the box: a polyline with gaps at NaN, or a dot for each point."""
    x = trace["x"] if "x" in trace else trace["x0"] + trace["dx"] * np.arange(len(trace["y"]))
    across, up = _place(x, layout["xaxis"]["range"]), BOX - _place(trace["y"], layout["yaxis"]["range"])
    pieces, gap = [], True
    for a, b in zip(across, up, strict=True):
        if a != a or b != b:
            gap = True
        elif trace["mode"] == "markers":
            pieces.append(f"M{a:.0f} {b:.0f}h0")
        else:
            pieces.append(f"{'M' if gap else 'L'}{a:.0f} {b:.0f}")
            gap = False
    return "".join(pieces)


def swatch(trace: Trace) -> str:
    """A small sample of a trace for the legend; a dot is no larger than its box."""
    if trace["mode"] == "markers":
        trace = {**trace, "marker": {**trace["marker"], "size": min(trace["marker"]["size"], 11)}}
        return f'<svg viewBox="0 0 28 12" aria-hidden="true"><path d="M14 6h0" {_style(trace)}/></svg>'
    return f'<svg viewBox="0 0 28 12" aria-hidden="true"><path d="M1 6H27" {_style(trace)}/></svg>'


def _shape(index: int, trace: Trace, layout: dict[str, Any]) -> str:
    if trace["type"] != "scatter":
        return ""
    return f'<path data-trace="{index}" {_style(trace)} d="{path_data(trace, layout)}"/>'


def _area(index: int, trace: Trace, layout: dict[str, Any]) -> str:
    """A veil, which lies below plotly's drawing too."""
    if trace["type"] != "area":
        return ""
    style = f'style="fill:{escape(trace["fill"])}" fill-opacity="{trace["opacity"]}"'
    return f'<path data-trace="{index}" {style} d="{path_data(trace, layout)}"/>'


def _style(trace: Trace) -> str:
    if trace["mode"] == "markers":
        cap = "round" if trace["marker"]["symbol"] == "circle" else "square"
        stroke, width, dash = trace["marker"]["color"], trace["marker"]["size"], ""
    else:
        cap = "round" if trace["line"]["dash"] == "dot" else "butt"
        stroke, width, dash = trace["line"]["color"], trace["line"]["width"], DASHES[trace["line"]["dash"]]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'style="stroke:{escape(stroke)}" stroke-width="{width}" stroke-linecap="{cap}"{dashes}'


def _grid(layout: dict[str, Any]) -> str:
    paths = {"grid": "", "zero": ""}
    for ticks, span, line in (("xaxis", "x", "M{:.0f} 0V1000"), ("yaxis", "y", "M0 {:.0f}H1000")):
        axis = layout[ticks]
        for tick in axis["tickvals"]:
            if axis.get("zeroline" if tick == 0 else "showgrid", True):
                place = float(_place(tick, axis["range"]))
                paths["zero" if tick == 0 else "grid"] += line.format(place if span == "x" else BOX - place)
    return "".join(f'<path class="hts-{kind}" d="{d}"/>' for kind, d in paths.items() if d)


def _ticks(layout: dict[str, Any]) -> str:
    labels = []
    for axis, side, edge in (("xaxis", "left", "hts-tick-x"), ("yaxis", "bottom", "hts-tick-y")):
        for tick, text in zip(layout[axis]["tickvals"], layout[axis]["ticktext"], strict=True):
            place = float(_place(tick, layout[axis]["range"])) / BOX
            labels.append(f'<span class="{edge}" style="{side}:{place:.2%}">{escape(text)}</span>')
    return f'<div aria-hidden="true">{"".join(labels)}</div>'


def _place(values: Any, span: tuple[float, float]) -> Any:
    return (np.asarray(values, dtype=float) - span[0]) / (span[1] - span[0]) * BOX
