"""The modules: the same numbers as the functions, a β that is kept, set, saved, moved and learned."""

from __future__ import annotations

import copy
import io
import math
import pickle

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


@modules
@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_beta_stays_in_float32_under_half(module: type[BetaReLU], learnable: bool, dtype: torch.dtype) -> None:
    model = nn.Sequential(nn.Linear(2, 2), module(0.9999, learnable=learnable))
    layer = model[1]
    before = layer.beta.clone()
    if learnable:
        layer(sample(2, 2)).sum().backward()
    model.to(dtype)
    assert model[0].weight.dtype == dtype
    assert layer.beta.dtype == torch.float32
    assert torch.equal(layer.beta, before)  # in float16 it would be 1
    if learnable:
        assert isinstance(layer.beta, nn.Parameter)
        assert layer.beta.grad is not None
        assert layer.beta.grad.dtype == torch.float32
    assert model(sample(2, 2).to(dtype)).dtype == dtype
    assert layer.double().beta.dtype == torch.float64
    assert layer.half().beta.dtype == torch.float32


def test_meta_device_and_materialisation() -> None:
    with torch.device("meta"):
        fixed, learnable = BetaReLU(0.3, num_channels=2), BetaReLU(0.3, learnable=True)
    assert fixed.beta.is_meta
    assert repr(fixed) == "BetaReLU(beta=?, num_channels=2)"
    assert fixed(torch.empty(4, 2, device="meta")).shape == (4, 2)
    fixed.load_state_dict({"beta": torch.tensor([0.25, 0.75])}, assign=True)
    learnable.load_state_dict({"beta": torch.tensor(0.25, dtype=torch.float16)}, assign=True)
    assert fixed.beta.tolist() == [0.25, 0.75]
    assert (learnable.beta.item(), learnable.beta.dtype, learnable.learnable) == (0.25, torch.float32, True)
    empty = BetaReLU(0.3, learnable=True).to("meta").to_empty(device="cpu")
    assert empty.beta.device.type == "cpu"
    empty.beta = 0.5
    assert empty.beta.item() == 0.5


@modules
def test_copies_and_pickles(module: type[BetaReLU]) -> None:
    layer = module(torch.tensor([0.2, 0.8]), learnable=True, channel_dim=-1)
    saved = io.BytesIO()
    torch.save(layer, saved)
    saved.seek(0)
    x = sample(3, 2)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), torch.load(saved, weights_only=False)):
        assert torch.equal(other(x), layer(x))
        other.beta = 0.0
        assert layer.beta.tolist() == pytest.approx([0.2, 0.8])
        assert repr(other) != repr(layer)


@pytest.mark.parametrize("learnable", [False, True])
def test_setting_beta_keeps_the_tensor(learnable: bool) -> None:
    layer = BetaReLU(0.5, learnable=learnable, num_channels=2)
    held = layer.beta
    layer.beta = 0.25
    assert layer.beta is held
    assert held.tolist() == [0.25, 0.25]
    layer.beta = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert held.tolist() == [0.0, 1.0]
    assert layer.set_beta(0.75) is layer
    assert held.tolist() == [0.75, 0.75]
    for bad in (1.5, -0.1, math.nan, torch.tensor([0.5, 1.5])):
        with pytest.raises(ValueError, match=r"beta must be in \[0, 1\], got"):
            layer.beta = bad
    with pytest.raises(ValueError, match=r"beta must have shape \(2,\) or \(\), got \(3,\)"):
        layer.set_beta(torch.zeros(3))
    for wrong in ("0.5", True, torch.tensor(1)):
        with pytest.raises(TypeError, match="beta must be"):
            layer.beta = wrong
    assert held.tolist() == [0.75, 0.75]


def test_replacing_the_parameter() -> None:
    layer = BetaReLU(0.5, learnable=True)
    new = nn.Parameter(torch.tensor(0.1))
    layer.beta = new
    assert layer.beta is new
    layer.beta = nn.Parameter(torch.tensor(0.5, dtype=torch.bfloat16))
    assert layer.beta.dtype == torch.float32
    assert isinstance(layer.beta, nn.Parameter)


@modules
def test_learnable_beta_reaches_zero_and_leaves_it(module: type[BetaReLU]) -> None:
    x = sample(200)
    layer = module(0.2, learnable=True)
    sgd = torch.optim.SGD(layer.parameters(), lr=0.05)

    def train(target: Tensor, steps: int) -> float:
        for _ in range(steps):
            sgd.zero_grad()
            (layer(x) - target).square().mean().backward()
            sgd.step()
        return layer.beta.item()

    function = MODULES[module]
    # x²/4 less than x/2 is beyond what β = 0 can give: it is pushed out, and held at the end.
    assert train(function(x, beta=0.0) - x.square() / 4, 200) <= 0
    assert torch.equal(layer(x), function(x, beta=0.0))
    assert train(function(x, beta=0.6), 2000) == pytest.approx(0.6, abs=0.02)


@modules
def test_gradients_pass_inward_and_stop_outward_at_both_ends(module: type[BetaReLU]) -> None:
    x = sample(50)
    for beta, sign in ((0.0, -1.0), (0.0, 1.0), (-0.3, -1.0), (-0.3, 1.0)):
        layer = module(0.5, learnable=True)
        with torch.no_grad():
            layer.beta.fill_(beta)
        (sign * layer(x).sum()).backward()
        assert layer.beta.grad is not None
        inward = sign < 0  # descending −y(β) raises β
        assert (layer.beta.grad.item() != 0) == inward


def test_clamp_at_one_lets_a_pull_inward_through() -> None:
    from betavq._hardness import clamp_beta

    for start in (1.0, 1.3):
        beta = torch.tensor(start, requires_grad=True)
        (pull,) = torch.autograd.grad(2 * clamp_beta(beta), beta)
        (push,) = torch.autograd.grad(-2 * clamp_beta(beta), beta)
        assert (clamp_beta(beta).item(), pull.item(), push.item()) == (1.0, 2.0, 0.0)
    inner = torch.tensor(0.5, requires_grad=True)
    assert torch.autograd.grad(-2 * clamp_beta(inner), inner)[0].item() == -2


def test_a_beta_that_an_optimiser_left_outside_can_be_saved_and_loaded() -> None:
    layer, x = BetaReLU(0.5, learnable=True), sample(5)
    with torch.no_grad():
        layer.beta.fill_(1.01)
    assert torch.equal(layer(x), x.relu())
    for assign in (False, True):
        other = BetaReLU(0.5, learnable=True)
        other.load_state_dict(layer.state_dict(), assign=assign)
        assert other.beta.item() == pytest.approx(1.01)


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
    with pytest.raises(ValueError, match="negative_slope must be finite, got inf"):
        BetaLeakyReLU(negative_slope=math.inf)
    with pytest.raises(
        ValueError, match=r"negative_slope must be a number or of shape \(num_channels,\), got shape \(2,\)"
    ):
        BetaLeakyReLU(negative_slope=torch.zeros(2), num_channels=3)
    layer = BetaReLU(num_channels=3)
    with pytest.raises(ValueError, match=r"input must have num_channels=3 at channel_dim=1, got shape \(2, 5\)"):
        layer(torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"input must have num_channels=3 at channel_dim=1, got shape \(3,\)"):
        layer(torch.zeros(3))
    with pytest.raises(TypeError, match=r"input must be float16, bfloat16, float32 or float64, got torch\.int64"):
        layer(torch.zeros(2, 3, dtype=torch.int64))
