"""Small convolutional networks side by side: one module of grouped convolutions that never mix their groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from betavq import nn as bnn

FILTERS = (8, 16)
KERNELS = (5, 3)
UNITS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "silu": lambda: bnn.BetaReLU(0.5),
    "sigmoid": nn.Sigmoid,
}
CONVOLUTIONS: dict[int, type[nn.Conv1d] | type[nn.Conv2d]] = {1: nn.Conv1d, 2: nn.Conv2d}
POOLS: dict[int, type[nn.AvgPool1d] | type[nn.AvgPool2d]] = {1: nn.AvgPool1d, 2: nn.AvgPool2d}


def stack(seeds: Sequence[int], shape: Sequence[int], classes: int, unit: str = "relu") -> nn.Sequential:
    """One network a seed, as a module ``(N, S·C, …)`` → ``(N, S·classes)``.

    Two convolutions, each with its units and a mean pooling that halves, and a linear layer, which is a convolution
    of the size of what is left. Weights are drawn with He's scale, each network's with its seed alone, so that a
    network is the same whatever stands beside it; biases start at 0.

    Args:
        seeds: S of them.
        shape: of an input, channels first, ``(C, L)`` or ``(C, H, W)``.
        classes: outputs of each network.
        unit: a key of ``UNITS``.
    """
    count, (channels, *sides) = len(seeds), shape
    convolution, pool = CONVOLUTIONS[len(sides)], POOLS[len(sides)]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    layers: list[nn.Module] = []

    def add(into: int, out: int, kernel: Sequence[int], padding: int) -> None:
        made = convolution(into * count, out * count, tuple(kernel), padding=padding, groups=count)  # type: ignore[arg-type]
        fan = into * torch.Size(kernel).numel()
        own = [torch.randn(out, into, *kernel, generator=each) * (2 / fan) ** 0.5 for each in generators]
        with torch.no_grad():
            made.weight.copy_(torch.cat(own))
            made.bias.zero_()  # type: ignore[union-attr]
        layers.append(made)

    for out, kernel in zip(FILTERS, KERNELS, strict=True):
        add(channels, out, [kernel] * len(sides), kernel // 2)
        layers += [UNITS[unit](), pool(2)]
        channels, sides = out, [side // 2 for side in sides]
    add(channels, classes, sides, 0)
    return nn.Sequential(*layers, nn.Flatten())


def scales(network: nn.Sequential, x: Tensor) -> list[Tensor]:
    """What stands after each pooling, and the logits."""
    found = []
    for layer in network:
        x = layer(x)
        if isinstance(layer, nn.AvgPool1d | nn.AvgPool2d | nn.Flatten):
            found.append(x)
    return found


def by_network(values: Tensor, count: int) -> Tensor:
    """``(N, S·K, …)`` → ``(N, S, K, …)``."""
    return values.reshape(len(values), count, -1, *values.shape[2:])


def beside(inputs: Tensor) -> Tensor:
    """One batch a network, ``(S, N, C, …)``, as one for the stack, ``(N, S·C, …)``."""
    return inputs.transpose(0, 1).flatten(1, 2)


def relative_errors(x: Tensor, scale: Tensor, count: int, *, create_graph: bool) -> Tensor:
    """‖x − x̂‖²/‖x‖² of every network, ``(S,)``, the mean over inputs, of a scale that was computed from x.

    Groups do not mix, so one backward pass rebuilds the inputs of all networks.
    """
    (rebuilt,) = torch.autograd.grad(0.5 * scale.square().sum(), x, create_graph=create_graph, retain_graph=True)
    error, size = (by_network(each, count).flatten(2).square().sum(2) for each in (x - rebuilt, x.detach()))
    return (error / size.clamp(min=1e-6)).mean(0)
