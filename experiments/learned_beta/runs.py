"""The runs of ``experiments.learned_beta``: networks whose β is fixed, or learned for a layer or for each channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from betavq.nn import BetaReLU
from experiments.shared.small_cnn import CONVOLUTIONS, History, Penalty, network
from experiments.shared.training import LARGEST_BETA
from experiments.shared.trainings import TrainingBench

DIGITS = 4  # decimals kept of every β


@dataclass(frozen=True)
class Run:
    """One network, judged by the test images.

    Attributes:
        learned: fixed; or shared, one β a layer; or channel, one β a channel.
        start: β at first.
        code: attached, or detached: a constant in the backward pass.
        rate: of learning, at the first step, of weights and β alike.
        seed: of the weights and of the order of the images.
    """

    learned: str
    start: float
    code: str
    rate: float
    seed: int
    judged_on: ClassVar[str] = "test"
    penalty: ClassVar[Penalty | None] = None

    def __str__(self) -> str:
        return f"{self.learned} from {self.start:g}, {self.code}, rate {self.rate:g}, seed {self.seed}"


def activations(run: Run, filters: tuple[int, ...]) -> Callable[[], nn.Module]:
    """What makes the activation of one layer after the other."""
    channels = iter(filters)

    def make() -> nn.Module:
        count = next(channels)
        return BetaReLU(
            run.start,
            learnable=run.learned != "fixed",
            num_channels=count if run.learned == "channel" else None,
            detach_code=run.code == "detached",
        )

    return make


def hardness(trained: nn.Module) -> list[list[float]]:
    """The β of each layer, one or one a channel."""
    layers = [trained.get_submodule(f"{name}_activation") for name in CONVOLUTIONS]
    betas = [layer.beta.detach().double().reshape(-1) for layer in layers if isinstance(layer, BetaReLU)]
    return [[round(beta, DIGITS) for beta in layer.tolist()] for layer in betas]


def scales(trained: nn.Module) -> list[list[float]]:
    """By how much each channel is multiplied before its activation, layer by layer.

    Batch normalisation has given it variance 1 before: so these are the standard deviations of what the units see.
    """
    norms = [trained.get_submodule(f"{name}_norm") for name in CONVOLUTIONS]
    weights = [norm.weight.detach().double() for norm in norms if isinstance(norm, nn.BatchNorm2d)]
    return [[round(scale, DIGITS) for scale in layer.tolist()] for layer in weights]


class LearnedBench(TrainingBench[Run]):
    """Where the runs of this experiment are made."""

    constants: ClassVar[dict[str, Any]] = {"largest_learned_beta": LARGEST_BETA}

    def build(self, run: Run) -> nn.Sequential:
        """The network of a run before training; weights by seed alone."""
        torch.manual_seed(run.seed)
        return network(self.data, self.plan.filters, activations(run, self.plan.filters))

    def note(self, trained: nn.Module, /) -> list[list[float]]:
        """β."""
        return hardness(trained)

    def found(self, trained: nn.Module, history: History, /) -> dict[str, Any]:
        """β at the start and after each epoch, and the scales at the end."""
        return {"beta": history.notes, "scales": scales(trained)}
