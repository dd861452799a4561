"""The modules: the numbers of the functions, one β or one a channel, slopes, errors that name the argument."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from betavq.functional import beta_abs, beta_leaky_relu, beta_relu
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaReLU

MODULES = {BetaReLU: beta_relu, BetaAbs: beta_abs, BetaLeakyReLU: beta_leaky_relu}
modules = pytest.mark.parametrize("module", MODULES)


def sample(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@modules
@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 1.0])
def test_same_as_the_function(module: type[BetaReLU], learnable: bool, beta: float) -> None:
    x = sample(2, 3, 4)
    layer = module(beta, learnable=learnable)
    torch.testing.assert_close(layer(x), MODULES[module](x, beta=beta), rtol=2e-6, atol=1e-9)
    if beta in (0.0, 1.0):
        assert torch.equal(layer(x), MODULES[module](x, beta=beta))


@modules
@pytest.mark.parametrize("channel_dim", [0, 1, 2, -1])
def test_one_beta_per_channel(module: type[BetaReLU], channel_dim: int) -> None:
    x = sample(3, 3, 3)
    layer = module(torch.tensor([0.0, 0.4, 1.0]), num_channels=3, channel_dim=channel_dim)
    for channel, beta in enumerate([0.0, 0.4, 1.0]):
        y = layer(x).select(channel_dim, channel)
        torch.testing.assert_close(y, MODULES[module](x.select(channel_dim, channel), beta=beta), rtol=2e-6, atol=1e-9)


def test_number_of_channels() -> None:
    assert BetaReLU().num_channels is None
    assert BetaReLU(0.3, num_channels=2).beta.tolist() == pytest.approx([0.3, 0.3])
    assert BetaReLU(torch.tensor([0.1, 0.2])).num_channels == 2


@modules
def test_beta_is_a_parameter_or_a_buffer_and_the_only_key(module: type[BetaReLU]) -> None:
    fixed, learnable = module(0.3), module(0.3, learnable=True)
    assert list(fixed.state_dict()) == list(learnable.state_dict()) == ["beta"]
    assert not list(fixed.parameters())
    assert [p.shape for p in learnable.parameters()] == [()]
    assert (fixed.learnable, learnable.learnable) == (False, True)
    fixed.load_state_dict(module(0.7, learnable=True).state_dict())
    assert fixed.beta.item() == pytest.approx(0.7)


def test_slopes_of_the_leaky_module() -> None:
    x, slopes = sample(4, 3, 5), torch.tensor([0.01, 1.0, 2.5])
    layer = BetaLeakyReLU(0.5, negative_slope=slopes)
    torch.testing.assert_close(layer(x), beta_leaky_relu(x, slopes.view(3, 1), beta=0.5))
    assert list(layer.state_dict()) == ["beta", "negative_slope"]
    last = BetaLeakyReLU(1.0, negative_slope=slopes[:2], num_channels=2, channel_dim=-1)
    assert torch.equal(last(x[..., :2])[..., 1], x[..., 1])
    assert torch.equal(BetaLeakyReLU(1.0)(x), nn.functional.leaky_relu(x))
    learned = BetaLeakyReLU(0.5, negative_slope=nn.Parameter(slopes))
    learned(x).sum().backward()
    assert isinstance(learned.negative_slope, nn.Parameter)
    assert learned.negative_slope.grad is not None
    assert (learned.negative_slope.grad != 0).all()


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (BetaReLU(), "BetaReLU(beta=0.5)"),
        (BetaReLU(0.99999), "BetaReLU(beta=0.99999)"),
        (BetaReLU(torch.tensor([0.3, 0.3])), "BetaReLU(beta=0.3, num_channels=2)"),
        (BetaReLU(1 - 2**-24), "BetaReLU(beta=0.9999999)"),
        (BetaAbs(0.25, learnable=True), "BetaAbs(beta=0.25, learnable=True)"),
        (
            BetaReLU(torch.tensor([0.1, 0.9]), channel_dim=-1),
            "BetaReLU(beta=0.1..0.9, num_channels=2, channel_dim=-1)",
        ),
        (BetaLeakyReLU(negative_slope=0.2), "BetaLeakyReLU(beta=0.5, negative_slope=0.2)"),
        (
            BetaLeakyReLU(negative_slope=torch.tensor([0.2, 0.3])),
            "BetaLeakyReLU(beta=0.5, negative_slope=tensor of shape (2,))",
        ),
    ],
)
def test_representation(layer: nn.Module, text: str) -> None:
    assert repr(layer) == text


def test_errors_name_the_argument() -> None:
    for bad in (1.2, -0.1, math.nan, torch.tensor([0.5, 1.2])):
        with pytest.raises(ValueError, match=r"beta must be in \[0, 1\], got (1\.2|-0\.1|nan)"):
            BetaReLU(bad)
    with pytest.raises(TypeError, match=r"beta must be a number or a floating tensor, got '0\.5'"):
        BetaReLU("0.5")  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match=r"beta must be a number or of shape \(num_channels,\) = \(3,\), got shape \(2,\)"
    ):
        BetaReLU(torch.tensor([0.1, 0.2]), num_channels=3)
    with pytest.raises(ValueError, match=r"beta must be a number or of shape \(num_channels,\), got shape \(2, 2\)"):
        BetaReLU(torch.zeros(2, 2))
    with pytest.raises(ValueError, match="num_channels must be at least 1, got 0"):
        BetaReLU(num_channels=0)
    with pytest.raises(TypeError, match=r"num_channels must be an integer, got 2\.0"):
        BetaReLU(num_channels=2.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="channel_dim must be an integer, got None"):
        BetaReLU(channel_dim=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="negative_slope must be finite in float32, got inf"):
        BetaLeakyReLU(negative_slope=math.inf)
    with pytest.raises(
        ValueError, match=r"negative_slope must be a number or of shape \(num_channels,\) = \(3,\), got shape \(2,\)"
    ):
        BetaLeakyReLU(negative_slope=torch.zeros(2), num_channels=3)
    with pytest.raises(ValueError, match=r"beta must be a number or of shape \(num_channels,\), got shape \(0,\)"):
        BetaReLU(torch.empty(0))
    for slope in (torch.empty(0), torch.zeros(2, 2)):
        with pytest.raises(ValueError, match=r"negative_slope must be a number or of shape \(num_channels,\), got"):
            BetaLeakyReLU(negative_slope=slope)
    for number in (math.nan, 1e39):
        for wrong in (number, torch.tensor(number, dtype=torch.float64)):
            with pytest.raises(ValueError, match=r"negative_slope must be finite in float32, got (nan|1e\+39)"):
                BetaLeakyReLU(negative_slope=wrong)
    layer = BetaReLU(num_channels=3)
    with pytest.raises(ValueError, match=r"input must have num_channels=3 at channel_dim=1, got shape \(2, 5\)"):
        layer(torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"input must have num_channels=3 at channel_dim=1, got shape \(3,\)"):
        layer(torch.zeros(3))
    with pytest.raises(TypeError, match=r"input must be float16, bfloat16, float32 or float64, got torch\.int64"):
        layer(torch.zeros(2, 3, dtype=torch.int64))
