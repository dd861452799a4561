"""A photograph pooled at β, and the units in which its grey levels are counted."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from torch import Tensor

from betavq.functional import beta_max_pool2d

from ...drawing.looks import ACROSS_TO_1, UP_TO_1, blank
from ...interactive import palette
from ...interactive.axes import beta_axis, check_option, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, array, axis, dots, layout, line, picture
from ...interactive.names import label
from ...results.pooled import load_photograph
from .window import BETAS

SIZES = {"2 × 2": 2, "4 × 4": 4, "8 × 8": 8}
TOP = 10.0  # white, in the figure of the photograph
SCALES = {"0 to 1": 1.0, "0 to 10": TOP, "0 to 255": 255.0}
SCALE_STYLES = ((palette.GREEN, "dot"), (palette.ORANGE, "dash"), (palette.PURPLE, "dashdot"))
PIXELS = 96  # in each direction
ROW = 37  # of the photograph: the bright windows in the dark wall
LIGHT = [[0.0, "#101010"], [1.0, "#ffffff"]]  # a photograph stays one in the dark; ink and paper would swap


def pooled(window: int, beta: float, top: float = TOP) -> Tensor:
    """The photograph, its grey levels from 0 to ``top``, pooled in windows at β: as brightness in [0, 1]."""
    return beta_max_pool2d(top * load_photograph()[None], window, beta=beta)[0] / top


def photograph_frame(size: str, beta: float) -> Frame:
    """The photograph, the same pooled at β, and one row of both.

    Raises:
        ValueError: a size of windows that is not offered.
    """
    check_option("size", size, SIZES)
    window = SIZES[size]
    result = pooled(window, beta)
    spread, mean = result.std(correction=0).item(), result.mean().item()
    box = blank(PIXELS, PIXELS)
    original = Panel(
        title="The photograph",
        xlabel=f"{PIXELS} × {PIXELS} pixels",
        alt="A tower with three roofs before a bright sky, its walls dark, with a row of lit windows.",
        traces=[_light(load_photograph()), _row_mark(1)],
        layout=box,
        aspect=1.0,
    )
    whole = Panel(
        title=f"Windows of {size}",
        xlabel="blue: the row drawn below",
        alt=f"The tower in windows of {size} pixels at β = {beta:.2f}: {_looks(beta)}.",
        traces=[_light(_enlarged(result, window)), _row_mark(window)],
        layout=box,
        aspect=1.0,
    )
    readout = f"Brightness, 0 to 1: mean {mean:.3f}, spread {spread:.3f}. Black is 0 and white {TOP:.0f} where β acts."
    return Frame([original, whole, row_panel(window, beta, TOP)], readout)


def units_frame(scale: str, beta: float) -> Frame:
    """How far from mean to maximum the windows are at every β, in three units of brightness, and one row.

    Raises:
        ValueError: a scale that is not offered.
    """
    check_option("scale", scale, SCALES)
    top = SCALES[scale]
    curves = [
        line(f"levels {name}", (0.0, 0.01), way(each), colour, dash=dash, label=True)
        for (name, each), (colour, dash) in zip(SCALES.items(), SCALE_STYLES, strict=True)
    ]
    share = way_at(top, beta)
    from_mean_to_max = Panel(
        title="How far from the mean to the largest",
        xlabel="β",
        alt=f"With grey levels from {scale}, β = {beta:.2f} goes {100 * share:.0f} % of the way from mean to maximum; "
        "the larger the numbers, the earlier the way is gone.",
        traces=[*curves, dots("these levels, this β", [beta], [share], palette.INK, size=12, label="")],
        layout=layout(ACROSS_TO_1, UP_TO_1),
    )
    readout = f"Grey levels {scale}, β = {beta:.2f}: {100 * share:.1f} % of the way from the mean to the largest."
    return Frame([from_mean_to_max, row_panel(4, beta, top)], readout)


def row_panel(window: int, beta: float, top: float) -> Panel:
    """One row of the photograph: its pixels, and the windows over it at β, at the mean and at the maximum."""
    row = ROW // window
    mean, largest, now = (pooled(window, each, top)[row] for each in (0.0, 1.0, beta))
    told = label("largest", x=8), label("mean", x=88, side="s")
    return Panel(
        title="One row: its brightness",
        xlabel="pixel, from left to right",
        alt=f"In one row the windows at β = {beta:.2f} lie between their means and their largest pixels.",
        traces=[
            line("pixels", *_steps(load_photograph()[ROW], 1), palette.GREY, width=1, label=label("pixels", x=30)),
            line("largest", *_steps(largest, window), palette.INK, dash="dash", width=1.2, label=told[0]),
            line("mean", *_steps(mean, window), palette.INK, dash="dot", width=1.2, label=told[1]),
            line("at this β", *_steps(now, window), palette.BLUE, width=3, label=label("at this β", x=70)),
        ],
        layout=layout(axis(0, PIXELS, (0, 48, 96)), axis(-0.04, 1.04, (0, 0.5, 1), ("black", "½", "white"))),
    )


@cache
def way(top: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How far from mean to maximum the 4 × 4 windows are, together, at each of ``BETAS``: from 0 to 1."""
    return np.array([way_at(top, beta) for beta in BETAS.tolist()])


def way_at(top: float, beta: float) -> float:
    """The same at one β."""
    now, mean, largest = (pooled(4, each, top).mean().item() for each in (beta, 0.0, 1.0))
    return (now - mean) / (largest - mean)


def photograph_figure() -> InteractiveFigure:
    """The photograph, its windows and β."""
    caption = (
        "Move β from 0 to 1 with windows of 4 × 4 and look at the lit windows under the upper roof, where the blue "
        "line runs, and at the edges of the dark roofs. Bright things grow, dark ones shrink. In the row below, the "
        "blue steps never leave the range between the two broken lines."
    )
    size = choice("size", "Window", tuple(SIZES), start="4 × 4")
    return InteractiveFigure("photograph", photograph_frame, [size, beta_axis(0.1, plays=True)], caption=caption)


def units_figure() -> InteractiveFigure:
    """Three units of brightness on one slider."""
    caption = (
        "Leave β at ½ and change the grey levels. The picture is the same and so is β, but pooling goes from almost "
        "the mean to almost the maximum."
    )
    scale = choice("scale", "Grey levels", tuple(SCALES), start="0 to 1")
    return InteractiveFigure("units", units_frame, [scale, beta_axis(0.02)], caption=caption)


def _looks(beta: float) -> str:
    if beta == 0:
        return "each window is the mean of its pixels, soft and grey"
    if beta == 1:
        return "each window is its brightest pixel; bright things have grown and dark lines are gone"
    return "each window lies between its mean and its brightest pixel"


def _enlarged(levels: Tensor, window: int) -> Tensor:
    return levels.repeat_interleave(window, 0).repeat_interleave(window, 1)


def _light(levels: Tensor) -> Trace:
    return picture("pixels", levels.clamp(0, 1), (0.0, PIXELS), (0.0, PIXELS)) | {"colorscale": LIGHT}


def _row_mark(window: int) -> Trace:
    """A line along the middle of the row of windows, for the first row stands at the top."""
    height = PIXELS - (ROW // window + 0.5) * window
    return line("row", [0.0, PIXELS], [height] * 2, palette.BLUE, width=1.5, showlegend=False)


def _steps(levels: Tensor, width: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Flat steps of so many pixels, two points for every pixel whatever their width."""
    edges = np.repeat(np.arange(PIXELS + 1), 2)[1:-1].astype(float)
    return edges, np.repeat(array(levels), 2 * width)
