"""Softened networks measured: accuracy, confidence and calibration against β, smoothings, noise and attacks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...interactive import palette
from ...interactive.axes import Axis, Value, check_option, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, Trace, axis, dots, layout, line
from ...interactive.overlays import area
from ...results.softened import Measure, Softened, Which, load_softened

NETWORKS: dict[str, Which] = {"digits": "digits", "small photographs": "images", "published": "published"}
ACROSS = axis(-0.02, 1.02, (0, 0.25, 0.5, 0.75, 1), ("0", "¼", "½", "¾", "1"))
PERCENT = axis(-3, 103, (0, 25, 50, 75, 100))
#: Attacks were measured at the larger β only.
ATTACKED = axis(0.83, 1.005, (0.85, 0.9, 0.95, 1))
XLABEL = "β; dots: measured"
FEW = 0.004  # of the images: the share right of a bin with fewer is chance, so it is not drawn
MOST_LOSS = 3.0
WAYS = (
    ("value", "value", "kept", palette.BLUE, "solid"),
    ("value, statistics renewed", "value", "renewed", palette.GREEN, "dash"),
    ("free energy", "free_energy", "kept", palette.ORANGE, "dashdot"),
    ("Curvature Tuning’s mix", "curvature_tuning", "kept", palette.PURPLE, "dot"),
)
NOISE_STYLES = ((palette.BLUE, "solid"), (palette.GREEN, "dash"), (palette.GREY, "dot"))
ATTACK_STYLES = ((palette.ORANGE, "dash"), (palette.PURPLE, "dashdot"), (palette.INK, "dot"))
Curve = tuple[str, Measure, str, str]


def near_one(start: float) -> Axis:
    """A slider for β at the places of the experiment, which are closer near 1, where trained networks change."""
    values = tuple(load_softened("digits").measure("accuracy").beta.tolist())
    named: dict[Value, str] = {0.0: "linear", 0.5: "soft", 1.0: "hard"}
    return Axis("beta", "β of all units", values, start, named, _say)


def dial_frame(network: str, beta: float) -> Frame:
    """Accuracy and mean confidence against β, and how often each confidence is right at this one."""
    found = measured(network)
    accuracy, confidence, error = (found.measure(name) for name in ("accuracy", "confidence", "ece"))
    right, sure, gap = (100 * measure.at(beta) for measure in (accuracy, confidence, error))
    ends = [100 * measure.level[-1] for measure in (accuracy, confidence, error)]
    curves = Panel(
        title="Right, and how sure, %",
        xlabel=_counted(found),
        alt=f"At β = {beta:.4g} {right:.1f} % of test images are classified correctly and the mean confidence is "
        f"{sure:.1f} %; at β = 1, {ends[0]:.1f} % and {ends[1]:.1f} %.",
        traces=[
            *_curves(
                beta,
                [
                    ("right", accuracy, palette.BLUE, "solid"),
                    ("mean confidence", confidence, palette.ORANGE, "dash"),
                ],
                unit=100,
            ),
        ],
        layout=layout(ACROSS, PERCENT),
    )
    readout = (
        f"β = {beta:.4g}: {right:.1f} % right, confidence {sure:.1f} %, calibration error {gap:.1f} %. "
        f"Hard: {ends[0]:.1f}, {ends[1]:.1f}, {ends[2]:.1f}."
    )
    return Frame([curves, _reliability(found, beta, sure - right, gap)], readout)


def _reliability(found: Softened, beta: float, lead: float, error: float) -> Panel:
    """The share right in every bin of confidence, over how many images the bin holds."""
    share, sure, right = (100 * part for part in found.diagram(beta))
    drawn = share > 100 * FEW
    stems = np.column_stack([np.zeros_like(share), share, np.full_like(share, np.nan)])
    stems[~drawn] = np.nan
    words = (
        "surer than it is right" if lead > 1 else "less sure than it is right" if lead < -1 else "sure as it is right"
    )
    return Panel(
        title="Right when so sure, %",
        xlabel="confidence, %",
        alt=f"On the whole the network is {'as ' * (abs(lead) <= 1)}{words}: its calibration error is {error:.1f} %.",
        traces=[
            line(
                "right as often as sure",
                [0, 100],
                [0, 100],
                palette.GREY,
                dash="dot",
                width=1.5,
                label="as often as sure",
            ),
            line(
                "images in the bin",
                np.repeat(sure, 3),
                stems.ravel(),
                palette.PURPLE,
                width=3,
                label="images in the bin",
            ),
            dots(
                "right in the bin",
                np.where(drawn, sure, np.nan),
                np.where(drawn, right, np.nan),
                palette.BLUE,
                symbol="square",
                size=8,
                label="right",
            ),
        ],
        layout=layout(PERCENT, PERCENT),
    )


def ways_frame(network: str, beta: float) -> Frame:
    """Three smoothings, and one with its batch statistics computed again: accuracy and loss against β."""
    found = measured(network)
    accuracies, losses = (
        [(label, found.measure(name, smoothing, statistics), colour, dash)
         for label, smoothing, statistics, colour, dash in WAYS]
        for name in ("accuracy", "nll")
    )  # fmt: skip
    right = [_told(measure, beta, 100) for _, measure, _, _ in accuracies]
    loss = [_told(measure, beta, 1) for _, measure, _, _ in losses]
    told = "value {}, with renewed statistics {}, free energy {}, mix {}"
    panels = [
        Panel(
            title="Right, %",
            xlabel=_counted(found),
            alt=f"Right at β = {beta:.4g}, in %: {told.format(*right)}.",
            traces=_curves(beta, accuracies, unit=100),
            layout=layout(ACROSS, PERCENT),
        ),
        Panel(
            title="Loss on test images",
            xlabel=_counted(found),
            alt=f"Negative log-likelihood at β = {beta:.4g}: {told.format(*loss)}.",
            traces=_curves(beta, losses, unit=1, highest=MOST_LOSS),
            layout=layout(ACROSS, axis(-0.09, 1.03 * MOST_LOSS, (0, 1, 2, 3))),
        ),
    ]
    return Frame(panels, f"β = {beta:.4g}, right in %: {told.format(*right)}.")


def robustness_frame(network: str, beta: float) -> Frame:
    """Accuracy with noise, and under attacks that follow gradients of the softened or of the hard network."""
    found = measured(network)
    names = [name for name in found.names() if name.startswith("noise")]
    noisy = [found.measure(name) for name in ("accuracy", *names)]
    labels = ["no noise", *(f"noise, σ = {float(name.split()[1]):g}" for name in names)]
    attacked = [found.measure(name) for name in ("own pgd", "transferred pgd", "worst pgd")]
    kinds = ("attack on itself", "attack on the hard one", "both withstood")
    panels = [
        Panel(
            title=title,
            xlabel=_counted(found, part),
            alt=f"{what}, {_told(worst, beta, 100)} % right at β = {beta:.4g}, {100 * worst.level[-1]:.1f} % at 1.",
            traces=_curves(
                beta,
                [(label, measure, *style) for label, measure, style in zip(words, curves, styles, strict=True)],
                unit=100,
            ),
            layout=layout(across, PERCENT),
        )
        for part, title, what, worst, words, curves, styles, across in (
            ("noisy", "Right with noise, %", f"With {labels[-1]}", noisy[-1], labels, noisy, NOISE_STYLES, ACROSS),
            (
                "attacked",
                "Right under attack, %",
                "Under both attacks",
                attacked[-1],
                kinds,
                attacked,
                ATTACK_STYLES,
                ATTACKED,
            ),
        )
    ]
    readout = (
        f"β = {beta:.4g}: {_told(noisy[-1], beta, 100)} % right with the most noise, "
        f"{_told(attacked[-1], beta, 100)} % withstand both attacks. "
        f"Hard: {100 * noisy[-1].level[-1]:.1f} % and {100 * attacked[-1].level[-1]:.1f} %."
    )
    return Frame(panels, readout)


def measured(network: str) -> Softened:
    """What was measured of a network by the name in the figures.

    Raises:
        ValueError: no such network.
    """
    check_option("network", network, NETWORKS)
    return load_softened(NETWORKS[network])


def _counted(found: Softened, part: str = "") -> str:
    """Below an axis: what dots are, and of how many networks and images."""
    seeds, images = len(found.settings["seeds"]), found.settings["images"]["test"]
    most = found.settings[part][1] if part else images
    networks = "1 network" if seeds == 1 else f"{seeds} networks"
    return f"{XLABEL}; n = {networks} × {min(most, images)} images"


def _curves(beta: float, curves: Iterable[Curve], *, unit: float, highest: float = np.inf) -> list[Trace]:
    """Lines over all β with their intervals, a dot where each was measured, and a large one at this β."""
    veils: list[Trace] = []
    traces: list[Trace] = []
    for number, (name, measure, colour, dash) in enumerate(curves):
        level, low, high = (_below(unit * part, highest) for part in (measure.level, measure.low, measure.high))
        veils.append(area(f"{name}, 95 % interval", measure.beta, low, high, colour, opacity=0.12))
        traces.append(line(name, measure.beta, level, colour, dash=dash, label=True))
        traces.append(dots(f"{name}, measured", measure.beta, level, colour, size=5, label=""))
        height = unit * measure.at(beta) if beta >= measure.beta[0] else np.nan
        symbol = ("circle", "square")[number % 2]
        mark = _below(np.array([height]), highest)
        traces.append(dots(f"{name}, now", [beta], mark, colour, symbol=symbol, size=11, label=""))
    return [*veils, *traces]


def _below(levels: Array, highest: float) -> Array:
    return np.where(levels > highest, np.nan, levels)


def _told(measure: Measure, beta: float, unit: float) -> str:
    return "not measured" if beta < measure.beta[0] else f"{unit * measure.at(beta):.{1 if unit == 100 else 2}f}"


def _say(value: Value) -> str:
    return f"β = {float(value):.4g}"


def _network(start: str) -> Axis:
    return choice("network", "Network", tuple(NETWORKS), start=start)


def dial_figure() -> InteractiveFigure:
    """Accuracy, confidence and reliability."""
    caption = (
        "Start at β = 0.9 and move down, then up. On the left are shares of test images, each with "
        "the 95 % interval of its difference from the hard network. On the right a square above the dotted "
        "line is a bin in which the network is right more often than it is sure. Choose the published network: it "
        "lies below."
    )
    return InteractiveFigure(
        "softened-networks", dial_frame, [_network("small photographs"), near_one(0.9)], caption=caption
    )


def ways_figure() -> InteractiveFigure:
    """Smoothings and statistics."""
    caption = (
        "Move β up from 0.6. Of the three smoothings with kept statistics the mix is the first to recover on "
        "digits. The green dashes are the value again, its statistics computed anew. Losses above 3 are not "
        "drawn."
    )
    return InteractiveFigure("softened-ways", ways_frame, [_network("digits"), near_one(0.6019)], caption=caption)


def robustness_figure() -> InteractiveFigure:
    """Noise and attacks."""
    caption = (
        "Move β down from 0.94. Under attack, the dotted curve never rises above its right end. Then choose the "
        "published network and look at the noise: there its curves rise before they fall. Attacks were tried at "
        "the larger β only."
    )
    axes = [_network("small photographs"), near_one(0.9369)]
    return InteractiveFigure("softened-robustness", robustness_frame, axes, caption=caption)
