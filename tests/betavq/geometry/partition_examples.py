"""Networks and what their own forward pass says of a point, for the tests of partitions and boundaries."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from betavq.geometry import Partition
from betavq.nn import BetaAbs, BetaMaxout

Floats = Any


def box(half: float) -> list[list[float]]:
    return [[-half, -half], [half, -half], [half, half], [-half, half]]


def seeded(make: Any, seed: int) -> nn.Module:
    """A model in float64 and eval mode with PyTorch's own random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model: nn.Module = make()
        return model.double().eval()


def random_net(*widths: int, seed: int = 0, unit: Any = nn.ReLU, outputs: int = 1, inputs: int = 2) -> nn.Module:
    """A fully connected network."""
    sizes = (inputs, *widths)

    def make() -> nn.Module:
        layers = [nn.Linear(*pair) for pair in zip(sizes[:-1], widths, strict=True)]
        steps = [step for layer in layers for step in (layer, unit())]
        return nn.Sequential(*steps, nn.Linear(widths[-1], outputs))

    return seeded(make, seed)


class Residual(nn.Module):
    """Functions in place of layers, a residual connection, sizes read from tensors, |·| and a leaky ReLU."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(2, width), nn.Linear(width, width), nn.Linear(width, width)
        self.last = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        rows = x.size(0)
        x = abs(x + self.third(torch.relu(self.second(x))))
        x = F.leaky_relu(x.view(rows, -1) - 0.3, 0.1, inplace=True)
        return self.last(x) / 2


class Pooled(nn.Module):
    """Max-pooling of linear units and of ReLUs, which tie at 0."""

    def __init__(self, width: int = 32, size: int = 4) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, width), nn.Linear(width // size, width)
        self.pool, self.last = nn.MaxPool1d(size), nn.Linear(width // size, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.first(x).unsqueeze(1)).squeeze(1)
        return self.last(self.pool(torch.relu(self.second(x)).unsqueeze(1)).squeeze(1))


class Convolutional(nn.Module):
    """Images of 1 × 8 × 8: convolutions, BatchNorm, max-pooling with and without overlap, average-pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)
        self.pool, self.last = nn.MaxPool2d(3, stride=2, padding=1), nn.Linear(4, 10)
        self.norm.running_mean.normal_()  # type: ignore[union-attr]
        self.norm.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(torch.relu(self.norm(self.first(x))), 2)
        x = self.pool(F.leaky_relu(self.second(x), 0.2))
        return self.last(F.avg_pool2d(x, 1).flatten(1))


def maxout_net() -> nn.Module:
    """Maxout of three pieces, then hard units of ours."""
    make = nn.Sequential
    return make(
        nn.Linear(2, 24), nn.Unflatten(1, (8, 3)), BetaMaxout(beta=1), nn.Linear(8, 8), BetaAbs(1.0), nn.Linear(8, 2)
    )


def outputs(model: nn.Module, x: Tensor) -> Floats:
    with torch.no_grad():
        return model(x).flatten(1).numpy()


def codes(model: nn.Module, kinds: tuple[type[nn.Module], ...], x: Tensor) -> Floats:
    """Whether each unit's score is positive, read from the forward pass by hooks, in the order of the calls."""
    found: list[Tensor] = []
    hooks = [
        module.register_forward_pre_hook(lambda _, given: found.append((given[0] > 0).flatten(1)))
        for module in model.modules()
        if isinstance(module, kinds)
    ]
    outputs(model, x)
    for hook in hooks:
        hook.remove()
    return torch.cat(found, 1).numpy().astype(np.uint8)


def random_points(partition: Partition, count: int, seed: int = 0) -> Floats:
    """Points drawn evenly from the bounding box of the domain."""
    low, high = partition.domain.min(0), partition.domain.max(0)
    return np.random.default_rng(seed).uniform(low, high, (count, 2))


def edge_lengths(partition: Partition) -> Floats:
    """How long the edge from each corner to the next is."""
    following = np.arange(1, len(partition.vertices) + 1)
    following[partition.starts[1:] - 1] = partition.starts[:-1]
    return np.hypot(*(partition.vertices[following] - partition.vertices).T)
