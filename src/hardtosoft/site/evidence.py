"""What the page of claims says of each verdict: how it was checked, or numbers with n and interval from results."""

from __future__ import annotations

from collections.abc import Callable

from ..results import few_labels, risks, template_study
from ..results.beta_runs import beta_runs
from ..results.filter_controls import filter_controls
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
    controls = filter_controls()
    fitted, seeds = controls.minus("relu", "orthogonal", "none"), len(controls.settings["seeds"])
    return (
        f"Orthogonal minus free filters, points of accuracy, paired, 95 %: {'; '.join(parts)}. One small network, "
        "epochs too few to fit the photographs, best rates at the edge of the grid. A smaller one that fits, rates "
        f"inside the grid: ReLU {points(fitted)} ({seeds} seeds). Read from stored results, which no test makes again."
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


def few_labels_gains() -> str:
    """Five labels a class, rebuilding at three scales."""
    gains = ", ".join(
        f"{few_labels.title(data)} {points(gain)}"
        for file in few_labels.FILES
        for data, unit, labels, loss, gain in few_labels.gains(file)
        if (unit, labels, loss) == ("relu", 5, "multiscale")
    )
    return (
        f"Multiscale less labels alone, 5 labels a class, points, paired, 95 %: {gains} (10 seeds, uncorrected). "
        "With two classes nothing. Small networks, 250 steps; the papers’ 99.14 % on MNIST, and errors of 16.38 % on "
        "CIFAR-10 and 9.82 % on SVHN, are not reproduced."
    )


def attacks() -> str:
    """Flips within a certificate and beyond a linearised distance, and the penalty on slopes."""
    none, *pressed = risks.penalised(risks.SLOPES)
    (chosen,) = [each for each in pressed if each.strength == 3e-3]
    inside = max(run["flips_certified"] for run in none.runs)
    beyond = min(run["flips_linearised"]["1.2"] for run in none.runs)
    return (
        f"Digits: {100 * inside:.0f} % flipped within the certified radius, {100 * beyond:.0f} % or more at 1.2 times "
        f"the linearised distance. Penalty on slopes less none, right under attack, points, paired, 95 %: "
        f"{points(chosen.bands['attacked_0.5_minus_none'])} ({len(none.runs)} seeds). The slope alone says little: "
        "see R2."
    )


def flat_minima() -> str:
    """Slopes, and attacks, under a penalty on flatness."""
    none, *flat = risks.penalised(risks.FLATNESS)
    (chosen,) = [each for each in flat if each.strength == 1e-3]
    return (
        f"A flat first layer bounds slopes, exactly. A penalty on flatness takes the median slope from "
        f"{none.mean('slope'):.1f} to {chosen.mean('slope'):.1f}; right under attack, less none, points, paired, "
        f"95 %: {points(chosen.bands['attacked_0.5_minus_none'])} ({len(none.runs)} seeds). Attacks gain."
    )
