"""What the chapter on orthogonal filters reads: networks with filters left free, penalised or kept orthogonal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor

from .stored import Band, Run, band, runs_of, stored

Data = Literal["images", "digits"]
Setting = tuple[str, str]
ACTIVATIONS = ("relu", "swish")
CONSTRAINTS = ("none", "penalty", "orthogonal")


@dataclass(frozen=True)
class FilterRuns:
    """All runs of the experiment on one set of images.

    Attributes:
        selection: every run from which learning rates and strengths were chosen.
        runs: every run of the comparison, judged by test images.
        chosen: learning rate and strength by activation and constraint.
        accuracy: mean over the seeds, in [0, 1], by activation and constraint.
        minus_none: what a constraint gains with an activation, in pairs of one seed.
        orthogonal_minus_penalty: the same of orthogonal filters over penalised ones, by activation.
        swish_minus_relu: the same of the two activations, by constraint.
        last_loss: of training, without the penalty, in the last epoch, by activation and constraint.
        coherence, mean_cosine: largest and mean |cosine| of two filters, by activation and constraint; a number for
            each convolution.
        filters: of the first convolution of the first seed, as shares of the largest, ``(K, height, width, C)``.
        settings: how it was made: data, seeds, training, versions, hardware.
    """

    selection: tuple[Run, ...]
    runs: tuple[Run, ...]
    chosen: dict[Setting, dict[str, float]]
    accuracy: dict[Setting, Band]
    minus_none: dict[Setting, Band]
    orthogonal_minus_penalty: dict[str, Band]
    swish_minus_relu: dict[str, Band]
    last_loss: dict[Setting, Band]
    coherence: dict[Setting, Band]
    mean_cosine: dict[Setting, Band]
    filters: dict[Setting, Tensor]
    settings: dict[str, Any]

    def accuracies(self, activation: str, constraint: str) -> list[float]:
        """Test accuracy of every seed, in the order of the seeds."""
        return [run["accuracy"] for run in runs_of(self.runs, activation=activation, constraint=constraint)]

    def tried(self, activation: str, constraint: str, strength: float = 0.0) -> list[Run]:
        """The runs of one setting to choose a learning rate from, in the order of the rates."""
        return runs_of(self.selection, "rate", activation=activation, constraint=constraint, strength=strength)


@cache
def filter_runs(data: Data) -> FilterRuns:
    """What ``experiments/orthogonal_filters`` measured on photographs (images) or on handwritten digits."""
    found = stored(f"orthogonal_filters_{data}")
    bands = {
        quantity: {
            (activation, constraint): band(entry)
            for activation, entries in found[quantity].items()
            for constraint, entry in entries.items()
        }
        for quantity in ("accuracy", "minus_none", "last_loss", "coherence", "mean_cosine")
    }
    return FilterRuns(
        selection=tuple(found["selection"]),
        runs=tuple(found["runs"]),
        chosen={
            (entry["activation"], entry["constraint"]): {"rate": entry["rate"], "strength": entry["strength"]}
            for entry in found["chosen"]
        },
        orthogonal_minus_penalty={unit: band(entry) for unit, entry in found["orthogonal_minus_penalty"].items()},
        swish_minus_relu={constraint: band(entry) for constraint, entry in found["swish_minus_relu"].items()},
        filters={
            (entry["activation"], entry["constraint"]): torch.tensor(entry["filters"], dtype=torch.float64)
            for entry in found["filters_of_first_seed"]
        },
        settings=found["settings"],
        **bands,
    )
