"""A β that is learned: what its gradient lets through, and that optimisers reach an end and leave it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from betavq import clamp_betas
from betavq.functional import beta_abs, beta_leaky_relu, beta_relu
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaReLU

MODULES = {BetaReLU: beta_relu, BetaAbs: beta_abs, BetaLeakyReLU: beta_leaky_relu}
modules = pytest.mark.parametrize("module", MODULES)


def sample(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


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
    from betavq._numerics.hardness import clamp_beta

    for start in (1.0, 1.3):
        beta = torch.tensor(start, requires_grad=True)
        (pull,) = torch.autograd.grad(2 * clamp_beta(beta), beta)
        (push,) = torch.autograd.grad(-2 * clamp_beta(beta), beta)
        assert (clamp_beta(beta).item(), pull.item(), push.item()) == (1.0, 2.0, 0.0)
    inner = torch.tensor(0.5, requires_grad=True)
    assert torch.autograd.grad(-2 * clamp_beta(inner), inner)[0].item() == -2


@modules
@pytest.mark.parametrize("beta", [1.0, 1.3])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_no_gradient_from_one_on_but_of_a_penalty(module: type[BetaReLU], beta: float, sign: float) -> None:
    layer = module(0.5, learnable=True)
    with torch.no_grad():
        layer.beta.fill_(beta)
    (sign * layer(sample(50)).sum()).backward()
    assert layer.beta.grad is not None
    assert layer.beta.grad.item() == 0
    (layer(sample(50)).sum() + layer.beta).backward()
    assert layer.beta.grad.item() == 1


def fit(layer: BetaReLU, target: float, optimiser: torch.optim.Optimizer, *, below: float | None) -> float:
    x = sample(200)
    y = MODULES[type(layer)](x, beta=target)
    for _ in range(400):
        optimiser.zero_grad()
        (layer(x) - y).square().mean().backward()
        optimiser.step()
        if below is not None:
            clamp_betas(layer, high=below)
    return layer.beta.item()


@modules
@pytest.mark.parametrize(("start", "target"), [(0.5, 0.8), (0.99, 0.95)])
def test_learnable_beta_keeps_off_the_upper_end_as_documented(
    module: type[BetaReLU], start: float, target: float
) -> None:
    layer = module(start, learnable=True)
    adam = torch.optim.Adam(layer.parameters(), lr=0.01)
    assert fit(layer, target, adam, below=None) == pytest.approx(target, abs=0.005)
    for optimiser, options in ((torch.optim.Adam, {"lr": 0.1}), (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9})):
        layer = module(start, learnable=True)
        fast = optimiser(layer.parameters(), **options)
        assert fit(layer, target, fast, below=0.99) == pytest.approx(target, abs=0.005)
