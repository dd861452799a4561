"""The runs of ``experiments.orthogonal_filters``: networks with free, penalised or orthogonal filters, one by one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from betavq.nn import BetaReLU
from betavq.orthogonal import coherence_report, orthogonal_filters, orthogonality_penalty
from experiments.shared.bench import Bench
from experiments.shared.images import DataSet
from experiments.shared.small_cnn import CONVOLUTIONS, Recipe, Standard, accuracy, finite, network, train

BETAS = {"relu": 1.0, "swish": 0.5}


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

    def __str__(self) -> str:
        strength = f" {self.strength:g}" if self.constraint == "penalty" else ""
        return (
            f"{self.activation}, {self.constraint}{strength}, rate {self.rate:g}, seed {self.seed}, {self.judged_on}"
        )


def build(run: Run, data: DataSet, recipe: Recipe) -> nn.Sequential:
    """The network of a run before training; weights by seed alone, but for being made orthogonal."""
    torch.manual_seed(run.seed)
    made = network(data, recipe.filters, partial(BetaReLU, BETAS[run.activation]))
    return orthogonal_filters(made, layers=CONVOLUTIONS) if run.constraint == "orthogonal" else made


class OrthogonalBench(Bench[Run]):
    """Where the runs of this experiment are made."""

    constants: ClassVar[dict[str, Any]] = {"betas": BETAS}

    def train(self, run: Run, checkpoint: Path, identity: str) -> dict[str, Any]:
        """Train and judge one network; besides, how far from orthogonal its filters end."""
        learned, judged = self.parts[run.judged_on]
        trained = build(run, self.data, self.recipe)
        penalty = partial(_penalty, run.strength) if run.constraint == "penalty" else None
        history = train(
            trained,
            learned,
            self.recipe,
            rate=run.rate,
            seed=run.seed,
            checkpoint=checkpoint,
            identity=identity,
            penalty=penalty,
            label=str(run),
        )
        layers = coherence_report(trained, layers=CONVOLUTIONS)
        return {
            **asdict(run),
            "accuracy": round(accuracy(trained, Standard.of(learned), judged), 6),
            "losses": history.losses,
            "coherence": [finite(layer.coherence) for layer in layers],
            "mean_cosine": [finite(layer.mean_cosine) for layer in layers],
            "first_filters": picture(trained.get_submodule("first")),
        }


def _penalty(strength: float, trained: nn.Module) -> torch.Tensor:
    return strength * orthogonality_penalty(trained, layers=CONVOLUTIONS)


def picture(layer: nn.Module) -> list[Any]:
    """The filters ``(K, height, width, C)`` as shares of the largest weight, to two decimals."""
    assert isinstance(layer, nn.Conv2d)
    weight = layer.weight.detach().permute(0, 2, 3, 1).double()
    shares = (weight / weight.abs().amax().clamp_min(1e-300)).nan_to_num()
    rounded: list[Any] = (shares * 100).round().div(100).tolist()
    return rounded
