"""What the page of claims says of each verdict: how it was checked, or numbers with n and interval from results."""

from __future__ import annotations

from collections.abc import Callable

from ..results import template_study
from ..results.beta_runs import beta_runs
from ..results.filter_runs import filter_runs
from ..results.mended import mended
from ..results.softened import load_softened
from ..results.stored import Band


def said(words: str) -> Callable[[], str]:
    """Words that hold no number of a result file."""
    return lambda: words


def points(band: Band) -> str:
    """A difference of accuracies with the half-width of its 95 % interval."""
    return f"{100 * float(band.mean):+.2f} ± {100 * float(band.half_width):.2f}".replace("-", "−")


def orthogonal_filters() -> str:
    """Of the first experiment; its stored results are read, and not made again by a test."""
    parts = []
    for data, name in (("images", "photographs"), ("digits", "digits")):
        found = filter_runs(data)
        gains = ", ".join(f"{unit} {points(found.minus_none[unit, 'orthogonal'])}" for unit in ("relu", "swish"))
        parts.append(f"{name} {gains} ({len(found.settings['seeds'])} seeds)")
    return (
        f"Orthogonal minus free filters, points of accuracy, paired, 95 %: {'; '.join(parts)}. One small network, "
        "epochs too few to fit the photographs, best rates at the edge of the grid. Read from stored results, which "
        "no test makes again."
    )


def swish_minus_relu() -> str:
    """With all three kinds of filters."""
    found = filter_runs("images")
    words = {"none": "free", "penalty": "penalised", "orthogonal": "orthogonal"}
    gaps = ", ".join(f"{words[kind]} {points(band)}" for kind, band in found.swish_minus_relu.items())
    return (
        f"Swish (β = ½) minus ReLU on photographs, by filters, points, paired, 95 %: {gaps} "
        f"({len(found.settings['seeds'])} seeds, rates chosen apart, three intervals, uncorrected). One small network."
    )


def learned_beta() -> str:
    """One β a layer and one a channel, less the fixed ½."""
    found = beta_runs("images")
    gains = ", ".join(
        f"{words} {points(found.minus_soft[kind, 0.5, 'attached'])}"
        for kind, words in (("shared", "one a layer"), ("channel", "one a channel"))
    )
    return (
        f"Gradients checked by tests. Learned β minus fixed ½ on photographs, points, paired, 95 %: {gains} "
        f"({len(found.settings['seeds'])} seeds, two intervals, uncorrected)."
    )


def template_penalty() -> str:
    """All strengths that were tried."""
    others = template_study.penalised()[1:]
    gains = ", ".join(f"{points(each.accuracy_minus_none)}" for each in others)
    seeds = len(template_study.settings()["seeds"])
    return (
        f"{len(others)} penalties less none, points, paired, 95 %: {gains} ({seeds} seeds, uncorrected); all hold 0."
    )


def softened_attacks() -> str:
    """As they are at β = .8415, and with matched moments at ½: who withstands both attacks."""
    parts = []
    for which, name in (("digits", "digits"), ("images", "photographs"), ("published", "published network")):
        measure = load_softened(which).measure("worst pgd")
        hard = measure.level[-1]
        low, gap, high = (100 * (part[0] - hard) for part in (measure.low, measure.level, measure.high))
        parts.append(f"{name} {gap:+.1f} ({low:+.1f} to {high:+.1f})")
    matched = ", ".join(
        f"{name} {mended(which).gap('worst pgd', 'matched')}"
        for which, name in (("digits", "digits"), ("images", "photographs"))
    )
    return (
        f"Right under both attacks less hard, points, 95 %. At β = .84: {', '.join(parts)}. At ½, moments matched: "
        f"{matched}. No training, small networks, attacks of few steps; uncorrected."
    ).replace("-", "−")
