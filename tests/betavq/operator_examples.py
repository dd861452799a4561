"""Every public operator and module with inputs that suit it: what has to work wherever PyTorch does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

import betavq
import betavq.functional as bF
import betavq.nn as bnn


@dataclass(frozen=True)
class Example:
    """An operator of (x, β), the shape of an input, and that of a β of several numbers.

    ``layer`` is its module with a learnable β, where there is one.
    """

    call: Callable[[Tensor, float | Tensor], Tensor]
    shape: tuple[int, ...]
    betas: tuple[int, ...]
    layer: Callable[[], nn.Module] | None = None

    def inputs(self, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        """An input and one β for each channel or row, both wanting gradients."""
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(self.shape, generator=generator).to(dtype)
        beta = torch.linspace(0.2, 0.8, max(self.betas)).reshape(self.betas)
        return x.requires_grad_(), beta.requires_grad_()


LEARNED = {"beta": 0.4, "learnable": True}

EXAMPLES = {
    "beta_relu": Example(
        lambda x, beta: bF.beta_relu(x, beta=beta),
        *((2, 3, 4), (3, 1)),
        lambda: bnn.BetaReLU(**LEARNED, num_channels=3),
    ),
    "beta_leaky_relu": Example(
        lambda x, beta: bF.beta_leaky_relu(x, 0.1, beta=beta),
        *((2, 3, 4), (3, 1)),
        lambda: bnn.BetaLeakyReLU(**LEARNED, negative_slope=torch.tensor([0.1, 1.0, 2.0])),
    ),
    "beta_leaky_relu, detached": Example(
        lambda x, beta: bF.beta_leaky_relu(x, 0.1, beta=beta, detach_code=True), (2, 3, 4), (3, 1)
    ),
    "beta_relu, detached": Example(
        lambda x, beta: bF.beta_relu(x, beta=beta, detach_code=True),
        *((2, 3, 4), (3, 1)),
        lambda: bnn.BetaReLU(**LEARNED, detach_code=True),
    ),
    "beta_abs": Example(lambda x, beta: bF.beta_abs(x, beta=beta), (2, 3, 4), (3, 1), lambda: bnn.BetaAbs(**LEARNED)),
    "beta_max_pool1d": Example(
        lambda x, beta: bF.beta_max_pool1d(x, 3, 2, 1, beta=beta),
        *((2, 3, 8), (3, 1)),
        lambda: bnn.BetaMaxPool1d(3, 2, 1, **LEARNED, num_channels=3),
    ),
    "beta_max_pool2d": Example(
        lambda x, beta: bF.beta_max_pool2d(x, 3, 2, 1, beta=beta),
        *((2, 3, 6, 8), (3, 1, 1)),
        lambda: bnn.BetaMaxPool2d(3, 2, 1, **LEARNED, num_channels=3),
    ),
    "beta_maxout": Example(
        lambda x, beta: bF.beta_maxout(x, 1, beta=beta), (5, 4, 3), (3,), lambda: bnn.BetaMaxout(1, **LEARNED)
    ),
    "code": Example(lambda x, beta: betavq.code(x, beta), (5, 4), (5,)),
    "value": Example(lambda x, beta: betavq.value(x, beta), (5, 4), (5,)),
    "free_energy": Example(lambda x, beta: betavq.free_energy(x, beta), (5, 4), (5,)),
}
LAYERS = {name: example.layer for name, example in EXAMPLES.items() if example.layer is not None}

every_operator = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def layer_input(make: Callable[[], nn.Module]) -> Tensor:
    """An input for a module of :data:`LAYERS`."""
    (name,) = [name for name, other in LAYERS.items() if other is make]
    return EXAMPLES[name].inputs()[0].detach()


def slopes(y: Tensor, *inputs: Tensor, retain: bool = False) -> tuple[Tensor, ...]:
    """The gradients of a weighted sum of ``y``, the weights all different; ``retain`` keeps the graph."""
    weights = torch.linspace(0.5, 1.5, y.numel(), dtype=y.dtype, device=y.device).reshape(y.shape)
    return torch.autograd.grad((y * weights).sum(), inputs, retain_graph=retain)
