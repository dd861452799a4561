"""``detach_code=True``: the same value, gradients through the pieces alone, against formulas that detach the gate."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from betavq.functional import beta_abs, beta_leaky_relu, beta_relu
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaReLU

Plain = Callable[[Tensor, Tensor], Tensor]


def _leaky(slope: float) -> Plain:
    return lambda x, eta: x * (slope + (1 - slope) * torch.sigmoid(eta * abs(1 - slope) * x.detach()))


# The unit, and what it means in plain operators of x and η.
UNITS: dict[str, tuple[Callable[..., Tensor], Plain]] = {
    "relu": (beta_relu, lambda x, eta: x * torch.sigmoid(eta * x.detach())),
    "abs": (beta_abs, lambda x, eta: x * torch.tanh(eta * x.detach())),
    "leaky 0.2": (lambda x, **kw: beta_leaky_relu(x, 0.2, **kw), _leaky(0.2)),
    "leaky 1.5": (lambda x, **kw: beta_leaky_relu(x, 1.5, **kw), _leaky(1.5)),
}
every = pytest.mark.parametrize("name", UNITS)


def inputs(*shape: int) -> tuple[Tensor, Tensor]:
    x = 2 * torch.randn(4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    beta = torch.linspace(0.2, 0.8, max(1, math.prod(shape)), dtype=torch.float64).view(shape)
    return x.requires_grad_(), beta.requires_grad_()


@every
@pytest.mark.parametrize("shape", [(), (1, 3, 1), (4, 3, 5)])  # the last one takes the composite form
def test_first_and_second_derivatives(name: str, shape: tuple[int, ...]) -> None:
    unit, plain = UNITS[name]
    x, beta = inputs(*shape)
    results = []
    for y in (unit(x, beta=beta, detach_code=True), plain(x, beta / (1 - beta))):
        direct = torch.autograd.grad(y.square().sum(), (x, beta), retain_graph=True)
        first = torch.autograd.grad(y.square().sum(), (x, beta), create_graph=True)
        second = torch.autograd.grad(first[0].sin().sum() + first[1].square().sum(), (x, beta))
        results.append([y, *direct, *first, *second])
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-11)


@every
@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9, 1.0])
def test_value_and_gradient_of_a_number(name: str, beta: float) -> None:
    """The value is that of the unit, bit for bit; the gradient in the input is what multiplies it: value / input."""
    x, _ = inputs()
    y = UNITS[name][0](x, beta=beta, detach_code=True)
    assert torch.equal(y, UNITS[name][0](x, beta=beta))
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(slope, (y / x).detach(), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
def test_the_slope_learns_through_its_piece_alone(beta: float) -> None:
    x, _ = inputs()
    v = torch.tensor([0.1, 0.5, -0.3], dtype=torch.float64).view(3, 1).requires_grad_()
    b = torch.tensor(beta, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(beta_leaky_relu(x, v, beta=b, detach_code=True).sum(), v)
    eta = beta / (1 - beta) if beta < 1 else math.inf
    share = torch.sigmoid(-eta * (1 - v) * x) if eta else torch.full_like(x, 0.5)
    torch.testing.assert_close(found, (x * share).sum((0, 2)).view(3, 1).detach(), rtol=1e-12, atol=1e-12)


@every
def test_infinite_and_huge_inputs(name: str) -> None:
    for beta in (0.0, 0.5, 0.9, 1.0, torch.tensor(0.5, requires_grad=True), torch.full((6,), 0.5, requires_grad=True)):
        x = torch.tensor([math.inf, -math.inf, 3e38, -3e38, 0.0, 1.0], requires_grad=True)
        wanted = [x, beta] if isinstance(beta, Tensor) else [x]
        whole, detached = (UNITS[name][0](x, beta=beta, detach_code=flag) for flag in (False, True))
        assert torch.equal(whole, detached)
        slopes, expected = (torch.autograd.grad(y.sum(), wanted) for y in (detached, whole))
        torch.testing.assert_close(slopes[0][:5], expected[0][:5])  # there u σ'(u) is 0, or u is
        torch.testing.assert_close(slopes[1:], expected[1:])


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@every
def test_forward_mode_and_vmap(name: str) -> None:
    x, beta = (t.detach() for t in inputs(4, 3, 5))

    def unit(x: Tensor, beta: Tensor) -> Tensor:
        return UNITS[name][0](x, beta=beta, detach_code=True)

    tangents = (torch.ones_like(x), torch.full_like(beta, 0.5))
    _, found = torch.func.jvp(unit, (x, beta), tangents)
    x.requires_grad_()
    beta.requires_grad_()
    slopes = torch.autograd.grad(unit(x, beta).sum(), (x, beta))
    torch.testing.assert_close(found, slopes[0] + 0.5 * slopes[1], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.vmap(unit)(x, beta), unit(x, beta), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("module", [BetaReLU, BetaAbs, BetaLeakyReLU])
@pytest.mark.parametrize("learnable", [False, True])
def test_modules(module: type[BetaReLU], learnable: bool) -> None:
    function: Any = {BetaReLU: beta_relu, BetaAbs: beta_abs, BetaLeakyReLU: beta_leaky_relu}[module]
    layer = copy.deepcopy(module(0.6, learnable=learnable, detach_code=True))
    x = inputs()[0].detach().float().requires_grad_()
    slopes = [torch.autograd.grad(y.sum(), x)[0] for y in (layer(x), function(x, beta=0.6, detach_code=True))]
    torch.testing.assert_close(*slopes, rtol=1e-5, atol=1e-6)
    assert "detach_code=True" in repr(layer)
    assert "detach_code" not in repr(module())


def test_the_flag_is_a_bool() -> None:
    for function in (beta_relu, beta_abs, beta_leaky_relu, lambda x, **kw: BetaReLU(**kw)(x)):
        for wrong, shown in ((1, "1"), ("yes", "'yes'"), (None, "None")):
            with pytest.raises(TypeError, match=f"^detach_code must be True or False, got {shown}$"):
                function(torch.zeros(2), beta=0.5, detach_code=wrong)
