"""What two penalties do to accuracy, to attacks and to slopes."""

from __future__ import annotations

from math import log2

import numpy as np

from ...interactive import palette
from ...interactive.axes import Axis, Value, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, axis, dots, layout, line
from ...interactive.names import label
from ...interactive.numbers import number, short
from ...interactive.overlays import area
from ...results import risks
from ...results.risks import FLATNESS, SLOPES, Penalised
from ...results.stored import Band

PENALTIES = {"slopes": SLOPES, "flatness": FLATNESS}
STRENGTHS = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
TICKS = ("0", "", "3e−4", "", ".003", "", ".03")
CURVES = (("accuracy", "no attack", palette.ORANGE, "dash"), ("attacked_0.5", "attack of ½", palette.BLUE, "solid"))


def penalty_frame(penalty: str, strength: float) -> Frame:
    """Accuracies over λ on the left, the histogram of slopes at this λ on the right."""
    found = risks.penalised(PENALTIES[penalty])
    place = STRENGTHS.index(strength)
    now, none = found[place], found[0]
    level = {name: 100 * float(now.bands[name].mean) for name, *_ in CURVES}
    left = Panel(
        title="Right on test digits, %",
        xlabel=f"λ of the penalty on {penalty}",
        alt=f"At λ = {short(strength)}: {level['accuracy']:.1f} %, under attack {level['attacked_0.5']:.1f} %.",
        traces=[trace for curve in CURVES for trace in _curve(found, place, *curve)],
        layout=layout(axis(-0.2, 6.2, range(7), TICKS), axis(0, 104, (0, 25, 50, 75, 100))),
    )
    readout = (
        f"λ = {short(strength)}: right {number(level['accuracy'], 1)} %, under attack "
        f"{number(level['attacked_0.5'], 1)} %. Median slope {number(now.mean('slope'), 1)} "
        f"(none: {number(none.mean('slope'), 1)}), linearised distance {number(now.mean('linearised'))} "
        f"(none: {number(none.mean('linearised'))})."
    )
    return Frame([left, _slopes_panel(now, none)], readout)


def _curve(found: list[Penalised], place: int, name: str, words: str, colour: str, dash: str) -> list[Trace]:
    bands: list[Band] = [each.bands[name] for each in found]
    low, mean, high = ([100 * float(getattr(band, end)) for band in bands] for end in ("low", "mean", "high"))
    return [
        area(f"{words}, 95 % interval", range(7), low, high, colour, opacity=0.12),
        line(words, range(7), mean, colour, dash=dash, label=label(words, x=1)),
        dots(f"{words}, now", [place], [mean[place]], colour, size=12, label=""),
    ]


def _slopes_panel(now: Penalised, none: Penalised) -> Panel:
    edges = [log2(edge) for edge in risks.edges()]
    x = np.repeat(edges, 2)[1:-1]
    ticks = (0, 2, 4, 6)

    def share(each: Penalised) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.repeat(100 * each.slopes / each.slopes.sum(), 2)

    return Panel(
        title="Slopes at test digits, %",
        xlabel="slope ‖A[x]‖",
        alt=f"The median slope is {number(now.mean('slope'), 1)}, without a penalty {number(none.mean('slope'), 1)}.",
        traces=[
            area("slopes at this λ", x, np.zeros_like(x), share(now), palette.BLUE, opacity=0.2),
            line("without a penalty", x, share(none), palette.GREY, dash="dash", width=2, label=label("none", x=4.4)),
            line("at this λ", x, share(now), palette.BLUE, label=""),
        ],
        layout=layout(
            axis(edges[0], edges[-1], ticks, [str(2**tick) for tick in ticks]), axis(0, 90, (0, 30, 60, 90))
        ),
    )


def _say(value: Value) -> str:
    return f"λ = {short(value)}"


def penalty_figure() -> InteractiveFigure:
    """Penalty and strength."""
    axes = [
        choice("penalty", "Penalty on", tuple(PENALTIES), start="slopes"),
        Axis("strength", "strength λ", STRENGTHS, 3e-3, {0.0: "none"}, _say),
    ]
    caption = (
        "Start at λ = 0 and move right: the slopes move left, and the lower curve on the left tells how many digits "
        "are still right after an attack of radius ½. Then choose flatness: slopes fall here too. Do attacks?"
    )
    return InteractiveFigure("slope-penalty", penalty_frame, axes, caption=caption)
