"""Derivatives in β where terms or factors leave the range of the dtype: no NaN, and the right digits before that."""

from __future__ import annotations

import math
from typing import Any

import mpmath
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
UPSTREAM = (torch.zeros(64), torch.ones(64), torch.tensor([1.0, -1.0] * 32), torch.tensor([0.0, 1.0, -7.0, 0.5] * 16))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("upstream", UPSTREAM)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_shared_beta_sums_terms_that_overflow(name: str, upstream: Tensor, dtype: torch.dtype) -> None:
    x = torch.tensor([1.0, 1.0, -1.0, -1.0] * 16, dtype=dtype) * torch.finfo(dtype).max
    for number in (0.0, torch.finfo(dtype).tiny, 0.5, 1.0):
        for shape in ((), (1,), (64,)):
            beta = torch.full(shape, number, dtype=dtype, requires_grad=True)
            y = FUNCTIONS[name](x, beta=beta)
            (slope,) = torch.autograd.grad(y, beta, upstream.to(dtype))
            assert not slope.isnan().any(), (number, shape)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("upstream", UPSTREAM)
@pytest.mark.parametrize("function", [betavq.code, betavq.value, betavq.free_energy])
def test_rows_that_share_beta(function: Any, upstream: Tensor, dtype: torch.dtype) -> None:
    big = torch.finfo(dtype).max
    z = torch.tensor([[big, -big], [-big, big], [0.0, 1.0], [big, big]], dtype=dtype).repeat(16, 1)
    for number in (0.0, torch.finfo(dtype).tiny, torch.finfo(dtype).tiny ** 0.6, 0.5, 1.0):
        for shape in ((), (1,), (64,)):
            beta = torch.full(shape, number, dtype=dtype, requires_grad=True)
            result = function(z, beta)
            weights = upstream.to(dtype) * 100
            if function is betavq.code:
                weights = torch.stack([weights, -weights], -1)
            (slope,) = torch.autograd.grad(result, beta, weights)
            assert not slope.isnan().any(), (number, shape)


def test_a_sum_within_range_is_left_alone() -> None:
    beta = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    x = torch.tensor([1e150, 2.0, -3e149], dtype=torch.float64)
    (slope,) = torch.autograd.grad(beta_relu(x, beta=beta), beta, torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64))
    assert slope.item() == pytest.approx((1e300 - 9e298) / 4, rel=1e-14)


@pytest.mark.parametrize(("dtype", "small"), [(torch.float32, 1e-20), (torch.float64, 1e-160)])
def test_free_energy_sends_zero_upstream_back_as_zero(dtype: torch.dtype, small: float) -> None:
    z = torch.tensor([[0.0, 1.0], [0.0, 1.0]], dtype=dtype)
    beta = torch.tensor([small, 0.5], dtype=dtype, requires_grad=True)
    slope = torch.autograd.grad(betavq.free_energy(z, beta)[1], beta)[0]
    assert slope[0].item() == 0
    assert slope[1].item() == pytest.approx(-0.582203 / 0.25, rel=1e-6)
    slope = torch.autograd.grad(betavq.free_energy(z, beta), beta, torch.tensor([-1.0, 0.0], dtype=dtype))[0]
    assert slope.tolist() == [math.inf, 0.0]  # log 2 / β² is not a float


