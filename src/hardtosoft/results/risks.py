"""What ``experiments/risk`` measured: slopes, attacks and two penalties on small networks for digits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .datasets import load_digits
from .stored import Band, Floats, band, stored

FILE = "risk_digits"
NONE, SLOPES, FLATNESS = "none", "slopes", "flatness"
SHOWN = {"no penalty": NONE, "penalty on slopes": SLOPES}


@dataclass(frozen=True)
class Penalised:
    """Networks of one penalty and strength, one a split.

    Attributes:
        strength: λ.
        bands: of accuracy, of that under attacks of radius .5 and 1, of the median slope and of the flatness; with
            ``_minus_none``, of the difference from no penalty in the same split.
        slopes: how many test images have a slope in each bin of ``edges()``.
        runs: what was measured of each.
    """

    strength: float
    bands: dict[str, Band]
    slopes: Floats
    runs: list[dict[str, Any]]

    def mean(self, quantity: str) -> float:
        """Of something that each network has one number of, over splits."""
        return float(np.mean([run[quantity] for run in self.runs]))


def penalised(penalty: str) -> list[Penalised]:
    """The strengths of a penalty in ascending order, no penalty first."""
    contents = stored(FILE)
    return [
        Penalised(
            entry["strength"],
            {name: band(value) for name, value in entry.items() if isinstance(value, dict)},
            np.array(entry["slopes"], dtype=np.float64),
            [
                run
                for run in contents["runs"]
                if (run["penalty"], run["strength"]) == (entry["penalty"], entry["strength"])
            ],
        )
        for entry in contents["penalties"]
        if entry["penalty"] in (NONE, penalty)
    ]


def edges() -> Floats:
    """Of the bins of slopes."""
    return np.array(stored(FILE)["settings"]["edges"])


def radii() -> tuple[float, ...]:
    """At which attacks were tried."""
    return tuple(stored(FILE)["settings"]["radii"])


@dataclass(frozen=True)
class Shown:
    """A stored network and the first test image of each digit.

    Attributes:
        network: 64 to 10.
        images: less the mean, ``(10, 64)``.
        mean: ``(64,)``, to see them again.
    """

    network: nn.Sequential
    images: Tensor
    mean: Tensor


@cache
def shown(penalty: str) -> Shown:
    """The stored network of a penalty."""
    entry = next(each for each in stored(FILE)["shown"] if each["penalty"] == penalty)
    layers: list[nn.Module] = []
    for weight, bias in zip(entry["weights"][::2], entry["weights"][1::2], strict=True):
        layer = nn.Linear(len(weight[0]), len(weight))
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weight) / 1000)
            layer.bias.copy_(torch.tensor(bias) / 1000)
        layers += [layer, nn.ReLU()]
    mean = torch.tensor(entry["mean"], dtype=torch.float64)
    return Shown(nn.Sequential(*layers[:-1]).double().eval(), load_digits()[0][entry["rows"]] - mean, mean)
