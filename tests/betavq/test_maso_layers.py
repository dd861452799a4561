"""MASO.from_layers: equal to the layers it is made from, which pieces it has, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import betavq
from betavq import MASO
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaReLU

TOLERANCE = 1e-12


@pytest.fixture(autouse=True)
def float64_and_a_seed() -> Iterator[None]:
    """Layers are made in float64, with the same random weights in every run."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.set_default_dtype(torch.float64)
        yield
        torch.set_default_dtype(torch.float32)


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


@pytest.mark.claim("C1")
def test_skip_around_a_convolution_and_its_pool() -> None:
    """A skip of images: themselves, or a convolution of them; pooling follows."""
    conv, shortcut, relu = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 1), nn.ReLU()
    batchnorm, pool = worn_batchnorm(nn.BatchNorm2d, 2), nn.MaxPool2d(2)
    for skip, added in ((True, lambda x: x), (shortcut, shortcut)):
        maso = MASO.from_layers(conv, batchnorm=batchnorm, activation=relu, skip=skip, pool=pool, input_size=(2, 6, 4))
        assert maso.num_pieces == 8
        assert_same(lambda x, added=added: pool(added(x) + relu(batchnorm(conv(x)))), maso, 2, 6, 4)


def test_skip_of_none_and_false_is_no_skip() -> None:
    layer = nn.Linear(2, 2)
    for skip in (None, False):
        assert torch.equal(MASO.from_layers(layer, skip=skip).slopes.squeeze(1), layer.weight)


@pytest.mark.claim("C1")
def test_a_larger_image() -> None:
    """Convolution, BatchNorm, leaky ReLU and padded max-pooling of images of 3 × 24 × 24."""
    layer, batchnorm = nn.Conv2d(3, 8, 5, stride=2, padding=2), worn_batchnorm(nn.BatchNorm2d, 8)
    activation, pool = nn.LeakyReLU(0.2), nn.MaxPool2d(3, 2, 1)
    maso = MASO.from_layers(layer, batchnorm=batchnorm, activation=activation, pool=pool, input_size=(3, 24, 24))
    assert maso.slopes.shape == (8 * 6 * 6, 18, 3 * 24 * 24)
    assert_same(lambda x: pool(activation(batchnorm(layer(x)))), maso, 3, 24, 24)


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


LINEAR, CONV = nn.Linear(4, 6), nn.Conv2d(2, 6, 3)
IMAGE = {"input_size": (2, 8, 8)}


