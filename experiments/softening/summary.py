"""What the pieces of ``experiments.softening`` say: curves over β, β chosen on validation images, paired intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax  # type: ignore[import-untyped]

from experiments.softening.measures import Calibration

Floats = NDArray[np.float64]
Found = dict[str, NDArray[Any]]
RESAMPLES, SEED_OF_RESAMPLES = 1000, 0
#: What β may be chosen by, and whether the largest value is the best.
CRITERIA = {"accuracy": True, "nll": False, "ece": False, "noise": True, "attack": True}


@dataclass(frozen=True)
class Judged:
    """Some networks at one β on one part of the images: each measure by network and image, ``(networks, images)``.

    Args:
        found: what was kept of each network.
        labels: of all images of the part.
        part: validation or test.
    """

    found: Sequence[Found]
    labels: NDArray[np.int64]
    part: str
    cache: dict[str, Floats] = field(default_factory=dict, repr=False)

    @cached_property
    def log_probabilities(self) -> Floats:
        """Of every class, ``(networks, images, classes)``."""
        logits = np.stack([found[f"logits {self.part}"] for found in self.found]).astype(np.float64)
        logged: Floats = log_softmax(logits, axis=-1)
        return logged

    def images(self, measure: str) -> Floats:
        """A measure that is a mean over images, for each of them.

        ``accuracy``; ``nll``, the negative log-probability of the label; ``confidence``, the largest probability; else
        the share right under noise or an attack, by its name.
        """
        logged = self.log_probabilities
        labels = self.labels[: logged.shape[1]]
        match measure:
            case "accuracy":
                right: Floats = (logged.argmax(-1) == labels).astype(np.float64)
                return right
            case "nll":
                losses: Floats = -np.take_along_axis(logged, labels[None, :, None], -1)[..., 0]
                return losses
            case "confidence":
                largest: Floats = np.exp(logged.max(-1))
                return largest
        return np.stack([found[f"{measure} {self.part}"] for found in self.found]).astype(np.float64)

    def calibrations(self, *, even_counts: bool) -> list[Calibration]:
        """One for each network."""
        pairs = zip(self.images("confidence"), self.images("accuracy") > 0, strict=True)
        return [Calibration(confidence, right, even_counts=even_counts) for confidence, right in pairs]

    def level(self, measure: str) -> float:
        """The mean over networks, and over images where the measure has a value for each."""
        return float(self.resampled(measure, None)[0])

    def resampled(self, measure: str, draws: Draws | None) -> Floats:
        """The same for each draw of networks and images, ``(draws,)``; of length 1 without draws."""
        if measure in ("ece", "adaptive_ece"):
            bins = self.calibrations(even_counts=measure == "adaptive_ece")
            weights = None if draws is None else draws.images(len(bins[0].bins))
            errors = np.stack([np.atleast_1d(each.error(weights)) for each in bins])
            shares = 1 / len(bins) if draws is None else draws.networks(len(bins)).T
            mean: Floats = (shares * errors).sum(0)
            return mean
        values = self.images(measure)
        if draws is None:
            return np.atleast_1d(values.mean())
        by_network = draws.images(values.shape[1]) @ values.T / values.shape[1]
        means: Floats = (draws.networks(len(values)) * by_network).sum(1)
        return means


class Draws:
    """Draws with replacement, the same for all that is compared: how often each network and each image was drawn."""

    def __init__(self) -> None:
        self._images: dict[int, Floats] = {}

    def images(self, count: int) -> Floats:
        """``(RESAMPLES, count)``, rows that sum to ``count``."""
        if count not in self._images:
            drawn = np.random.default_rng(SEED_OF_RESAMPLES).multinomial(count, [1 / count] * count, RESAMPLES)
            self._images[count] = drawn.astype(np.float64)
        return self._images[count]

    def networks(self, count: int) -> Floats:
        """``(RESAMPLES, count)``, rows that sum to 1."""
        generator = np.random.default_rng(SEED_OF_RESAMPLES + 1)
        return generator.multinomial(count, [1 / count] * count, RESAMPLES) / count


def difference(soft: Judged, hard: Judged, measure: str, draws: Draws) -> dict[str, float]:
    """Softened less hard, in pairs, with the middle 95 % of its bootstrap distribution."""
    gaps = soft.resampled(measure, draws) - hard.resampled(measure, draws)
    low, high = np.percentile(gaps, [2.5, 97.5])
    gap = soft.level(measure) - hard.level(measure)
    return {"difference": _short(gap), "low": _short(low), "high": _short(high)}


def curve(judged: dict[float, Judged], hard: Judged, measures: Sequence[str], draws: Draws) -> dict[str, Any]:
    """Each measure at every β: its level, and the interval of its difference from the hard network's."""
    curves: dict[str, Any] = {"beta": list(judged)}
    for measure in measures:
        gaps = [difference(each, hard, measure, draws) for each in judged.values()]
        curves[measure] = {"level": [_short(each.level(measure)) for each in judged.values()]} | {
            end: [gap[end] for gap in gaps] for end in ("low", "high")
        }
    return curves


def best(judged: dict[float, Judged], measure: str, *, largest: bool) -> float:
    """The β at which the networks do best by a measure; of equal ones the hardest."""
    sign = 1 if largest else -1
    return max(judged, key=lambda beta: (round(sign * judged[beta].level(measure), 9), beta))


def combined(found: Found, part: str, attack: str) -> NDArray[np.bool_]:
    """Whether an image is classified rightly under an attack on the network itself and under the hard network's."""
    both: NDArray[np.bool_] = found[f"own {attack} {part}"] & found[f"transferred {attack} {part}"]
    return both


def chosen(
    validation: dict[float, Judged],
    test: dict[float, Judged],
    hard: Judged,
    names: dict[str, str],
    measures: Callable[[Judged], Sequence[str]],
    draws: Draws,
) -> dict[str, Any]:
    """For each criterion the β that is best on validation images, and what it does on test images.

    Args:
        validation, test: the networks at each β.
        hard: those at β = 1 as they were trained, on test images.
        names: the measure of each criterion.
        measures: those that are there of a network at a β.
        draws: of the bootstrap.
    """
    result = {}
    for criterion, measure in names.items():
        able = {beta: each for beta, each in validation.items() if measure in measures(each)}
        if not able:
            continue
        beta = best(able, measure, largest=CRITERIA[criterion])
        soft = test[beta]
        result[criterion] = {
            "beta": beta,
            "hard": {name: _short(hard.level(name)) for name in measures(soft)},
            "soft": {name: difference(soft, hard, name, draws) for name in measures(soft)},
        }
    return result


def _short(value: float) -> float:
    return round(float(value), 5)