@pytest.mark.parametrize("beta", [1e-140, 1e-10, 0.1, 0.5, 0.99, 1 - 1e-7])
def test_free_energy_falls_with_the_entropy(beta: float) -> None:
    scores = (0.5, -1.0, 0.25)
    with mpmath.workdps(60):
        eta = mpmath.mpf(beta) / (1 - mpmath.mpf(beta))
        w = [mpmath.exp(eta * (mpmath.mpf(s) - 0.5)) for s in scores]
        exact = float(sum(p / sum(w) * mpmath.log(p / sum(w)) for p in w) / mpmath.mpf(beta) ** 2)
    b = torch.tensor(beta, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(betavq.free_energy(torch.tensor(scores, dtype=torch.float64), b), b)
    assert slope.item() == pytest.approx(exact, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_free_energy_counts_ties_at_beta_one(dtype: torch.dtype) -> None:
    inf = math.inf
    z = torch.tensor([[3.0, 3.0, 1.0], [0.0, 2.0, 1.0], [5.0, 5.0, 5.0], [inf, inf, 0.0], [-inf] * 3], dtype=dtype)
    beta = torch.ones(5, dtype=dtype, requires_grad=True)
    energy = betavq.free_energy(z, beta)
    assert energy.tolist() == [3.0, 2.0, 5.0, inf, -inf]
    (slope,) = torch.autograd.grad(energy, beta, torch.ones(5, dtype=dtype))
    assert slope.tolist() == pytest.approx([-math.log(2), 0.0, -math.log(3), 0.0, 0.0], rel=1e-6)
    step = 1e-7
    near = betavq.free_energy(z[:3].double(), 1 - step)
    assert ((energy[:3] - near) / step).tolist() == pytest.approx(slope[:3].tolist(), abs=1e-5)


def test_free_energy_of_a_subnormal_beta_is_a_number_where_it_has_one() -> None:
    for beta in (5e-39, torch.tensor(5e-39)):  # η below the smallest normal number, log 2 / η in range
        z = torch.zeros(2, requires_grad=True)
        energy = betavq.free_energy(z, beta)
        assert energy.item() == pytest.approx(math.log(2) / 5e-39, rel=1e-6)
        (slope,) = torch.autograd.grad(energy, z)
        assert slope.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_slope_gradient_with_an_upstream_other_than_one(dtype: torch.dtype) -> None:
    big = torch.finfo(dtype).max
    x = torch.tensor([big, -big], dtype=dtype)
    slope = torch.full((2,), 0.5, dtype=dtype, requires_grad=True)
    y = beta_leaky_relu(x, slope, beta=2 / big)  # ∂y/∂ν = x·(1 − σ − uσ') is in range, 8x is not
    (gradient,) = torch.autograd.grad(y, slope, torch.full((2,), 8.0, dtype=dtype))
    with mpmath.workdps(40):
        eta = mpmath.mpf(2 / big) / (1 - mpmath.mpf(2 / big))
        for got, xi in zip(gradient.tolist(), (big, -big), strict=True):
            u = eta * xi / 2
            gate = 1 / (1 + mpmath.exp(-u))
            exact = float(8 * mpmath.mpf(xi) * (1 - gate - u * gate * (1 - gate)))
            if abs(exact) < big:
                assert got == pytest.approx(exact, rel=1e-5)


def test_eta_from_beta_has_no_gradient_at_one() -> None:
    beta = torch.tensor([1.0, 0.5], requires_grad=True)
    eta = betavq.eta_from_beta(beta)
    assert eta.tolist() == [math.inf, 1.0]
    for upstream in ([0.0, 1.0], [1.0, 1.0]):
        (slope,) = torch.autograd.grad(eta, beta, torch.tensor(upstream), retain_graph=True)
        assert slope.tolist() == [0.0, 4.0]


@pytest.mark.parametrize("number", [0.0, 0.5, 1.0, 3.0, 1e4, 1e7, 1e8, 1e15])
def test_beta_from_eta_keeps_the_digits_of_its_slope(number: float) -> None:
    eta = torch.tensor(number, requires_grad=True)
    (slope,) = torch.autograd.grad(betavq.beta_from_eta(eta), eta)
    assert slope.item() == pytest.approx((1 + number) ** -2, rel=1e-6, abs=0)


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


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, torch.tensor(1.0), torch.tensor(0.5)])
def test_a_score_that_is_nan_makes_the_code_nan(beta: float | Tensor) -> None:
    z = torch.tensor([[1.0, math.nan, 0.0], [1.0, 2.0, 0.0]])
    t = betavq.code(z, beta)
    assert t[0].isnan().all()
    assert torch.equal(t[1], betavq.code(z[1], beta))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_a_beta_too_small_for_the_dtype_is_not_zero(dtype: torch.dtype) -> None:
    x = torch.tensor([-math.inf, math.inf, 1.0], dtype=dtype)
    for beta in (1e-60, torch.tensor(1e-60, dtype=torch.float64, requires_grad=True)):
        assert beta_relu(x, beta=beta).tolist() == [0.0, math.inf, 0.5]
        assert beta_abs(x, beta=beta).tolist() == pytest.approx([math.inf, math.inf, 0.0], abs=1e-40)
        assert beta_leaky_relu(x, 0.5, beta=beta).tolist() == [-math.inf, math.inf, 0.75]
        assert betavq.code(x, beta).tolist() == [0.0, 1.0, 0.0]
        if isinstance(beta, Tensor):
            (slope,) = torch.autograd.grad(beta_relu(x, beta=beta)[2], beta)
            assert slope.item() == pytest.approx(0.25, rel=1e-3)