@pytest.mark.parametrize(
    ("layer", "options", "error", "message"),
    [
        (nn.Flatten(), {}, TypeError, "layer must be an nn.Linear, nn.Conv1d or nn.Conv2d, got Flatten"),
        (LINEAR, {"input_size": (4,)}, ValueError, r"input_size must be None where layer is an nn.Linear, got \(4,\)"),
        (CONV, {}, ValueError, r"input_size must be \(C, H, W\) with C = 2 for layer, an nn.Conv2d, got None"),
        (CONV, {"input_size": (2, 8)}, ValueError, r"\(C, H, W\) with C = 2 .*, got \(2, 8\)"),
        (CONV, {"input_size": (3, 8, 8)}, ValueError, r"C = 2 for layer, an nn.Conv2d, got \(3, 8, 8\)"),
        (CONV, {"input_size": (2, 8, 0)}, ValueError, "input_size's entries must be at least 1, got 0"),
        (CONV, {"input_size": (2, 8.0, 8)}, TypeError, "input_size's entries must be an integer, got 8.0"),
        (CONV, {"input_size": (2, 2, 8)}, ValueError, r"input_size must be large enough for layer, got \(2, 2, 8\)"),
        (LINEAR, {"batchnorm": nn.BatchNorm1d(6)}, ValueError, "batchnorm must be in eval mode, got .* training"),
        (
            LINEAR,
            {"batchnorm": nn.BatchNorm1d(6, track_running_stats=False).eval()},
            ValueError,
            "batchnorm must keep running statistics",
        ),
        (LINEAR, {"batchnorm": nn.BatchNorm1d(5).eval()}, ValueError, "batchnorm must have 6 features, got 5"),
        (LINEAR, {"batchnorm": nn.BatchNorm2d(6).eval()}, TypeError, "batchnorm must be an nn.BatchNorm1d .*2d"),
        (CONV, IMAGE | {"batchnorm": nn.LayerNorm(6)}, TypeError, "must be an nn.BatchNorm2d .*, got LayerNorm"),
        (LINEAR, {"activation": nn.Tanh()}, TypeError, "activation must be None, nn.ReLU, .*, got Tanh"),
        (LINEAR, {"activation": torch.tanh}, TypeError, "activation must be None, nn.ReLU, .*, got tanh"),
        (LINEAR, {"activation": nn.ReLU}, TypeError, "activation must be None, nn.ReLU, .*, got ReLU"),
        (LINEAR, {"activation": nn.LeakyReLU(1.5)}, ValueError, r"slopes up to 1, got 1.5: .* no MASO"),
        (LINEAR, {"activation": prelu(0, 1, 2, 3, 0, 0)}, ValueError, "slopes up to 1, got 2: "),
        (LINEAR, {"activation": prelu(0, 1)}, ValueError, "activation must have 1 or 6 slopes, got 2"),
        (LINEAR, {"activation": BetaReLU(0.5)}, ValueError, "activation must have beta = 1, got 0.5"),
        (
            LINEAR,
            {"activation": BetaLeakyReLU(1.0, negative_slope=torch.zeros(6), channel_dim=0)},
            ValueError,
            "channels at channel_dim=1, got 0",
        ),
        (
            LINEAR,
            {"maxout": 4},
            ValueError,
            r"maxout must divide the number of outputs \(channels\) of layer, 6, got 4",
        ),
        (LINEAR, {"maxout": 0}, ValueError, "maxout must be at least 1, got 0"),
        (LINEAR, {"maxout": True}, TypeError, "maxout must be an integer, got True"),
        (LINEAR, {"maxout": 2, "activation": nn.ReLU()}, ValueError, "maxout must be None where an activation is"),
        (LINEAR, {"skip": True}, ValueError, r"skip=True must add .* same shape, got \(4,\) and \(6,\)"),
        (LINEAR, {"skip": torch.zeros(4, 6)}, ValueError, r"skip must be a matrix of shape \(6, 4\), .* got \(4, 6\)"),
        (LINEAR, {"skip": torch.zeros(6, 4, dtype=torch.int)}, TypeError, "skip must be float16"),
        (LINEAR, {"skip": nn.Linear(4, 5)}, ValueError, r"skip must have outputs \(6,\) of 4 inputs, got \(5,\) of 4"),
        (LINEAR, {"skip": nn.Linear(3, 6)}, ValueError, r"skip must have outputs \(6,\) of 4 inputs, got \(6,\) of 3"),
        (LINEAR, {"skip": nn.ReLU()}, TypeError, "skip must be an nn.Linear, nn.Conv1d or nn.Conv2d, got ReLU"),
        (LINEAR, {"skip": 1.0}, TypeError, "skip must be True, a layer, a matrix or None, got float"),
        (CONV, IMAGE | {"skip": nn.Conv2d(2, 6, 5)}, ValueError, r"skip must have outputs \(6, 6, 6\) of 128 inputs"),
        (LINEAR, {"pool": nn.MaxPool2d(2)}, TypeError, "pool must be an nn.MaxPool1d or nn.AvgPool1d .*MaxPool2d"),
        (CONV, IMAGE | {"pool": nn.AdaptiveAvgPool2d(1)}, TypeError, "pool must be .* got AdaptiveAvgPool2d"),
        (CONV, IMAGE | {"pool": nn.MaxPool2d(2, return_indices=True)}, ValueError, "return_indices=False"),
        (CONV, IMAGE | {"pool": nn.MaxPool2d(9)}, ValueError, r"pool must fit outputs of shape \(6, 6, 6\)"),
        (
            CONV,
            IMAGE | {"activation": nn.ReLU(), "pool": nn.AvgPool2d(2, divisor_override=-1)},
            ValueError,
            "pool must have a positive divisor_override",
        ),
        (
            CONV,
            IMAGE | {"activation": nn.ReLU(), "pool": nn.AvgPool2d(4)},
            ValueError,
            r"max_pieces must allow for 2\*\*16 = 65536 pieces, .* got 1024",
        ),
        (CONV, IMAGE | {"max_pieces": 0, "pool": nn.AvgPool2d(2)}, ValueError, "max_pieces must be at least 1, got 0"),
    ],
)
def test_bad_layers_are_named(layer: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MASO.from_layers(layer, **options)


def test_limit_of_pieces_can_be_raised() -> None:
    layer, pool = nn.Linear(3, 11), nn.AvgPool1d(11)
    with pytest.raises(ValueError, match=r"2\*\*11 = 2048 pieces"):
        MASO.from_layers(layer, activation=nn.ReLU(), pool=pool, max_pieces=2047)
    maso = MASO.from_layers(layer, activation=nn.ReLU(), pool=pool, max_pieces=2048)
    assert_same(lambda x: pool(layer(x).relu()), maso, 3)
    with pytest.raises(ValueError, match=r"2\*\*196 pieces"):
        MASO.from_layers(nn.Linear(3, 196), activation=nn.ReLU(), pool=nn.AvgPool1d(196))


def test_slopes_beyond_any_memory_are_refused_before_they_are_made() -> None:
    with pytest.raises(
        ValueError, match=r"\(K, R, D\) = \(3154176, 1, 150528\), .* 3,798,334,439,424 bytes, got 1,073,741,824"
    ):
        MASO.from_layers(nn.Conv2d(3, 64, 3), input_size=(3, 224, 224))


@pytest.mark.parametrize(
    ("options", "pieces", "units"),
    [
        ({}, 1, 4 * 64),
        ({"activation": nn.ReLU()}, 2, 4 * 64),
        ({"pool": nn.MaxPool2d(3, 1, 1)}, 9, 4 * 64),
        ({"activation": nn.ReLU(), "pool": nn.MaxPool2d(3, 1, 1)}, 10, 4 * 64),
        ({"activation": nn.ReLU(), "pool": nn.AvgPool2d(2, 1)}, 16, 4 * 49),
    ],
)
def test_limit_of_bytes_is_exact(options: dict[str, Any], pieces: int, units: int) -> None:
    layer, size = nn.Conv2d(2, 4, 3, padding=1), (2, 8, 8)
    needed = units * pieces * 128 * 8
    maso = MASO.from_layers(layer, input_size=size, max_bytes=needed, **options)
    assert maso.slopes.numel() * maso.slopes.element_size() == needed
    message = f"max_bytes must allow for slopes of shape .* = .{units}, {pieces}, 128., which take {needed:,} bytes"
    with pytest.raises(ValueError, match=message):
        MASO.from_layers(layer, input_size=size, max_bytes=needed - 1, **options)
