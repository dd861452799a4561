"""What orthogonal filters are worth on photographs: the accuracy of every network, and differences in pairs."""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numpy as np

from ...drawing.looks import even_ticks
from ...drawing.strokes import parted
from ...interactive import palette
from ...interactive.axes import choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, axis, dots, layout, line, path
from ...interactive.numbers import number
from ...results.filter_runs import CONSTRAINTS, FilterRuns, filter_runs
from ...results.stored import Band
from .similarity import KINDS, LOOKS, ORTHOGONAL, PENALISED, RELU, UNITS

CAP = 0.06  # half the width of what ends an interval


def interval(name: str, x: float, band: Band, colour: str) -> list[Trace]:
    """A mean with its interval, upright, in per cent."""
    low, mean, high = (100 * float(end) for end in (band.low, band.mean, band.high))
    gap = float("nan")
    across = [x - CAP, x + CAP, gap, x, x, gap, x - CAP, x + CAP]
    return [
        line(f"{name}, 95 % interval", across, [low, low, gap, low, high, gap, high, high], colour, width=2, label=""),
        dots(f"{name}, mean", [x], [mean], colour, symbol="square", size=11, label=""),
    ]


def gains_frame(unit: str) -> Frame:
    """Every seed on the left, what the constraints gain in pairs on the right."""
    found, activation = filter_runs("images"), UNITS[unit]
    places = dict(zip(KINDS, range(3), strict=True))
    accuracies = [[100 * a for a in found.accuracies(activation, constraint)] for constraint in CONSTRAINTS]
    by_seed = np.stack(np.broadcast_arrays(np.arange(3), np.transpose(accuracies)), axis=-1)
    levels = Panel(
        title="Right on test images, %",
        xlabel="filters",
        alt="; ".join(
            f"{name}: {100 * found.accuracy[activation, KINDS[name]].mean:.1f} % on average" for name in places
        )
        + ". A line joins the networks of one seed.",
        traces=[
            path("networks of one seed", parted(by_seed), palette.GREY, width=1.5, label=""),
            *(
                dots(name, [places[name]] * len(by_seed), accuracies[places[name]], LOOKS[name][0], size=8, label="")
                for name in places
            ),
        ],
        layout=layout(axis(-0.4, 2.4, (0, 1, 2), list(KINDS), grid=False), _accuracy_axis(found)),
    )
    gains = {name: found.minus_none[activation, KINDS[name]] for name in (PENALISED, ORTHOGONAL)}
    low = floor(min(0.0, *(100 * float(band.low) for band in found.minus_none.values())) - 0.5)
    top = ceil(max(100 * float(band.high) for band in found.minus_none.values()))
    pairs = Panel(
        title="More than free filters, points",
        xlabel="filters",
        alt=" ".join(f"{name.capitalize()}: {_words(band)}." for name, band in gains.items()),
        traces=[
            line("as free filters", [0.4, 2.6], [0, 0], palette.GREY, dash="dash", width=1.5, label=True),
            *(trace for name, band in gains.items() for trace in interval(name, places[name], band, LOOKS[name][0])),
        ],
        layout=layout(axis(0.4, 2.6, (1, 2), list(gains), grid=False), axis(low, top, even_ticks(low, top))),
    )
    said = "; ".join(f"{name} {_points(band)}" for name, band in gains.items())
    return Frame([levels, pairs], f"{unit}: {said} points.")


def gains_figure() -> InteractiveFigure:
    """ReLU or swish."""
    caption = (
        "On the left every dot is one network, and a line joins those that started from the same weights and saw the "
        "same images in the same order. On the right are their differences: the mean over the seeds, with its 95 % "
        "interval. Where an interval holds 0, we cannot tell. Then look at the other unit: is the answer the same?"
    )
    axes = [choice("unit", "Unit", tuple(UNITS), start=RELU)]
    return InteractiveFigure("gains", gains_frame, axes, caption=caption)


def _accuracy_axis(found: FilterRuns) -> dict[str, Any]:
    """The same for both units."""
    accuracies = [100 * run["accuracy"] for run in found.runs]
    low, high = floor(min(accuracies)), ceil(max(accuracies))
    return axis(low, high, even_ticks(low, high))


def _points(band: Band) -> str:
    return f"{number(100 * band.mean, signed=True)} ± {100 * band.half_width:.2f}"


def _words(band: Band) -> str:
    told = "the interval holds 0" if band.low <= 0 <= band.high else "the interval leaves 0 out"
    return f"{_points(band)} points, {told}"
