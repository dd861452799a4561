"""Free and orthogonal filters and what else may help as they do: ``experiments/orthogonal_controls``."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import cache
from typing import Any

from .stored import Band, Run, band, runs_of, stored

NAMES = {
    "none": "free",
    "orthogonal": "orthogonal",
    "start": "orthogonal start",
    "weight_norm": "weight norm",
    "penalty": "penalty",
    "cosines": "cosine penalty",
}


@dataclass(frozen=True)
class FilterControls:
    """All runs of the experiment that are there.

    Attributes:
        settings: the grid, the seeds and how it was made.
        complete: whether all kinds of both units have been compared.
        chosen: of each kind the rate and strength that did best, and the ends of the grid that did (edges).
        differences: paired, of every two kinds of a unit that are compared.
        selection: runs that settings were chosen by.
        runs: runs that were compared.
    """

    settings: dict[str, Any]
    complete: bool
    chosen: list[dict[str, Any]]
    differences: list[dict[str, Any]]
    selection: list[Run]
    runs: list[Run]

    def kinds(self, unit: str) -> list[str]:
        """Those of a unit that all seeds have been compared of."""
        seeds = len(self.settings["seeds"])
        return [kind for kind in NAMES if len(self.of(unit, kind)) == seeds]

    def of(self, unit: str, kind: str) -> list[Run]:
        """The compared runs of a kind, seed by seed."""
        return runs_of(self.runs, activation=unit, constraint=kind)

    def choice(self, unit: str, kind: str) -> dict[str, Any]:
        """What was chosen for a kind."""
        return next(entry for entry in self.chosen if (entry["group"], entry["kind"]) == (unit, kind))

    def mean(self, unit: str, kind: str, quantity: str) -> float:
        """Over the seeds."""
        return float(statistics.mean(run[quantity] for run in self.of(unit, kind)))

    def epochs_to(self, unit: str, kind: str, loss: float) -> float:
        """The mean number of epochs until the training loss is so small."""
        return float(statistics.mean(run["epochs_to"][f"{loss:g}"] for run in self.of(unit, kind)))

    def minus(self, unit: str, kind: str, other: str, quantity: str = "accuracy") -> Band:
        """The paired difference of two kinds."""
        for one, two, sign in ((kind, other, 1), (other, kind, -1)):
            for entry in self.differences:
                if (entry["group"], entry["kind"], entry["minus"]) == (unit, one, two):
                    found = band(entry[quantity])
                    return Band(sign * found.mean, found.half_width)
        raise ValueError(f"kind and other must be two of {', '.join(self.kinds(unit))}, got {kind!r} and {other!r}")


@cache
def filter_controls() -> FilterControls:
    """What was measured on photographs."""
    found = stored("orthogonal_controls_images")
    names = ("settings", "complete", "chosen", "differences", "selection", "runs")
    return FilterControls(**{name: found[name] for name in names})
