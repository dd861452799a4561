"""The runs of ``experiments.orthogonal_controls``: what orthogonal filters are compared with, one network each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from betavq.orthogonal import coherence_report, orthogonal_filters
from experiments.orthogonal_filters.runs import OrthogonalBench, Run
from experiments.shared.images import DataSet, halved
from experiments.shared.small_cnn import CONVOLUTIONS, History, Penalty, Recipe, finite

LARGEST_SIDE = 16  # larger images are halved


@dataclass(frozen=True)
class Control(Run):
    """One network, with constraints beyond those of `Run`.

    Attributes:
        constraint: none, penalty and orthogonal; or start, orthogonal filters at first and free ones from then on;
            or weight_norm, length and direction of each filter learned apart; or cosines, a penalty on the squares of
            the cosines, which shorter filters do not lower.
    """

    @property
    def penalty(self) -> Penalty | None:
        """What is added to the loss."""
        if self.constraint == "cosines":
            return lambda trained: self.strength * cosine_penalty(trained)
        return super().penalty

    def __str__(self) -> str:
        strength = f" {self.strength:g}" if self.strength else ""
        return f"{self.activation}, {self.constraint}{strength}, rate {self.rate:g}, {self.seed}, {self.judged_on}"


def cosine_penalty(trained: nn.Module) -> Tensor:
    """Squares of the cosines of every two filters of a convolution, each pair twice, summed over the convolutions."""
    sums = []
    for name in CONVOLUTIONS:
        directions = nn.functional.normalize(_filters(trained, name), dim=1)
        sums.append((directions @ directions.T).square().sum() - len(directions))
    return torch.stack(sums).sum()


def _filters(trained: nn.Module, name: str) -> Tensor:
    layer = trained.get_submodule(name)
    assert isinstance(layer, nn.Conv2d)
    return layer.weight.flatten(1)


class ControlBench(OrthogonalBench):
    """Where the runs of this experiment are made, on images of 16×16 at most."""

    def __init__(self, data: DataSet, plan: Recipe, work: Path) -> None:
        side = data.train.pixels.shape[1]
        super().__init__(halved(data) if side > LARGEST_SIDE else data, plan, work)
        self.conditions["side"] = self.data.train.pixels.shape[1]

    def build(self, run: Run) -> nn.Sequential:
        """The network of a run before training."""
        made = super().build(run)
        if run.constraint == "start":
            orthogonal_filters(made, layers=CONVOLUTIONS)
        for name in CONVOLUTIONS:
            layer = made.get_submodule(name)
            if run.constraint == "start":
                parametrize.remove_parametrizations(layer, "weight")
            if run.constraint == "weight_norm":
                parametrizations.weight_norm(layer, dim=0)
        return made

    @torch.no_grad()
    def found(self, trained: nn.Module, _history: History, /) -> dict[str, Any]:
        """How far from orthogonal the filters end, and how long they are."""
        layers = coherence_report(trained, layers=CONVOLUTIONS)
        return {
            "mean_cosine": [finite(layer.mean_cosine) for layer in layers],
            "length": [finite(_filters(trained, name).norm(dim=1).mean().item()) for name in CONVOLUTIONS],
        }
