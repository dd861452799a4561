"""How the small networks are trained, and what all training does with a learned β."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hardtosoft.results.networks import Network

LARGEST_BETA = 0.99  # a learned β that reaches 1 gets no gradient, and would stay
Set = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        steps: of Adam, the learning rate falling from ``lr`` to 0 along a half cosine.
        lr: learning rate of the first step.
        weight_decay: L2 penalty on all parameters.
        digits: significant digits kept of every weight.
    """

    steps: int
    lr: float
    weight_decay: float
    digits: int


def train(
    data: Set,
    sizes: Sequence[int],
    training: Training,
    seed: int,
    watch: Callable[[int, Network], None] | None = None,
) -> Network:
    """Train a ReLU network (β = 1) with Adam on the whole training set at once, then round its weights.

    Args:
        data: inputs ``(N, D)`` and labels ``(N,)``.
        sizes: units of every layer, D first; one output unit stands for two classes.
        training: steps, learning rate, penalty, digits.
        seed: of the initial weights, uniform with He's scale; biases uniform in ±1/√inputs.
        watch: called before each step and after the last with the steps done and the network of that moment, rounded.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape: int, bound: float) -> Tensor:
        return (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1).mul_(bound)

    layers = list(pairwise(sizes))
    network = Network(
        tuple(uniform(out, into, bound=(6 / into) ** 0.5).requires_grad_() for into, out in layers),
        tuple(uniform(out, bound=into**-0.5).requires_grad_() for into, out in layers),
    )
    optimiser = torch.optim.Adam(
        [*network.weights, *network.biases], lr=training.lr, weight_decay=training.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.steps)
    for step in range(training.steps):
        if watch:
            watch(step, rounded_network(network, training.digits))
        optimiser.zero_grad()
        cross_entropy(network.logits(data[0], 1.0), data[1]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    trained = rounded_network(network, training.digits)
    if watch:
        watch(training.steps, trained)
    return trained


def rounded_network(network: Network, digits: int) -> Network:
    """A copy with every weight to so many significant digits."""
    weights, biases = (tuple(rounded(part, digits) for part in parts) for parts in (network.weights, network.biases))
    return Network(weights, biases)


def betas(trained: nn.Module) -> list[nn.Parameter]:
    """The learned β of a network, layer by layer."""
    return [parameter for name, parameter in trained.named_parameters() if name.rpartition(".")[2] == "beta"]


def parameter_groups(trained: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """For an optimiser: an L2 penalty on all parameters but β, which it would draw towards the affine unit."""
    learned = betas(trained)
    others = [p for p in trained.parameters() if all(p is not beta for beta in learned)]
    return [{"params": others, "weight_decay": weight_decay}] + ([{"params": learned}] if learned else [])


@torch.no_grad()
def keep_below_one(trained: nn.Module) -> None:
    """Put each learned β that has left [0, 0.99] back to its end."""
    for beta in betas(trained):
        beta.clamp_(0, LARGEST_BETA)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of two or more classes; one column of logits stands for two classes."""
    if logits.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(logits[:, 0], labels.double())
    return F.cross_entropy(logits, labels)


def rounded(values: Tensor, digits: int) -> Tensor:
    """Values to so many significant digits, so that a short result file holds exactly what was measured."""
    flat = [float(f"{value:.{digits}g}") for value in values.detach().flatten().tolist()]
    return torch.tensor(flat, dtype=values.dtype).reshape(values.shape)
