"""Networks on the plane and what their own forward pass says of a point, for the tests of partitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from betavq.geometry import Partition

Floats = NDArray[np.float64]


def box(half: float) -> list[list[float]]:
    return [[-half, -half], [half, -half], [half, half], [-half, half]]


def random_net(*widths: int, seed: int = 0, unit: Any = nn.ReLU, outputs: int = 1, inputs: int = 2) -> nn.Sequential:
    """A fully connected network in float64 with PyTorch's own random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        sizes = (inputs, *widths)
        layers = [nn.Linear(*pair) for pair in zip(sizes[:-1], widths, strict=True)]
        steps = [step for layer in layers for step in (layer, unit())]
        return nn.Sequential(*steps, nn.Linear(widths[-1], outputs)).double().eval()


def outputs(model: nn.Module, x: Tensor) -> Floats:
    with torch.no_grad():
        return model(x).flatten(1).numpy()


def codes(model: nn.Module, kinds: tuple[type[nn.Module], ...], x: Tensor) -> NDArray[np.uint8]:
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
    """Points drawn evenly from the domain."""
    low, high = partition.domain.min(0), partition.domain.max(0)
    points = np.random.default_rng(seed).uniform(low, high, (count, 2))
    return points[partition.locate(points) >= 0]
