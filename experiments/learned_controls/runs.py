"""The runs of ``experiments.learned_controls``: networks whose β is fixed or learned, from one scale or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from experiments.learned_beta.runs import DIGITS, scales
from experiments.orthogonal_controls.runs import LARGEST_SIDE
from experiments.shared.images import DataSet, halved
from experiments.shared.small_cnn import CONVOLUTIONS, History, Penalty, Recipe, network
from experiments.shared.training import LARGEST_BETA
from experiments.shared.trainings import TrainingBench


@dataclass(frozen=True)
class Run:
    """One network.

    Attributes:
        learned: fixed; or shared, one β a layer; or channel, one β a channel.
        start: β at first.
        code: attached, or detached: a constant in the backward pass.
        scale: of what the units see at first: batch normalisation's factors; the output's weights are divided by it.
        rate: of learning, at the first step, of weights and β alike.
        seed: of the weights and of the order of the images.
        judged_on: held_out or test.
    """

    learned: str
    start: float
    code: str
    scale: float
    rate: float
    seed: int
    judged_on: str
    penalty: ClassVar[Penalty | None] = None

    def __str__(self) -> str:
        kind = f"{self.learned} from {self.start:g}, {self.code}, scale {self.scale:g}"
        return f"{kind}, rate {self.rate:g}, {self.seed}, {self.judged_on}"


class Unit(nn.Module):
    r"""u σ(ηu), as `betavq.nn.BetaReLU` has it, in plain operators: no version of betavq changes its last bits."""

    def __init__(self, run: Run, channels: int) -> None:
        super().__init__()
        start = torch.full((channels if run.learned == "channel" else 1,), run.start)
        self.is_detached = run.code == "detached"
        if run.learned == "fixed":
            self.register_buffer("beta", start)
        else:
            self.beta = nn.Parameter(start)

    def forward(self, u: Tensor) -> Tensor:
        """Of images ``(N, C, H, W)``."""
        seen = u.detach() if self.is_detached else u  # β learns from a detached code as well
        return u * torch.sigmoid(seen * (self.beta / (1 - self.beta)).view(1, -1, 1, 1))


def units(run: Run, filters: tuple[int, ...]) -> Callable[[], nn.Module]:
    """What makes the activation of one layer after the other."""
    channels = iter(filters)
    return lambda: nn.ReLU() if run.start == 1 else Unit(run, next(channels))


class LearnedControlBench(TrainingBench[Run]):
    """Where the runs of this experiment are made, on images of 16×16 at most."""

    constants: ClassVar[dict[str, Any]] = {"largest_learned_beta": LARGEST_BETA}

    def __init__(self, data: DataSet, plan: Recipe, work: Path) -> None:
        side = data.train.pixels.shape[1]
        super().__init__(halved(data) if side > LARGEST_SIDE else data, plan, work)
        self.conditions["side"] = self.data.train.pixels.shape[1]

    @torch.no_grad()
    def build(self, run: Run) -> nn.Sequential:
        """The network of a run before training; weights by seed alone, but for the scale."""
        torch.manual_seed(run.seed)
        made = network(self.data, self.plan.filters, units(run, self.plan.filters))
        for module in made:
            if isinstance(module, nn.BatchNorm2d):
                module.weight.mul_(run.scale)
            if isinstance(module, nn.Linear):
                module.weight.div_(run.scale)
        return made

    @torch.no_grad()
    def found(self, trained: nn.Module, _history: History, /) -> dict[str, Any]:
        """The mean β of each layer, and the median hardness that the data see, η times the channel's scale."""
        layers = [trained.get_submodule(f"{name}_activation") for name in CONVOLUTIONS]
        betas = [layer.beta.double() for layer in layers if isinstance(layer, Unit)]
        hardness = [
            float((beta / (1 - beta) * torch.tensor(scale).double().abs()).median())
            for beta, scale in zip(betas, scales(trained), strict=bool(betas))
        ]
        return {
            "beta": [round(beta.mean().item(), DIGITS) for beta in betas],
            "hardness": [round(median, DIGITS) for median in hardness],
        }
