"""Where β goes as networks learn it, and the curves that one hidden layer fits with it."""

from __future__ import annotations

import numpy as np
import torch

from ...drawing.looks import ACROSS_TO_1, UP_TO_1
from ...drawing.strokes import upright
from ...interactive import palette
from ...interactive.axes import Axis, Value, check_option, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line, path
from ...interactive.overlays import area
from ...results.beta_runs import CurveFit, Setting, beta_runs, curve_fits

LAYERS = ("first layer", "second", "third")
LOOKS = ((palette.BLUE, "solid", "circle"), (palette.ORANGE, "dash", "square"), (palette.GREEN, "dot", "circle"))
SHARED, CHANNEL = "one a layer", "one a channel"
LEARNED = {SHARED: "shared", CHANNEL: "channel"}
CODES = ("attached", "detached")

CURVES = {"cos 2x": "cosine", "exp(−x²)": "bump"}
TRUTHS = {"cos 2x": lambda x: torch.cos(2 * x), "exp(−x²)": lambda x: torch.exp(-(x**2))}
WIDTHS = {"15 units": 15, "25": 25, "35": 35}
WAYS = {
    "β = 0.5": "0.5",
    "0.62": "0.62",
    "0.75": "0.75",
    "0.87": "0.87",
    "0.99": "0.99",
    "learned, one": "shared",
    "learned, each": "unit",
}
END, POINTS = 6.0, 241
X = torch.linspace(-END, END, POINTS, dtype=torch.float64)


def epochs() -> int:
    """How many times the networks see all images."""
    return int(beta_runs("images").settings["epochs"])


