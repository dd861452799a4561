"""Derivatives of code, value and free energy in the scores and in β, the end points included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import betavq

FUNCTIONS = (betavq.code, betavq.value, betavq.free_energy)


def random_scores() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 4, dtype=torch.float64, generator=generator).requires_grad_()


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("beta", [0.0, 1e-3, 0.3, 0.5, 0.9, 1.0])
def test_gradcheck_in_the_scores(function, beta: float) -> None:  # type: ignore[no-untyped-def]
    z = random_scores()
    # At β = 0 the free energy is +∞: what is differentiated there is tested by its limit below.
    if function is betavq.free_energy and beta == 0:
        beta = 1e-2
    for b in (beta, torch.tensor(beta, dtype=torch.float64)):
        assert gradcheck(lambda s, b=b: function(s, b), (z,))
        assert gradgradcheck(lambda s, b=b: function(s, b), (z,))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_gradcheck_in_beta(function) -> None:  # type: ignore[no-untyped-def]
    z = random_scores()
    beta = torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64, requires_grad=True)
    assert gradcheck(function, (z, beta))
    assert gradgradcheck(function, (z, beta))


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_gradient_of_the_free_energy_is_the_code(beta: float) -> None:
    z = random_scores()
    for b in (beta, torch.tensor(beta, dtype=torch.float64)):
        (slope,) = torch.autograd.grad(betavq.free_energy(z, b).sum(), z)
        torch.testing.assert_close(slope, betavq.code(z, b), rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("function", [betavq.code, betavq.value])
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_one_sided_derivative_in_beta_at_the_ends(function, end: float) -> None:  # type: ignore[no-untyped-def]
    z = random_scores()[0].detach()
    beta = torch.tensor(end, dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64) if function is betavq.code else 1.0
    (slope,) = torch.autograd.grad((function(z, beta) * weights).sum(), beta)
    step = 1e-6 if end == 0 else -1e-3  # near β = 1 the function is flat up to exp(−1000·gap)
    difference = ((function(z, end + step) - function(z, end)) * weights).sum() / step
    assert slope.item() == pytest.approx(difference.item(), abs=1e-5)


def test_derivative_of_the_value_at_beta_zero_is_the_variance() -> None:
    z = random_scores().detach()
    beta = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(betavq.value(z, beta).sum(), beta)
    torch.testing.assert_close(slope, z.var(-1, correction=0), rtol=1e-13, atol=0)


def test_derivative_of_the_value_at_beta_one_is_zero_at_ties_too() -> None:
    z = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0]], dtype=torch.float64)
    beta = torch.ones(2, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(betavq.value(z, beta).sum(), beta)
    assert torch.equal(slope, torch.zeros(2, dtype=torch.float64))


def test_a_mixture_of_end_points_and_inner_betas() -> None:
    z = random_scores()
    betas = (0.0, 0.4, 1.0)
    together = torch.tensor(betas, dtype=torch.float64, requires_grad=True)
    for function in (betavq.code, betavq.value):
        weights = torch.arange(1.0, 5.0, dtype=torch.float64) if function is betavq.code else 1.0
        slope, slope_beta = torch.autograd.grad((function(z, together) * weights).sum(), (z, together))
        for row, beta in enumerate(betas):
            alone = torch.tensor(beta, dtype=torch.float64, requires_grad=True)
            expected = torch.autograd.grad((function(z[row], alone) * weights).sum(), (z, alone))
            torch.testing.assert_close(slope[row], expected[0][row], rtol=1e-14, atol=1e-16)
            torch.testing.assert_close(slope_beta[row], expected[1], rtol=1e-14, atol=1e-16)


def test_eta_and_beta_are_inverse_and_differentiable() -> None:
    beta = torch.tensor([0.0, 1e-300, 0.1, 0.5, 0.99, 1.0], dtype=torch.float64)
    eta = betavq.eta_from_beta(beta)
    assert eta[[0, 3, 5]].tolist() == [0.0, 1.0, float("inf")]
    torch.testing.assert_close(betavq.beta_from_eta(eta), beta, rtol=1e-15, atol=0)
    for number in (0.0, 0.3, 0.5, 1.0):
        assert isinstance(betavq.eta_from_beta(number), float)
        assert betavq.beta_from_eta(betavq.eta_from_beta(number)) == pytest.approx(number, rel=1e-15)
    inner = torch.tensor([0.1, 0.7], dtype=torch.float64, requires_grad=True)
    assert gradcheck(betavq.eta_from_beta, (inner,))
    assert gradcheck(betavq.beta_from_eta, (inner,))
    infinite = torch.tensor(float("inf"), requires_grad=True)
    (slope,) = torch.autograd.grad(betavq.beta_from_eta(infinite), infinite)
    assert slope.item() == 0
