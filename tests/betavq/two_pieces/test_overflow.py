"""Derivatives in β where terms or factors leave the range of the dtype: no NaN, and the right digits before that."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import pytest
import torch
from torch import Tensor

import betavq
from betavq._numerics.autograd import sum_to
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
def test_a_beta_of_each_channel_sums_terms_that_overflow(dtype: torch.dtype) -> None:
    signs = torch.tensor([[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]], dtype=dtype)
    terms = (signs * torch.finfo(dtype).max).repeat(4, 1)
    channels = terms[:, :, None].expand(8, 4, 3)
    for shape in ((4, 1), (8, 1, 1), (1, 4, 1), (3,)):
        total = sum_to(channels, torch.Size([1] * (3 - len(shape)) + list(shape)))
        assert not total.isnan().any(), shape


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
