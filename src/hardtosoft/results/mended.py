"""Softened networks that were mended: what ``experiments/softening_mended`` measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from .stored import stored

Which = Literal["digits", "images"]
Way = Literal["kept", "renewed", "matched", "tuned"]


@dataclass(frozen=True)
class Gap:
    """A measure of softened networks, and its difference from the hard ones on the same images.

    Attributes:
        level: the mean over networks and images.
        difference, low, high: softened less hard, with the ends of its 95 % interval.
    """

    level: float
    difference: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.difference:+.1f} ({100 * self.low:+.1f} to {100 * self.high:+.1f})"


@dataclass(frozen=True)
class Mended:
    """All that was measured of one kind of network.

    Attributes:
        settings: how it was made, with the seeds and the number of test images.
        sites: of the first network at β = ½ each site's spread and softness.
        seconds: of processor time for a forward pass over the unlabelled images, and for matching on them.
    """

    settings: dict[str, Any]
    hard: dict[str, float]
    sites: list[dict[str, Any]]
    seconds: dict[str, float]
    results: dict[str, dict[str, Any]]

    def gap(self, measure: str, way: Way, beta: float = 0.5) -> Gap:
        """A measure at a β; of attacks and noise the share right, by the name of the disturbance."""
        entry = self.results[way]
        attacked = entry.get("under_attack", {})
        curves = entry["curves"] if measure in entry["curves"] else attacked
        at = curves["beta"].index(beta)
        found = curves[measure]
        level, low, high = (found[part][at] for part in ("level", "low", "high"))
        hard = self.hard_level(measure)
        return Gap(level, level - hard, low, high)

    def hard_level(self, measure: str) -> float:
        """Of the hard networks."""
        if measure in self.hard:
            return self.hard[measure]
        level: float = self.results["kept"]["hard_under_attack"][measure]
        return level

    def betas(self, way: Way) -> list[float]:
        """Those that were tried."""
        betas: list[float] = self.results[way]["curves"]["beta"]
        return betas

    @property
    def n(self) -> str:
        """How many networks and images."""
        return f"{len(self.settings['seeds'])} networks × {self.settings['test_images']} images"


@cache
def mended(which: Which) -> Mended:
    """Of the small networks for ``digits`` or for colour ``images``."""
    found = stored(f"softening_mended_{which}")
    results = {entry["way"]: entry for entry in found["results"]}
    return Mended(found["settings"], found["hard"], found["sites"], found["seconds"], results)
