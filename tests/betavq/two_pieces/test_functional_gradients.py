"""Derivatives of the named nonlinearities in the input, in β and in the slope, the end points included."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from betavq.functional import beta_abs, beta_leaky_relu, beta_relu

FUNCTIONS = {
    "relu": beta_relu,
    "abs": beta_abs,
    "leaky 0.25": functools.partial(beta_leaky_relu, negative_slope=0.25),
    "leaky 2.5": functools.partial(beta_leaky_relu, negative_slope=2.5),
    "leaky -1": functools.partial(beta_leaky_relu, negative_slope=-1.0),
}
# dy/dβ at β = 0 is x² times this: w²/4 with w the difference of the two slopes (negative for a minimum).
CURVATURE = {"relu": 1 / 4, "abs": 1.0, "leaky 0.25": 0.75**2 / 4, "leaky 2.5": -(1.5**2) / 4, "leaky -1": 1.0}
POINTS = (-3.0, -0.7, -0.01, 0.02, 0.5, 2.0)


def points() -> Tensor:
    return torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("beta", [0.0, 1e-6, 0.3, 0.5, 0.9, 1.0])
def test_gradcheck_in_the_input(name: str, beta: float) -> None:
    for b in (beta, torch.tensor(beta, dtype=torch.float64)):
        function = functools.partial(FUNCTIONS[name], beta=b)
        assert gradcheck(function, (points(),))
        assert gradgradcheck(function, (points(),))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradcheck_in_beta(name: str) -> None:
    for beta in (0.3, 0.5, torch.tensor([0.1, 0.2, 0.5, 0.6, 0.8, 0.9])):
        b = torch.as_tensor(beta, dtype=torch.float64).requires_grad_()
        assert gradcheck(lambda x, b: FUNCTIONS[name](x, beta=b), (points(), b))
        assert gradgradcheck(lambda x, b: FUNCTIONS[name](x, beta=b), (points(), b))


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
def test_gradcheck_in_the_slope(beta: float) -> None:
    slopes = torch.tensor([0.01, 2.5, -1.0, 0.3, 0.2, 1.5], dtype=torch.float64, requires_grad=True)
    for b in (beta, torch.tensor(beta, dtype=torch.float64)):
        function = functools.partial(beta_leaky_relu, beta=b)
        assert gradcheck(function, (points(), slopes))
        assert gradgradcheck(function, (points(), slopes))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivative_in_beta_at_zero(name: str) -> None:
    beta = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    x = points()
    (slope,) = torch.autograd.grad(FUNCTIONS[name](x, beta=beta).sum(), beta, create_graph=True)
    torch.testing.assert_close(slope, CURVATURE[name] * x**2, rtol=1e-14, atol=0)
    step = 1e-7
    difference = (FUNCTIONS[name](x, beta=step) - FUNCTIONS[name](x, beta=0.0)) / step
    torch.testing.assert_close(slope, difference, rtol=1e-5, atol=1e-8)
    # The mixed second derivative does not get lost at the end either.
    (mixed,) = torch.autograd.grad(slope.sum(), x)
    torch.testing.assert_close(mixed, 2 * CURVATURE[name] * x, rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivative_in_beta_at_one(name: str) -> None:
    beta = torch.ones(6, dtype=torch.float64, requires_grad=True)
    x = points().detach()
    (slope,) = torch.autograd.grad(FUNCTIONS[name](x, beta=beta).sum(), beta)
    assert torch.equal(slope, torch.zeros_like(slope))
    step = 1e-5
    difference = (FUNCTIONS[name](x, beta=1.0) - FUNCTIONS[name](x, beta=1 - step)) / step
    torch.testing.assert_close(slope, difference, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_mixture_of_end_points_and_inner_betas(name: str) -> None:
    betas = (0.0, 0.5, 1.0, 0.0, 0.5, 1.0)
    x, beta = points(), torch.tensor(betas, dtype=torch.float64, requires_grad=True)
    slope, slope_beta = torch.autograd.grad(FUNCTIONS[name](x, beta=beta).sum(), (x, beta))
    for i, b in enumerate(betas):
        alone = (torch.tensor(POINTS[i], dtype=torch.float64), torch.tensor(b, dtype=torch.float64))
        for t in alone:
            t.requires_grad_()
        expected = torch.autograd.grad(FUNCTIONS[name](alone[0], beta=alone[1]), alone)
        torch.testing.assert_close((slope[i], slope_beta[i]), expected, rtol=1e-15, atol=0)


def test_gradient_of_the_absolute_value_at_its_kink_is_zero() -> None:
    x = torch.zeros(2, requires_grad=True)
    for beta in (0.0, 0.5, 1.0, torch.tensor([0.5, 1.0])):
        (slope,) = torch.autograd.grad(beta_abs(x, beta=beta).sum(), x)
        assert torch.equal(slope, torch.zeros(2))


def test_derivative_in_beta_keeps_its_digits_where_the_gate_is_nearly_open() -> None:
    x = torch.tensor([25.0, -25.0])
    beta = torch.tensor([0.5, 0.5], requires_grad=True)
    (slope,) = torch.autograd.grad(beta_relu(x, beta=beta).sum(), beta)
    exact = (4 * x.double() ** 2 * torch.exp(-x.double().abs())).float()  # (1+η)²x²σσ', σ = 1 to 11 digits
    torch.testing.assert_close(slope, exact, rtol=1e-5, atol=0)
