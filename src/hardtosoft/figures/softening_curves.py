"""Softened networks measured: accuracy, confidence and calibration against β, smoothings, noise and attacks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import palette
from ..axes import Axis, Value, choice
from ..frames import Frame, Panel, Trace, axis, dots, layout, line
from ..interactive import InteractiveFigure
from ..softened import HARD_POSITION, Measure, Softened, Which, load_softened, position

NETWORKS: dict[str, Which] = {"digits": "digits", "small photographs": "images", "published": "published"}
LABELS = "network", "Network"
BETA_TICKS = axis(
    -0.08,
    HARD_POSITION + 0.08,
    (*(position(beta) for beta in (0, 0.5, 0.9, 0.99, 0.999)), HARD_POSITION),
    ("0", "½", ".9", ".99", ".999", "1"),
)
FEW = 0.004  # of the images: bins with fewer are not drawn, their share right is chance
SMOOTHINGS = (
    ("value", "kept", "value", palette.BLUE, "solid"),
    ("value", "renewed", "value, statistics renewed", palette.GREEN, "dash"),
    ("free_energy", "kept", "free energy", palette.ORANGE, "dashdot"),
    ("curvature_tuning", "kept", "Curvature Tuning’s mix", palette.PURPLE, "dot"),
)


def near_one(start: float, low: float = 0.0) -> Axis:
    """A slider for β with most of its room near 1, where trained networks change: the grid of the experiment."""
    values = tuple(beta for beta in load_softened("digits").measure("accuracy").beta.tolist() if beta >= low)
    named: dict[Value, str] = {low: "softer" if low else "linear", 0.5: "soft", 0.9: "", 0.99: "", 1.0: "hard"}
    shown = {beta: name or f"{beta:g}" for beta, name in named.items() if beta in values}
    stops = tuple(beta for beta in values if beta in shown)
    return Axis("beta", "β of all units", values, start, shown, stops, lambda value: f"β = {float(value):.4g}")


def dial_frame(network: str, beta: float) -> Frame:
    """Accuracy and mean confidence against β, and how often each confidence is right at this one."""
    found = _found(network)
    accuracy, confidence, error = (found.measure(name) for name in ("accuracy", "confidence", "ece"))
    now = [100 * measure.at(beta) for measure in (accuracy, confidence, error)]
    curves = Panel(
        title="Right, and how sure, %",
        xlabel="β, with room near 1",
        alt=f"At β = {beta:.4g} {now[0]:.1f} % of test images are classified rightly; the mean confidence is "
        f"{now[1]:.1f} %. At β = 1 these are {100 * accuracy.level[-1]:.1f} % and "
        f"{100 * confidence.level[-1]:.1f} %.",
        traces=[
            *_interval(accuracy, palette.BLUE),
            _curve("right", accuracy, palette.BLUE, "solid"),
            _curve("mean confidence", confidence, palette.ORANGE, "dash"),
            dots("right at this β", [position(beta)], [now[0]], palette.BLUE, symbol="square", size=11),
            dots("confidence at this β", [position(beta)], [now[1]], palette.ORANGE, size=11),
        ],
        layout=layout(BETA_TICKS, axis(-3, 103, (0, 25, 50, 75, 100))),
    )
    share, sure, right = found.diagram(beta)
    drawn = share > FEW
    lean = now[1] - now[0]
    words = "surer than right" if lean > 1 else "less sure than right" if lean < -1 else "about as sure as right"
    diagram = Panel(
        title="Reliability: right against sure, %",
        xlabel="confidence, %",
        alt=f"At this β the network is {words} on average; its calibration error is {now[2]:.1f} %.",
        traces=[
            line("right as often as sure", [0, 100], [0, 100], palette.GREY, dash="dot", width=1.5),
            line(
                "images in the bin, %",
                np.repeat(100 * sure, 3),
                np.where(np.repeat(drawn, 3), np.outer(100 * share, [0, 1, np.nan]).ravel(), np.nan),
                palette.PURPLE,
                width=3,
            ),
            dots(
                "right in the bin",
                np.where(drawn, 100 * sure, np.nan),
                np.where(drawn, 100 * right, np.nan),
                palette.BLUE,
                symbol="square",
                size=8,
            ),
        ],
        layout=layout(axis(-3, 103, (0, 25, 50, 75, 100)), axis(-3, 103, (0, 25, 50, 75, 100))),
    )
    readout = (
        f"β = {beta:.4g}: {now[0]:.1f} % right, confidence {now[1]:.1f} %, calibration error {now[2]:.1f} %; "
        f"hard {100 * accuracy.level[-1]:.1f}, {100 * confidence.level[-1]:.1f}, {100 * error.level[-1]:.1f}."
    )
    return Frame([curves, diagram], readout)


def ways_frame(network: str, beta: float) -> Frame:
    """Three smoothings, and one with its batch statistics computed again: accuracy and loss against β."""
    found = _found(network)
    panels = []
    for title, name, unit, highest, ticks in (
        ("Right, %", "accuracy", 100.0, 103.0, (0, 25, 50, 75, 100)),
        ("Negative log-likelihood", "nll", 1.0, 3.1, (0, 1, 2, 3)),
    ):
        traces: list[Trace] = []
        numbers = []
        for smoothing, statistics, label, colour, dash in SMOOTHINGS:
            measure = found.measure(name, smoothing, statistics)
            level = np.where(unit * measure.level <= highest, unit * measure.level, np.nan)
            traces.append(line(label, measure.places, level, colour, dash=dash, width=2.5))
            if beta >= measure.beta[0]:
                numbers.append(unit * measure.at(beta))
                height = min(numbers[-1], highest)
            else:  # the free energy of β = 0 is infinite
                numbers.append(np.nan)
                height = np.nan
            symbol = "square" if statistics == "renewed" else "circle"
            traces.append(dots(f"{label}, at this β", [position(beta)], [height], colour, symbol=symbol, size=9))
        panels.append(
            Panel(
                title=title,
                xlabel="β, with room near 1",
                alt=f"{title} at β = {beta:.4g}: value {_told(numbers[0])}, with renewed statistics "
                f"{_told(numbers[1])}, free energy {_told(numbers[2])}, mix {_told(numbers[3])}.",
                traces=traces,
                layout=layout(BETA_TICKS, axis(-0.03 * highest, highest, ticks)),
            )
        )
    right = [found.measure("accuracy", one, other) for one, other, *_ in SMOOTHINGS]
    shown = [_told(100 * each.at(beta)) if beta >= each.beta[0] else "none" for each in right]
    readout = "Right at this β: value {} %, with renewed statistics {} %, free energy {} %, mix {} %."
    return Frame(panels, readout.format(*shown))


def robustness_frame(network: str, beta: float) -> Frame:
    """Accuracy with noise, and under attacks that follow gradients of the softened or of the hard network."""
    found = _found(network)
    names = [name for name in found.names() if name.startswith("noise")]
    sigmas = [float(name.split()[1]) for name in names]
    styles = ((palette.BLUE, "solid"), (palette.GREEN, "dash"), (palette.ORANGE, "dashdot"))
    labels = ["no noise", *(f"σ = {sigma:g} of white" for sigma in sigmas)]
    noisy = [found.measure(name) for name in ("accuracy", *names)]
    noise = Panel(
        title="Right with noise, %",
        xlabel="β, with room near 1",
        alt=_compared("With noise", noisy[-1], beta),
        traces=_at(beta, zip(labels, noisy, styles, strict=True)),
        layout=layout(BETA_TICKS, axis(-3, 103, (0, 25, 50, 75, 100))),
    )
    attacked = [found.measure(name) for name in ("own pgd", "transferred pgd", "worst pgd")]
    kinds = ["its own gradients", "the hard network’s", "both withstood"]
    looks = ((palette.BLUE, "solid"), (palette.ORANGE, "dash"), (palette.PURPLE, "dot"))
    attack = Panel(
        title="Right under attack, %",
        xlabel="β, with room near 1",
        alt=_compared("Under both attacks", attacked[-1], beta),
        traces=_at(beta, zip(kinds, attacked, looks, strict=True)),
        layout=layout(BETA_TICKS, axis(-3, 103, (0, 25, 50, 75, 100))),
    )
    worst = attacked[-1]
    readout = (
        f"β = {beta:.4g}: {100 * noisy[-1].at(beta):.1f} % right at {labels[-1]} (hard {100 * noisy[-1].level[-1]:.1f}); "
        f"{100 * worst.at(beta):.1f} % withstand both attacks (hard {100 * worst.level[-1]:.1f})."
    )
    return Frame([noise, attack], readout)


def _at(beta: float, curves: object) -> list[Trace]:
    traces: list[Trace] = []
    for number, (label, measure, (colour, dash)) in enumerate(curves):  # type: ignore[arg-type]
        traces.append(_curve(label, measure, colour, dash))
        inside = beta >= measure.beta[0]
        height = [100 * measure.at(beta) if inside else np.nan]
        symbol = "square" if number % 2 else "circle"
        traces.append(dots(f"{label}, at this β", [position(beta)], height, colour, symbol=symbol, size=9))
    return traces


def _compared(what: str, measure: Measure, beta: float) -> str:
    now, hard = 100 * measure.at(beta), 100 * measure.level[-1]
    return f"{what}, {now:.1f} % are right at β = {beta:.4g} and {hard:.1f} % at β = 1."


def _found(network: str) -> Softened:
    if network not in NETWORKS:
        raise ValueError(f"network must be one of {', '.join(NETWORKS)}, got {network!r}")
    return load_softened(NETWORKS[network])


def _curve(name: str, measure: Measure, colour: str, dash: str) -> Trace:
    return line(name, measure.places, 100 * measure.level, colour, dash=dash, width=3)


def _interval(measure: Measure, colour: str) -> list[Trace]:
    """Where the accuracy would be if softening changed nothing but by chance."""
    ends = (measure.low, measure.high)
    return [line("hard ± 95 % of the difference", measure.places, 100 * end, colour, width=0.8) for end in ends]


def _told(number: float) -> str:
    return "not finite" if np.isnan(number) else f"{number:.4g}"


def _figure(
    name: str, function: Callable[..., Frame], start: float, caption: str, network: str, low: float = 0.0
) -> InteractiveFigure:
    networks = choice("network", "Network", tuple(NETWORKS), start=network)
    return InteractiveFigure(name, function, [networks, near_one(start, low)], caption=caption)
