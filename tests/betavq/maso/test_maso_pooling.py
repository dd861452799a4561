"""MASO.from_layers with pools: equal to the layers, and which pieces it has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from layer_examples import ACTIVATIONS, TOLERANCE, assert_same, worn_batchnorm
from torch import nn

from betavq import MASO

pytestmark = pytest.mark.usefixtures("float64_and_a_seed")

MAX_POOLS: dict[str, Callable[[], nn.MaxPool2d]] = {
    "2": lambda: nn.MaxPool2d(2),
    "3, strided, padded": lambda: nn.MaxPool2d(3, stride=2, padding=1),
    "oblong": lambda: nn.MaxPool2d((1, 3), stride=(3, 1), padding=(0, 1)),
    "dilated": lambda: nn.MaxPool2d(2, stride=1, dilation=(2, 3)),
    "up to the ceiling": lambda: nn.MaxPool2d(2, ceil_mode=True, padding=1),
    "whole": lambda: nn.MaxPool2d((6, 5)),
}


@pytest.mark.claim("C1")
@pytest.mark.parametrize("pool", MAX_POOLS)
@pytest.mark.parametrize("name", [None, "ReLU", "leaky", "PReLU per channel", "abs"])
def test_max_pool(pool: str, name: str | None) -> None:
    """Max-pooling of linear or activated units is a MASO of the pieces of all units in a window."""
    layer, pooling = nn.Conv2d(2, 6, 3), MAX_POOLS[pool]()
    activation = ACTIVATIONS[name]() if name else None
    maso = MASO.from_layers(layer, activation=activation, pool=pooling, input_size=(2, 8, 7))
    window = pooling(torch.zeros(1, 1, 6, 5)).numel() * 6
    assert maso.num_units == window
    assert_same(lambda x: pooling(activation(layer(x)) if activation else layer(x)), maso, 2, 8, 7)


@pytest.mark.claim("C1")
def test_pieces_of_max_pooled_relus() -> None:
    """Max-pooling P ReLUs takes P + 1 pieces: the constant 0, then each linear unit."""
    layer = nn.Linear(3, 4)
    maso = MASO.from_layers(layer, activation=nn.ReLU(), pool=nn.MaxPool1d(2))
    expected = [torch.cat((torch.zeros(1, 3), rows)) for rows in (layer.weight[:2], layer.weight[2:])]
    assert torch.equal(maso.slopes, torch.stack(expected))
    assert torch.equal(maso.offsets, torch.cat((torch.zeros(2, 1), layer.bias.view(2, 2)), 1))
    conv = nn.Conv2d(2, 3, 3, padding=1)
    pooled = MASO.from_layers(conv, activation=nn.ReLU(), pool=nn.MaxPool2d(3, 2, 1), input_size=(2, 6, 6))
    assert pooled.num_pieces == 10
    in_padding = pooled.offsets.isneginf()
    assert in_padding.sum(1).view(3, 3, 3)[0].tolist() == [[5, 3, 3], [3, 0, 0], [3, 0, 0]]
    assert not pooled.slopes[in_padding].any()


def test_max_pool_after_a_linear_layer_is_maxout() -> None:
    layer, x = nn.Linear(4, 6), torch.randn(9, 4)
    pooled, maxout = MASO.from_layers(layer, pool=nn.MaxPool1d(3)), MASO.from_layers(layer, maxout=3)
    assert torch.equal(pooled.slopes, maxout.slopes)
    assert torch.equal(pooled.offsets, maxout.offsets)
    torch.testing.assert_close(pooled(x), F.max_pool1d(layer(x), 3), rtol=TOLERANCE, atol=TOLERANCE)


AVERAGE_POOLS: dict[str, Callable[[], nn.AvgPool2d]] = {
    "2": lambda: nn.AvgPool2d(2),
    "3": lambda: nn.AvgPool2d(3, stride=2),
    "padded": lambda: nn.AvgPool2d(2, padding=1),
    "padding left out": lambda: nn.AvgPool2d((2, 3), stride=2, padding=(1, 1), count_include_pad=False),
    "up to the ceiling": lambda: nn.AvgPool2d(2, ceil_mode=True),
    "another divisor": lambda: nn.AvgPool2d(2, stride=3, divisor_override=7),
}


@pytest.mark.claim("C1")
@pytest.mark.parametrize("pool", AVERAGE_POOLS)
@pytest.mark.parametrize("name", [None, "ReLU", "leaky, negative", "abs"])
def test_average_pool(pool: str, name: str | None) -> None:
    """Average-pooling keeps affine units affine, and takes 2^P pieces for P units of two pieces."""
    layer, pooling = nn.Conv2d(1, 2, 2), AVERAGE_POOLS[pool]()
    activation = ACTIVATIONS[name]() if name else None
    maso = MASO.from_layers(layer, activation=activation, pool=pooling, input_size=(1, 6, 6))
    kernel = pooling.kernel_size if isinstance(pooling.kernel_size, tuple) else (pooling.kernel_size,) * 2
    assert maso.num_pieces == (1 if name is None else 2 ** (kernel[0] * kernel[1]))
    assert_same(lambda x: pooling(activation(layer(x)) if activation else layer(x)), maso, 1, 6, 6)


@pytest.mark.claim("C1")
@pytest.mark.parametrize("pool", [nn.MaxPool1d(3, 2, 1), nn.AvgPool1d(3, 2, 1), nn.AvgPool1d(2)])
def test_pools_in_one_dimension(pool: nn.MaxPool1d | nn.AvgPool1d) -> None:
    """The 1-D pools along a signal, and along the outputs of a linear layer."""
    conv, linear, relu = nn.Conv1d(2, 3, 3), nn.Linear(4, 7), nn.ReLU()
    maso = MASO.from_layers(conv, activation=relu, pool=pool, input_size=(2, 9))
    assert_same(lambda x: pool(relu(conv(x))), maso, 2, 9)
    assert_same(lambda x: pool(relu(linear(x))), MASO.from_layers(linear, activation=relu, pool=pool), 4)


@pytest.mark.claim("C1")
def test_a_larger_image() -> None:
    """Convolution, BatchNorm, leaky ReLU and padded max-pooling of images of 3 × 24 × 24."""
    layer, batchnorm = nn.Conv2d(3, 8, 5, stride=2, padding=2), worn_batchnorm(nn.BatchNorm2d, 8)
    activation, pool = nn.LeakyReLU(0.2), nn.MaxPool2d(3, 2, 1)
    maso = MASO.from_layers(layer, batchnorm=batchnorm, activation=activation, pool=pool, input_size=(3, 24, 24))
    assert maso.slopes.shape == (8 * 6 * 6, 18, 3 * 24 * 24)
    assert_same(lambda x: pool(activation(batchnorm(layer(x)))), maso, 3, 24, 24)


@pytest.mark.claim("C1")
def test_skip_around_a_convolution_and_its_pool() -> None:
    """A skip of images: themselves, or a convolution of them; pooling follows."""
    conv, shortcut, relu = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 1), nn.ReLU()
    batchnorm, pool = worn_batchnorm(nn.BatchNorm2d, 2), nn.MaxPool2d(2)
    for skip, added in ((True, lambda x: x), (shortcut, shortcut)):
        maso = MASO.from_layers(conv, batchnorm=batchnorm, activation=relu, skip=skip, pool=pool, input_size=(2, 6, 4))
        assert maso.num_pieces == 8
        assert_same(lambda x, added=added: pool(added(x) + relu(batchnorm(conv(x)))), maso, 2, 6, 4)
