"""Second and third derivatives: their digits where gates are nearly open, and no NaN at huge inputs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import betavq
from betavq.functional import beta_abs, beta_leaky_relu, beta_relu

FUNCTIONS: dict[str, Any] = {
    "relu": beta_relu,
    "abs": beta_abs,
    "leaky": lambda x, beta: beta_leaky_relu(x, 0.1, beta=beta),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives_keep_their_digits(name: str) -> None:
    """float32 against float64, whose own autograd has digits to spare."""
    u = torch.tensor([-20.0, -15.0, -3.0, -0.5, -1e-3, 0.0, 1e-3, 0.5, 3.0, 15.0, 20.0])
    results: list[list[Tensor]] = []
    for dtype in (torch.float32, torch.float64):
        x = u.to(dtype).requires_grad_()
        beta = torch.full((11,), 0.5, dtype=dtype, requires_grad=True)
        y = FUNCTIONS[name](x, beta=beta)
        slopes = torch.autograd.grad(y.sum(), (x, beta), create_graph=True)
        second = [torch.autograd.grad(s.sum(), (x, beta), retain_graph=True) for s in slopes]
        results.append([s.double() for pair in second for s in pair])
    for single, double in zip(*results, strict=True):
        torch.testing.assert_close(single, double, rtol=2e-5, atol=1e-12)
    x = u.double()
    if name == "relu":  # y'' = σ'(2 − u tanh(u/2))
        s = torch.sigmoid(-x.abs()) * torch.sigmoid(x.abs())
        torch.testing.assert_close(results[1][0], s * (2 - x * torch.tanh(x / 2)), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_mixed_derivative_at_beta_zero_of_huge_inputs(name: str) -> None:
    curvature = {"relu": 0.25, "abs": 1.0, "leaky": 0.9**2 / 4}[name]
    x = torch.tensor([1e18, 1e20, -1e30], requires_grad=True)
    beta = torch.zeros(3, requires_grad=True)
    (slope,) = torch.autograd.grad(FUNCTIONS[name](x, beta=beta).sum(), beta, create_graph=True)
    (mixed,) = torch.autograd.grad(slope.sum(), x)
    torch.testing.assert_close(mixed, 2 * curvature * x.detach(), rtol=1e-5, atol=0)


def test_third_derivatives_of_the_units() -> None:
    x = torch.tensor([-2.0, 0.0, 1.5], dtype=torch.float64, requires_grad=True)
    beta = torch.tensor([0.0, 0.4, 0.5], dtype=torch.float64, requires_grad=True)
    for name, unit in FUNCTIONS.items():
        y = unit(x, beta=beta)
        for _ in range(2):
            y = sum(g.square().sum() for g in torch.autograd.grad(y.sum(), (x, beta), create_graph=True))
        got = torch.autograd.grad(y, x)[0]

        def twice(x: Tensor, unit: Any = unit) -> Tensor:
            y = unit(x, beta=beta)
            for _ in range(2):
                y = sum(g.square().sum() for g in torch.autograd.grad(y.sum(), (x, beta), create_graph=True))
            return y

        for i in range(3):
            step = torch.zeros(3, dtype=torch.float64)
            step[i] = 1e-5
            difference = (twice(x + step) - twice(x - step)) / 2e-5
            assert got[i].item() == pytest.approx(difference.item(), rel=1e-6, abs=1e-6), name


def test_hessian_of_the_value_at_large_scores() -> None:
    z = torch.tensor([1e32, 1e32, -1e32, 1e31], requires_grad=True)
    beta = betavq.beta_from_eta(1.7e7)
    hessian = torch.autograd.functional.hessian(lambda s: betavq.value(s, beta), z)
    assert not hessian.isnan().any()
    # Of two equal scores far above the rest: ∂²v/∂z² = η/2 on the diagonal, −η/2 beside it.
    expected = torch.tensor([[0.5, -0.5], [-0.5, 0.5]]) * betavq.eta_from_beta(beta)
    torch.testing.assert_close(hessian[:2, :2], expected, rtol=1e-5, atol=0)
