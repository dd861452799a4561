"""Layers, and that a MASO does what they do, for the tests of MASO.from_layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from betavq import MASO
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaReLU

TOLERANCE = 1e-12


def worn_batchnorm(kind: type[nn.BatchNorm1d | nn.BatchNorm2d], channels: int, **options: Any) -> Any:
    """A BatchNorm in eval mode whose every number is random."""
    layer = kind(channels, **options).eval()
    layer.running_mean = torch.randn(channels)
    layer.running_var = torch.rand(channels) + 0.1
    if layer.affine:
        nn.init.normal_(layer.weight)
        nn.init.normal_(layer.bias)
    return layer


def assert_same(layers: Callable[[Tensor], Tensor], maso: MASO, *size: int, scale: float = 1.0) -> None:
    """The layers and the MASO agree to 1e-12 on normal inputs of a size, and in the gradient in them."""
    x = (scale * torch.randn(32, *size)).requires_grad_()
    expected = layers(x).flatten(1)
    y = maso(x.flatten(1))
    assert y.shape == expected.shape
    torch.testing.assert_close(y, expected, rtol=TOLERANCE, atol=TOLERANCE)
    weight = torch.randn_like(y)
    gradients = [torch.autograd.grad((out * weight).sum(), x)[0] for out in (y, expected)]
    torch.testing.assert_close(*gradients, rtol=TOLERANCE, atol=TOLERANCE)


def prelu(*slopes: float) -> nn.PReLU:
    layer = nn.PReLU(len(slopes))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(slopes))
    return layer


ACTIVATIONS: dict[str, Callable[[], Any]] = {
    "ReLU": nn.ReLU,
    "leaky": lambda: nn.LeakyReLU(0.1),
    "leaky, negative": lambda: nn.LeakyReLU(-0.7),
    "leaky of slope 1": lambda: nn.LeakyReLU(1.0),
    "PReLU": lambda: prelu(0.3),
    "PReLU per channel": lambda: prelu(-2.0, -1.0, 0.0, 0.25, 1.0, 0.5),
    "abs": lambda: torch.abs,
    "relu function": lambda: F.relu,
    "BetaReLU": lambda: BetaReLU(1.0),
    "BetaReLU learnable": lambda: BetaReLU(1.0, learnable=True, num_channels=6),
    "BetaAbs": lambda: BetaAbs(1.0),
    "BetaLeakyReLU": lambda: BetaLeakyReLU(1.0, negative_slope=0.2),
    "BetaLeakyReLU per channel": lambda: BetaLeakyReLU(1.0, negative_slope=torch.linspace(-1, 1, 6), num_channels=6),
}
each_activation = pytest.mark.parametrize("name", ACTIVATIONS)

CONVOLUTIONS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "1-D": (lambda: nn.Conv1d(2, 6, 3), (2, 11)),
    "1-D, strided": (lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2), (4, 12)),
    "2-D": (lambda: nn.Conv2d(3, 6, 3), (3, 7, 5)),
    "2-D, no bias": (lambda: nn.Conv2d(2, 6, (3, 2), bias=False), (2, 6, 6)),
    "2-D, strided": (lambda: nn.Conv2d(4, 6, 3, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), (4, 8, 7)),
    "2-D, same": (lambda: nn.Conv2d(2, 6, (3, 5), padding="same"), (2, 6, 7)),
    "2-D, circular": (lambda: nn.Conv2d(2, 6, 3, padding=1, padding_mode="circular"), (2, 6, 5)),
    "2-D, reflected": (lambda: nn.Conv2d(2, 6, 3, padding=2, padding_mode="reflect"), (2, 6, 5)),
    "1 x 1": (lambda: nn.Conv2d(2, 6, 1), (2, 4, 5)),
}
each_convolution = pytest.mark.parametrize("name", CONVOLUTIONS)
