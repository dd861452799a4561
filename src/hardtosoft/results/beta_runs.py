"""What the chapter on learning β reads: networks whose β is fixed, or learned for a layer, a channel or a unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

import betavq

from .stored import Band, Floats, Run, band, runs_of, stored

Data = Literal["images", "digits"]
Setting = tuple[str, float, str]


@dataclass(frozen=True)
class BetaRuns:
    """All runs of the experiment on one set of images.

    A setting says what is learned (fixed, shared, channel), β at first, and the code (attached, detached).

    Attributes:
        runs: every run of the comparison, judged by test images.
        starts: networks that learn from another start, likewise.
        accuracy: mean over the seeds, in [0, 1], by setting.
        minus_soft: how much more than with the fixed β = ½ and an attached code, in pairs of one seed.
        attached_minus_detached: what the attached code gains, by setting with an attached code.
        mean, spread: mean of β over the channels and their standard deviation, ``(layers, epochs + 1)``.
        settings: how it was made: data, seeds, training, versions, hardware.
    """

    runs: tuple[Run, ...]
    starts: tuple[Run, ...]
    accuracy: dict[Setting, Band]
    minus_soft: dict[Setting, Band]
    attached_minus_detached: dict[Setting, Band]
    mean: dict[Setting, Band]
    spread: dict[Setting, Band]
    settings: dict[str, Any]

    def of(self, setting: Setting, *, elsewhere: bool = False) -> list[Run]:
        """The runs of a setting in the order of their seeds; ``elsewhere``: those that learn from another start."""
        learned, start, code = setting
        return runs_of(self.starts if elsewhere else self.runs, learned=learned, start=start, code=code)

    def by_epoch(self, setting: Setting) -> tuple[Floats, ...]:
        """β of the first seed at the start and after each epoch, ``(epochs + 1, channels)``, one array a layer."""
        betas = self.of(setting)[0]["beta_by_epoch"]
        return tuple(np.array([epoch[layer] for epoch in betas]) for layer in range(len(betas[0])))


@cache
def beta_runs(data: Data) -> BetaRuns:
    """What ``experiments/learned_beta`` measured on photographs (images) or on handwritten digits."""
    found = stored(f"learned_beta_{data}")
    accuracy, minus_soft, attached = (
        {_setting(entry): band(entry) for entry in found[part]}
        for part in ("accuracy", "minus_soft", "attached_minus_detached")
    )
    mean, spread = ({_setting(entry): band(entry[part]) for entry in found["path"]} for part in ("mean", "spread"))
    starts, runs = tuple(found["starts"]), tuple(found["runs"])
    return BetaRuns(runs, starts, accuracy, minus_soft, attached, mean, spread, found["settings"])


def hardness_of_data(run: Run) -> list[Tensor]:
    """η times the scale of each channel, layer by layer: η of the unit were its input brought to variance 1 first."""
    betas = run.get("beta", [[run["start"]]] * len(run["scales"]))
    return [
        betavq.eta_from_beta(torch.tensor(beta, dtype=torch.float64)) * torch.tensor(scale, dtype=torch.float64).abs()
        for beta, scale in zip(betas, run["scales"], strict=True)
    ]


def _setting(entry: dict[str, Any]) -> Setting:
    return entry["learned"], entry["start"], entry["code"]


@dataclass(frozen=True)
class CurveFit:
    """One curve fitted by one hidden layer of so many units, in one of the ways to treat β.

    Attributes:
        error: decimal logarithm of the root mean squared error over all points, over the seeds.
        minus_soft: how much more than with the fixed β = ½ and an attached code, in pairs of one seed.
        best_fixed: the fixed β, with this code, of lowest error on the seeds that rates were chosen by.
        minus_best_fixed: how much more than with it, in pairs of one seed.
        betas: of each seed, where learned; bends: of each seed, the median over the units of η|w|.
        slopes, offsets, outputs, last, beta: the network of the first seed.
    """

    error: Band
    minus_soft: Band
    minus_best_fixed: Band
    best_fixed: str
    rate: float
    betas: list[list[float]]
    bends: list[float]
    slopes: Tensor
    offsets: Tensor
    outputs: Tensor
    last: float
    beta: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """What the network of the first seed makes of ``x``, ``(N,)``."""
        return self.parts(x).sum(-1) + self.last

    def parts(self, x: Tensor) -> Tensor:
        """What each of its units adds, ``(N, H)``."""
        scores = x[:, None] * self.slopes + self.offsets
        return self.outputs * betavq.functional.beta_relu(scores, beta=self.beta)


@cache
def curve_fits() -> dict[tuple[str, int, str, str], CurveFit]:
    """What ``experiments/learned_curves`` measured, by curve, number of units, way to treat β, and code."""
    return {
        (entry["curve"], entry["width"], entry["name"], entry["code"]): _fit(entry)
        for entry in stored("learned_curves")["fits"]
    }


def _fit(entry: dict[str, Any]) -> CurveFit:
    kept = ("slopes", "offsets", "outputs", "last", "beta")
    slopes, offsets, outputs, last, beta = (torch.tensor(entry["network"][part]).double() for part in kept)
    errors = band(entry["log_error"]), band(entry["minus_soft"]), band(entry["minus_best_fixed"])
    about = entry["best_fixed"], entry["rate"], entry["betas"], entry["bends"]
    return CurveFit(*errors, *about, slopes, offsets, outputs, last.item(), beta)
