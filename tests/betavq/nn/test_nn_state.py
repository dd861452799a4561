"""β as the modules keep it: set, replaced, cast, moved, saved, loaded and replicated."""

from __future__ import annotations

import copy
import io
import math
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from betavq.nn import BetaAbs, BetaLeakyReLU, BetaReLU

modules = pytest.mark.parametrize("module", [BetaReLU, BetaAbs, BetaLeakyReLU])


def sample(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


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


def test_a_beta_that_an_optimiser_left_outside_can_be_saved_and_loaded() -> None:
    layer, x = BetaReLU(0.5, learnable=True), sample(5)
    with torch.no_grad():
        layer.beta.fill_(1.01)
    assert torch.equal(layer(x), x.relu())
    for assign in (False, True):
        other = BetaReLU(0.5, learnable=True)
        other.load_state_dict(layer.state_dict(), assign=assign)
        assert other.beta.item() == pytest.approx(1.01)


@pytest.mark.parametrize("learnable", [False, True])
def test_replicas_get_their_own_beta(learnable: bool) -> None:
    """What torch.nn.parallel.replicate does for nn.DataParallel on each device."""
    layer = BetaReLU(0.3, learnable=learnable)
    held = layer.beta
    replica = layer._replicate_for_data_parallel()  # type: ignore[no-untyped-call]
    replica.beta = torch.tensor(0.9)
    assert layer.beta is held
    assert held.item() == pytest.approx(0.3)
    assert replica.beta.item() == pytest.approx(0.9)
    x = sample(7)
    torch.testing.assert_close(replica(x), BetaReLU(0.9)(x))


@modules
@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize("from_learnable", [False, True])
@pytest.mark.parametrize("keep_vars", [False, True])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_loading(
    module: type[BetaReLU], learnable: bool, assign: bool, from_learnable: bool, keep_vars: bool, dtype: torch.dtype
) -> None:
    source = module(0.5, learnable=from_learnable)
    with torch.no_grad():
        source.beta.fill_(1.0625)  # where an optimiser may leave it
    state = source.state_dict(keep_vars=keep_vars)
    if dtype != torch.float32:
        state["beta"] = state["beta"].to(dtype)
    layer = nn.Sequential(module(0.5, learnable=learnable))
    layer.load_state_dict({"0.beta": state["beta"]}, assign=assign)
    beta = layer[0].beta
    assert beta.item() == 1.0625
    assert beta.dtype == (torch.float64 if assign and dtype == torch.float64 else torch.float32)
    assert layer[0].learnable == learnable
    assert beta.requires_grad == learnable
    layer[0].beta = 0.25  # setting works as before
    assert beta.item() == 0.25


def test_loading_another_shape() -> None:
    for assign in (False, True):
        layer = BetaReLU(0.5, num_channels=2)
        with pytest.raises(RuntimeError, match="size mismatch for beta"):
            layer.load_state_dict({"beta": torch.zeros(3)}, assign=assign)
        layer.beta = 0.75
        assert layer.beta.tolist() == [0.75, 0.75]


def test_a_number_is_set_to_the_precision_of_beta() -> None:
    layer = BetaReLU(0.5).double()
    layer.beta = 0.1
    assert layer.beta.item() == 0.1
    single = BetaReLU(0.5)
    torch.set_default_dtype(torch.float16)
    try:
        single.beta = 0.9999
    finally:
        torch.set_default_dtype(torch.float32)
    assert single.beta.item() == pytest.approx(0.9999, rel=1e-7)
    with torch.device("meta"):
        single.beta = 0.25
    assert single.beta.item() == 0.25


@pytest.mark.parametrize("learnable", [False, True])
def test_setting_on_the_meta_device_checks_alone(learnable: bool) -> None:
    with torch.device("meta"):
        layer = BetaReLU(0.3, learnable=learnable)
    layer.beta = 0.5
    assert layer.beta.is_meta
    with pytest.raises(ValueError, match=r"beta must be in \[0, 1\], got 1\.5"):
        layer.beta = 1.5


class _Logit(nn.Module):
    def forward(self, logit: Tensor) -> Tensor:
        return logit.sigmoid()

    def right_inverse(self, beta: Tensor) -> Tensor:
        return beta.logit()


def test_a_parametrised_beta_is_set_through_its_parametrisation() -> None:
    layer = BetaReLU(0.5, learnable=True, num_channels=2)
    parametrize.register_parametrization(layer, "beta", _Logit())
    for value, expected in ((0.3, [0.3, 0.3]), (torch.tensor([0.2, 0.9]), [0.2, 0.9])):
        layer.beta = value
        assert layer.beta.tolist() == pytest.approx(expected)
        assert layer.set_beta(0.4).beta.tolist() == pytest.approx([0.4, 0.4])
    for bad in (1.5, torch.zeros(3), torch.tensor([0.5, -1.0])):
        with pytest.raises(ValueError, match=r"^beta must "):
            layer.beta = bad
    layer(sample(3, 2)).sum().backward()
    assert layer.double().beta.dtype == torch.float64


@pytest.mark.parametrize(
    ("new", "error", "message"),
    [
        (torch.zeros(2, 2), ValueError, r"^beta must have shape \(3,\), got a Parameter of \(2, 2\)$"),
        (torch.tensor(0.5), ValueError, r"^beta must have shape \(3,\), got a Parameter of \(\)$"),
        (torch.full((3,), math.nan), ValueError, r"^beta must be in \[0, 1\], got nan$"),
        (torch.zeros(3, dtype=torch.complex64), TypeError, "^beta must be float16, bfloat16, float32 or float64"),
    ],
)
def test_a_parameter_that_does_not_fit(new: Tensor, error: type[Exception], message: str) -> None:
    for learnable in (False, True):
        layer: Any = BetaReLU(0.5, num_channels=3, learnable=learnable)
        with pytest.raises(error, match=message):
            layer.beta = nn.Parameter(new)
        assert layer.beta.tolist() == [0.5] * 3
        assert layer.learnable == learnable


def test_a_parameter_outside_is_taken_as_an_optimiser_leaves_it() -> None:
    layer = BetaReLU(0.5)
    layer.beta = nn.Parameter(torch.tensor(1.25))
    assert layer.learnable
    assert layer.beta.item() == 1.25


def test_a_tensor_of_slopes_is_copied() -> None:
    slopes = torch.tensor([0.1, 0.2])
    layer = BetaLeakyReLU(negative_slope=slopes)
    slopes.fill_(9.0)
    assert isinstance(layer.negative_slope, Tensor)
    assert layer.negative_slope.tolist() == pytest.approx([0.1, 0.2])