def where_frame(epoch: float, learned: str, code: str) -> Frame:
    """Mean β of each layer over the epochs, over the seeds; and every β of the first seed after this one."""
    found, setting, count = beta_runs("images"), _setting(learned, code), epochs()
    at = min(max(round(epoch), 0), count)
    means, betas = found.mean[setting], found.by_epoch(setting)
    now = [means.mean[layer][at] for layer in range(len(LAYERS))]
    ways = Panel(
        title="β of each layer, mean over seeds",
        xlabel="epochs",
        alt=f"From ½ the mean β of the layers ends at {_list(means.mean[:, -1])}.",
        traces=[
            *(
                area(f"{name}, interval", range(count + 1), means.low[i], means.high[i], LOOKS[i][0])
                for i, name in enumerate(LAYERS)
            ),
            *(
                line(name, (0, 1), means.mean[i], LOOKS[i][0], dash=LOOKS[i][1], label=True)
                for i, name in enumerate(LAYERS)
            ),
            *(
                dots(f"{name}, now", [at], [now[i]], LOOKS[i][0], symbol=LOOKS[i][2], size=9, label="")
                for i, name in enumerate(LAYERS)
            ),
        ],
        layout=layout(axis(-0.02 * count, 1.02 * count, range(0, count + 1, count // 5)), UP_TO_1),
    )
    spread = [float(np.std(layer[at])) for layer in betas]
    each = Panel(
        title="Every β of one network, in order",
        xlabel="share of the channels",
        alt=f"After {at} epochs of one network β is {_list(layer[at].mean() for layer in betas)} on average in the "
        f"three layers; its standard deviation over the channels is {_list(spread)}.",
        traces=[
            line(name, *_sorted(betas[i][at]), LOOKS[i][0], dash=LOOKS[i][1], label=True)
            for i, name in enumerate(LAYERS)
        ],
        layout=layout(ACROSS_TO_1, UP_TO_1),
    )
    return Frame([ways, each], f"After {at} of {count} epochs, mean β: {_list(now)}.")


def where_figure() -> InteractiveFigure:
    """A slider over the epochs; what is learned, and whether the code is attached."""
    count = epochs()
    named: dict[Value, str] = {0.0: "start", float(count): "end"}
    values: tuple[Value, ...] = tuple(float(epoch) for epoch in range(count + 1))
    axes = [
        Axis("epoch", "Epochs learned", values, float(count), named, say=lambda value: f"{float(value):.0f}"),
        choice("learned", "β learned", tuple(LEARNED), start=CHANNEL),
        choice("code", "Code in the backward pass", CODES, start="attached"),
    ]
    caption = (
        "Start with one β a channel. On the right all channels of a layer stand in order; move the epochs and watch "
        "the steps fan out from ½. How far do they go, and which way? Then let each layer share one β: it moves "
        "faster, for all its units pull at it, and its intervals on the left say how much seeds differ."
    )
    return InteractiveFigure("where-beta-goes", where_frame, axes, caption=caption)


def fit_frame(way: str, curve: str, width: str, code: str) -> Frame:
    """One fit of the first seed, and the errors of all ways to treat β."""
    for name, value, names in (("way", way, WAYS), ("curve", curve, CURVES), ("width", width, WIDTHS)):
        check_option(name, value, names)
    fits = {name: curve_fits()[CURVES[curve], WIDTHS[width], key, code] for name, key in WAYS.items()}
    fit, truth = fits[way], TRUTHS[curve](X)
    drawn, grid = fit(X), (-END, 2 * END / (POINTS - 1))
    picture = Panel(
        title="The fit of one network",
        xlabel="x",
        alt=f"{curve} and what one network with {width.removesuffix(' units')} units makes of it; "
        f"root mean squared error {_error(float(fit.error.mean))} over the seeds.",
        traces=[
            line("curve", grid, truth, palette.GREY, dash="dash", width=2, label=curve),
            line("fit", grid, drawn, palette.BLUE, width=4, label=True),
        ],
        layout=layout(axis(-END, END, (-6, -3, 0, 3, 6)), axis(-1.6, 1.6, (-1, 0, 1))),
    )
    return Frame([picture, _errors(fits, way, code)], f"{way}: error {_error(float(fit.error.mean))} {_half(fit)}.")


def _errors(fits: dict[str, CurveFit], way: str, code: str) -> Panel:
    places = range(len(fits))
    low, high = ([float(getattr(fit.error, end)) for fit in fits.values()] for end in ("low", "high"))
    best = min(fits, key=lambda name: float(fits[name].error.mean))
    here = list(fits).index(way)
    return Panel(
        title="Error, twenty networks each",
        xlabel="β, fixed or learned",
        alt=f"With {code} codes the smallest mean error is that of {best}.",
        traces=[
            path("95 % intervals", upright(places, low, high), palette.GREY, width=2, label=""),
            dots(
                "mean",
                list(places),
                [fit.error.mean for fit in fits.values()],
                palette.GREY,
                symbol="square",
                label="",
            ),
            dots("this one", [here], [fits[way].error.mean], palette.BLUE, size=12, label=True),
        ],
        layout=layout(
            axis(-0.4, 6.4, places, (".5", ".62", ".75", ".87", ".99", "one", "each"), grid=False),
            axis(-3.1, 0.1, (-3, -2, -1, 0), ("0.001", "0.01", "0.1", "1")),
        ),
    )


def fit_figure() -> InteractiveFigure:
    """Curves, widths, ways to treat β, and codes."""
    axes = [
        choice("way", "β", tuple(WAYS), start="learned, each"),
        choice("curve", "Curve", tuple(CURVES), start="cos 2x"),
        choice("width", "Hidden layer", tuple(WIDTHS), start="25"),
        choice("code", "Code in the backward pass", CODES, start="attached"),
    ]
    caption = (
        "Go through the β in order, then the learned ones. At ½ this network misses swings of the cosine, at .99 it "
        "has corners. On the right are the errors of twenty networks each, on a scale of powers of ten. Below you see "
        "that it is not for want of hardness that ½ falls behind."
    )
    return InteractiveFigure("curve-fits", fit_frame, axes, caption=caption)


def _setting(learned: str, code: str) -> Setting:
    check_option("learned", learned, LEARNED)
    check_option("code", code, CODES)
    return LEARNED[learned], 0.5, code


def _sorted(betas: object) -> tuple[np.ndarray, np.ndarray]:
    """The channels in order, as a curve over 0 to 1 of always as many points."""
    ordered = np.sort(np.asarray(betas, dtype=float))
    shares = np.linspace(0, 1, 65)
    places = np.minimum((shares * len(ordered)).astype(int), len(ordered) - 1)
    return shares, ordered[places]


def _list(numbers: object) -> str:
    return ", ".join(f"{float(number):.2f}" for number in numbers)  # type: ignore[attr-defined]


def _error(log_error: float) -> str:
    return f"{10**log_error:.2g}"


def _half(fit: CurveFit) -> str:
    """The interval of a mean of logarithms, as a factor."""
    return f"(times or over {10 ** float(fit.error.half_width):.1f})"
