"""Derivatives under quadratic entropy, in the scores and in β: away from kinks, at the ends, at huge scores."""

from __future__ import annotations

import functools
import math
from typing import Any

import entmax
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import betavq

# What torch warns itself of, while it sets up forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

INNER_BETAS = (0.2, 0.5, 0.8)
code, value, free_energy = (
    functools.partial(function, entropy="quadratic") for function in (betavq.code, betavq.value, betavq.free_energy)
)
functions = pytest.mark.parametrize("function", [code, value, free_energy], ids=["code", "value", "free energy"])


def scores_off_the_kinks() -> Tensor:
    """Six rows of four pieces, with one to all of them in the support, and no piece nearly at its edge."""
    z = torch.randn(200, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    distance, supports = torch.full((200,), math.inf, dtype=z.dtype), []
    for beta in (1e-3, *INNER_BETAS, 0.9):
        eta = betavq.eta_from_beta(beta)
        t = code(z, beta)
        # η times the mean over the support, less 1/k, is the threshold: how far each score is from it.
        k = (t > 0).sum(-1, keepdim=True)
        threshold = ((t > 0) * eta * z).sum(-1, keepdim=True) / k - 1 / k
        distance = torch.minimum(distance, (eta * z - threshold).abs().amin(-1))
        supports.append(k)
    off = z[distance > 1e-3]
    assert {int(k) for k in torch.cat(supports, 1).unique()} == {1, 2, 3, 4}
    return off[:6].clone().requires_grad_()


@functions
@pytest.mark.parametrize("beta", [0.0, 1e-3, *INNER_BETAS, 0.9, 1.0])
def test_gradcheck_in_the_scores(function: Any, beta: float) -> None:
    z = scores_off_the_kinks()
    if function is free_energy and beta == 0:
        beta = 1e-3  # +∞ at β = 0
    for b in (beta, torch.tensor(beta, dtype=torch.float64)):
        assert gradcheck(lambda s, b=b: function(s, b), (z,))
        assert gradgradcheck(lambda s, b=b: function(s, b), (z,))


@functions
def test_gradcheck_in_beta(function: Any) -> None:
    z = scores_off_the_kinks()
    beta = torch.tensor(INNER_BETAS * 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(function, (z, beta))
    assert gradgradcheck(function, (z, beta))
    shared = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(function, (z, shared))
    assert gradgradcheck(function, (z, shared))


@functions
def test_forward_mode(function: Any) -> None:
    z, beta = scores_off_the_kinks(), torch.tensor(INNER_BETAS * 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(function, (z, beta), check_forward_ad=True, check_backward_ad=False)


@pytest.mark.parametrize("beta", [0.1, 0.5, 0.9])
def test_gradients_of_the_value_agree_with_entmax(beta: float) -> None:
    z, eta = scores_off_the_kinks(), betavq.eta_from_beta(beta)
    ours, theirs = value(z, beta), (entmax.sparsemax(eta * z) * z).sum(-1)
    upstream = torch.arange(1.0, 7.0, dtype=torch.float64)
    slopes = (torch.autograd.grad(v, z, upstream)[0] for v in (ours, theirs))
    torch.testing.assert_close(*slopes, rtol=0, atol=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_gradient_of_the_free_energy_is_the_code(beta: float) -> None:
    """That of the problem's own optimal value, β times the free energy, is β times the code."""
    z = scores_off_the_kinks()
    for b in (beta, torch.tensor(beta, dtype=torch.float64)):
        (slope,) = torch.autograd.grad(free_energy(z, b).sum(), z)
        assert torch.equal(slope, code(z, b))


def test_a_kink_has_the_derivative_of_the_side_without_the_share() -> None:
    z = torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64, requires_grad=True)  # at η = 1 the first is at the edge
    t = code(z, 0.5)
    assert t.tolist() == [0, 1, 0]
    for upstream in torch.eye(3, dtype=torch.float64):
        assert torch.autograd.grad(t, z, upstream, retain_graph=True)[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("function", [code, value], ids=["code", "value"])
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_one_sided_derivative_in_beta_at_the_ends(function: Any, end: float) -> None:
    z = scores_off_the_kinks()[0].detach()
    beta = torch.tensor(end, dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64) if function is code else 1.0
    (slope,) = torch.autograd.grad((function(z, beta) * weights).sum(), beta)
    step = 1e-6 if end == 0 else -1e-6
    difference = ((function(z, end + step) - function(z, end)) * weights).sum() / step
    assert slope.item() == pytest.approx(difference.item(), abs=1e-5)
    if end == 1:
        assert slope.item() == 0


def test_free_energy_counts_ties_at_beta_one() -> None:
    z = torch.tensor([[3.0, 3.0, 1.0], [0.0, 2.0, 1.0], [5.0, 5.0, 5.0], [math.inf, math.inf, 0.0], [-math.inf] * 3])
    beta = torch.ones(5, requires_grad=True)
    (slope,) = torch.autograd.grad(free_energy(z, beta).sum(), beta)
    assert slope.tolist() == pytest.approx([-1 / 4, 0, -1 / 3, 0, 0], rel=1e-6)
    near = free_energy(z[:3].double(), 1 - 1e-7)
    assert ((z[:3].amax(-1) - near) / 1e-7).tolist() == pytest.approx(slope[:3].tolist(), abs=1e-5)


@pytest.mark.parametrize("beta", [1e-140, 1e-10, 0.1, 0.5, 0.6, 0.99])
def test_free_energy_falls_with_the_entropy(beta: float) -> None:
    z = torch.tensor([0.5, -1.0, 0.25], dtype=torch.float64)
    b = torch.tensor(beta, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(free_energy(z, b), b)
    exact = -(1 - code(z, beta).square().sum().item()) / 2 / beta**2
    assert slope.item() == pytest.approx(exact, rel=1e-13, abs=1e-300)


def test_infinite_scores_pass_the_code_on_and_nothing_to_beta() -> None:
    z = torch.tensor([[-2.0, math.inf, math.inf], [-math.inf] * 3], requires_grad=True)
    beta = torch.tensor([0.5, 0.5], requires_grad=True)
    for function in (value, free_energy):
        slopes = torch.autograd.grad(function(z, beta).sum(), (z, beta))
        assert slopes[0].tolist() == [[0, 0.5, 0.5], [0, 0, 0]]
        assert slopes[1].tolist() == [0, 0]


@functions
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("upstream", [[0.0], [1.0], [1.0, -1.0], [0.0, 1.0, -7.0, 0.5]])
def test_rows_that_share_beta(function: Any, upstream: list[float], dtype: torch.dtype) -> None:
    big = torch.finfo(dtype).max
    z = torch.tensor([[big, -big], [-big, big], [0.0, 1.0], [big, big]], dtype=dtype).repeat(16, 1)
    weights = 100 * torch.tensor(upstream * (64 // len(upstream)), dtype=dtype)
    weights = torch.stack([weights, -weights], -1) if function is code else weights
    for number in (0.0, torch.finfo(dtype).tiny, torch.finfo(dtype).tiny ** 0.6, 0.5, 1.0):
        for shape in ((), (1,), (64,)):
            beta = torch.full(shape, number, dtype=dtype, requires_grad=True)
            (slope,) = torch.autograd.grad(function(z, beta), beta, weights)
            assert not slope.isnan().any(), (number, shape)


def test_hessian_of_the_value_at_large_scores() -> None:
    z, eta = torch.tensor([1e32, 1e32, -1e32, 1e31], requires_grad=True), 1.7e7
    hessian = torch.autograd.functional.hessian(lambda s: value(s, betavq.beta_from_eta(eta)), z)
    expected = torch.zeros(4, 4)
    expected[:2, :2] = torch.tensor([[eta, -eta], [-eta, eta]])  # ∂²v/∂z² = 2η (I − 11ᵀ/k) on the support
    torch.testing.assert_close(hessian, expected, rtol=1e-5, atol=0)


def test_large_common_scores_leave_the_derivatives() -> None:
    """Only differences count: a shift by 2²⁰, at which these scores still have all digits, changes no bit."""
    small = torch.tensor([0.25, -1.0, 0.5], dtype=torch.float32)
    beta = torch.tensor(0.5)
    for function in (code, value, free_energy):
        found = []
        for shift in (0.0, 2.0**20):
            inputs = ((small + shift).requires_grad_(), beta.clone().requires_grad_())
            result = function(*inputs)
            weights = torch.tensor([1.0, 2.0, 3.0]) if function is code else torch.tensor(1.0)
            found.append(torch.autograd.grad(result, inputs, weights))
        assert torch.equal(found[0][0], found[1][0])
        assert torch.equal(found[0][1], found[1][1])
