"""MASO.from_layers: equal to the affine layers, activations and skips it is made from."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from layer_examples import ACTIVATIONS, CONVOLUTIONS, assert_same, each_activation, each_convolution, worn_batchnorm
from torch import nn

import betavq
from betavq import MASO
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaReLU

pytestmark = pytest.mark.usefixtures("float64_and_a_seed")


@pytest.mark.claim("C1")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("sizes", [(1, 1), (5, 3), (300, 200)])
def test_linear(sizes: tuple[int, int], bias: bool) -> None:
    """A linear layer is a MASO of one piece a unit."""
    layer = nn.Linear(*sizes, bias=bias)
    maso = MASO.from_layers(layer)
    assert maso.num_pieces == 1
    assert_same(layer, maso, sizes[0], scale=3.0)


@pytest.mark.claim("C1")
@each_activation
def test_linear_and_activation(name: str) -> None:
    """ReLU, leaky ReLU, PReLU and |u| of a linear layer are MASOs of two pieces a unit."""
    layer, activation = nn.Linear(4, 6), ACTIVATIONS[name]()
    maso = MASO.from_layers(layer, activation=activation)
    assert maso.num_pieces == 2
    assert_same(lambda x: activation(layer(x)), maso, 4, scale=3.0)


@pytest.mark.claim("C1")
@each_convolution
def test_convolution(name: str) -> None:
    """A convolution is a MASO of one piece a unit, its matrix on flattened images."""
    make, size = CONVOLUTIONS[name]
    layer = make()
    maso = MASO.from_layers(layer, input_size=size)
    assert maso.num_pieces == 1
    assert_same(layer, maso, *size)


@pytest.mark.claim("C1")
@each_activation
@pytest.mark.parametrize("convolution", ["1-D, strided", "2-D", "2-D, circular"])
def test_convolution_batchnorm_activation(name: str, convolution: str) -> None:
    """A convolution with its eval BatchNorm folded in and an activation is a MASO of two pieces a unit."""
    make, size = CONVOLUTIONS[convolution]
    layer, activation = make(), ACTIVATIONS[name]()
    batchnorm = worn_batchnorm(nn.BatchNorm1d if len(size) == 2 else nn.BatchNorm2d, 6)
    maso = MASO.from_layers(layer, batchnorm=batchnorm, activation=activation, input_size=size)
    assert maso.num_pieces == 2
    assert_same(lambda x: activation(batchnorm(layer(x))), maso, *size)


@pytest.mark.claim("C1")
@pytest.mark.parametrize("affine", [True, False])
def test_linear_and_batchnorm(affine: bool) -> None:
    """BatchNorm in eval mode is folded into the slopes and offsets of a linear layer."""
    layer, batchnorm = nn.Linear(5, 4), worn_batchnorm(nn.BatchNorm1d, 4, affine=affine, eps=0.1)
    assert_same(lambda x: batchnorm(layer(x)), MASO.from_layers(layer, batchnorm=batchnorm), 5)


@pytest.mark.claim("C1")
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_maxout(count: int) -> None:
    """Maxout is a MASO whose pieces are consecutive outputs, or channels, of an affine layer."""
    linear, conv = nn.Linear(4, 6), nn.Conv2d(2, 6, 3)
    maso = MASO.from_layers(linear, maxout=count)
    assert maso.slopes.shape == (6 // count, count, 4)
    assert_same(lambda x: linear(x).unflatten(1, (-1, count)).amax(2), maso, 4)
    assert_same(
        lambda x: conv(x).unflatten(1, (-1, count)).amax(2),
        MASO.from_layers(conv, maxout=count, input_size=(2, 5, 6)),
        *(2, 5, 6),
    )


def test_pieces_of_other_units() -> None:
    layer = nn.Linear(3, 2)
    relu = MASO.from_layers(layer, activation=nn.ReLU())
    assert torch.equal(relu.slopes, torch.stack((torch.zeros(2, 3), layer.weight), 1))
    assert torch.equal(relu.offsets, torch.stack((torch.zeros(2), layer.bias), 1))
    absolute = MASO.from_layers(layer, activation=torch.abs)
    assert torch.equal(absolute.slopes, torch.stack((-layer.weight, layer.weight), 1))
    halves = MASO.from_layers(layer, activation=nn.ReLU(), pool=nn.AvgPool1d(2))
    w = 0.5 * layer.weight
    torch.testing.assert_close(halves.slopes, torch.stack((0 * w[0], w[1], w[0], w[0] + w[1]))[None])
    skip = MASO.from_layers(layer, activation=nn.ReLU(), skip=torch.ones(2, 3))
    torch.testing.assert_close(skip.slopes, torch.stack((torch.ones(2, 3), 1 + layer.weight), 1))


@pytest.mark.claim("C1")
@pytest.mark.parametrize("name", ["ReLU", "leaky", "abs", "PReLU per channel"])
def test_skip_around_one_activation(name: str) -> None:
    """A skip connection around one activation adds its slopes to both pieces."""
    activation = ACTIVATIONS[name]()
    square, other, matrix = nn.Linear(6, 6), nn.Linear(6, 6), torch.randn(6, 6)
    assert_same(lambda x: x + activation(square(x)), MASO.from_layers(square, activation=activation, skip=True), 6)
    assert_same(
        lambda x: other(x) + activation(square(x)), MASO.from_layers(square, activation=activation, skip=other), 6
    )
    assert_same(
        lambda x: x @ matrix.t() + activation(square(x)),
        MASO.from_layers(square, activation=activation, skip=matrix),
        6,
    )


def test_skip_of_none_and_false_is_no_skip() -> None:
    layer = nn.Linear(2, 2)
    for skip in (None, False):
        assert torch.equal(MASO.from_layers(layer, skip=skip).slopes.squeeze(1), layer.weight)


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5])
def test_softened_units_are_those_of_the_library(beta: float) -> None:
    layer, x = nn.Linear(4, 3), torch.randn(20, 4)
    for hard, soft in (
        (nn.ReLU(), BetaReLU(beta).double()),
        (torch.abs, BetaAbs(beta).double()),
        (nn.LeakyReLU(0.1), BetaLeakyReLU(beta, negative_slope=0.1).double()),
    ):
        soft.beta = beta
        torch.testing.assert_close(MASO.from_layers(layer, activation=hard)(x, beta), soft(layer(x)))
    pooled = MASO.from_layers(layer, activation=nn.ReLU(), pool=nn.MaxPool1d(3))
    scores = torch.cat((torch.zeros(20, 1), layer(x)), 1)
    torch.testing.assert_close(pooled(x, beta).squeeze(1), betavq.value(scores, beta))


SEQUENCES: dict[str, Any] = {
    "a list": lambda *layers: MASO.from_layers(list(layers), input_size=(2, 6, 6)),
    "a tuple": lambda *layers: MASO.from_layers(layers, input_size=(2, 6, 6)),
    "nn.Sequential": lambda *layers: MASO.from_layers(nn.Sequential(*layers), input_size=(2, 6, 6)),
    "by place": lambda *layers: MASO.from_layers(*layers, input_size=(2, 6, 6)),
    "nested": lambda first, *layers: MASO.from_layers(
        [nn.Sequential(first, nn.Identity()), layers], input_size=(2, 6, 6)
    ),
}


@pytest.mark.parametrize("form", SEQUENCES)
def test_layers_in_order_are_those_given_by_name(form: str) -> None:
    conv, batchnorm = nn.Conv2d(2, 3, 3), worn_batchnorm(nn.BatchNorm2d, 3)
    for layers in (
        (conv, batchnorm, nn.ReLU(), nn.MaxPool2d(2)),
        (conv, nn.LeakyReLU(0.2)),
        (conv, batchnorm),
        (conv, nn.AvgPool2d(4)),
        (conv, batchnorm, BetaAbs(1.0)),
    ):
        assert_same(nn.Sequential(*layers), SEQUENCES[form](*layers), 2, 6, 6)


def test_a_function_may_stand_in_the_order_and_options_beside_it() -> None:
    conv = nn.Conv1d(2, 2, 3, padding=1)
    maso = MASO.from_layers([conv, torch.abs], skip=True, pool=nn.MaxPool1d(2), input_size=(2, 8))
    assert_same(lambda x: nn.MaxPool1d(2)(x + conv(x).abs()), maso, 2, 8)
    assert_same(
        lambda x: conv(x).unflatten(1, (-1, 2)).amax(2), MASO.from_layers([conv], maxout=2, input_size=(2, 8)), 2, 8
    )


def test_pieces_are_copies_in_the_layers_dtype() -> None:
    for dtype in (torch.float16, torch.float32):
        layer = nn.Linear(3, 3).to(dtype)
        kept = layer.weight.detach().clone()
        for options in ({}, {"activation": nn.ReLU()}, {"maxout": 3}, {"skip": True}, {"pool": nn.AvgPool1d(1)}):
            maso = MASO.from_layers(layer, **options)
            assert maso.slopes.dtype == maso.offsets.dtype == dtype
            assert maso.slopes.requires_grad
            with torch.no_grad():
                maso.slopes.zero_()
                maso.offsets.zero_()
            assert torch.equal(layer.weight, kept)
            assert layer.bias.all()


def test_layers_keep_their_gradients_and_mode() -> None:
    conv = nn.Conv2d(1, 2, 2).train()
    MASO.from_layers(conv, activation=nn.ReLU(), input_size=(1, 3, 3)).slopes.sum().backward()
    assert conv.weight.grad is None
    assert conv.bias is not None
    assert conv.bias.any()
    assert conv.training
