"""The runs of ``experiments.orthogonal_filters``: networks with free, penalised or orthogonal filters, one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from betavq.orthogonal import coherence_report, orthogonal_filters, orthogonality_penalty
from experiments.shared.small_cnn import CONVOLUTIONS, History, Penalty, finite, network
from experiments.shared.trainings import TrainingBench

BETAS = {"relu": 1.0, "swish": 0.5}
# At these β betavq's unit is one of PyTorch's, whose last bits no version of betavq changes.
UNITS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "swish": nn.SiLU}


@dataclass(frozen=True)
class Run:
    """One network: what it is, how it is trained, and what it is judged by.

    Attributes:
        activation: relu or swish.
        constraint: on the filters of the convolutions; none, penalty or orthogonal.
        strength: λ of the penalty, else 0.
        rate: of learning, at the first step.
        seed: of the weights and of the order of the images.
        judged_on: held_out, a part of the training images that it has not learned from; or test.
    """

    activation: str
    constraint: str
    strength: float
    rate: float
    seed: int
    judged_on: str

    @property
    def penalty(self) -> Penalty | None:
        """What is added to the loss."""
        if self.constraint != "penalty":
            return None
        return lambda trained: self.strength * orthogonality_penalty(trained, layers=CONVOLUTIONS)

    def __str__(self) -> str:
        strength = f" {self.strength:g}" if self.constraint == "penalty" else ""
        return (
            f"{self.activation}, {self.constraint}{strength}, rate {self.rate:g}, seed {self.seed}, {self.judged_on}"
        )


class OrthogonalBench(TrainingBench[Run]):
    """Where the runs of this experiment are made."""

    constants: ClassVar[dict[str, Any]] = {"betas": BETAS}

    def build(self, run: Run) -> nn.Sequential:
        """The network of a run before training; weights by seed alone, but for being made orthogonal."""
        torch.manual_seed(run.seed)
        made = network(self.data, self.plan.filters, UNITS[run.activation])
        return orthogonal_filters(made, layers=CONVOLUTIONS) if run.constraint == "orthogonal" else made

    def found(self, trained: nn.Module, _history: History, /) -> dict[str, Any]:
        """How far from orthogonal the filters end, and what the first look like."""
        layers = coherence_report(trained, layers=CONVOLUTIONS)
        return {
            "coherence": [finite(layer.coherence) for layer in layers],
            "mean_cosine": [finite(layer.mean_cosine) for layer in layers],
            "first_filters": picture(trained.get_submodule("first")),
        }


def picture(layer: nn.Module) -> list[Any]:
    """The filters ``(K, height, width, C)`` as shares of the largest weight, to two decimals."""
    assert isinstance(layer, nn.Conv2d)
    weight = layer.weight.detach().permute(0, 2, 3, 1).double()
    shares = (weight / weight.abs().amax().clamp_min(1e-300)).nan_to_num()
    rounded: list[Any] = (shares * 100).round().div(100).tolist()
    return rounded
