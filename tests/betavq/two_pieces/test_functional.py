"""The named nonlinearities against 50-digit arithmetic, PyTorch's functions and the general inference."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw
from torch import Tensor

import betavq
from betavq.functional import beta_abs, beta_leaky_relu, beta_relu

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = {
    torch.float16: torch.int16,
    torch.bfloat16: torch.int16,
    torch.float32: torch.int32,
    torch.float64: torch.int64,
}
SLOPES = (0.01, 0.25, -0.5, -1.0, 1.0, 2.5, 0.0)


def same_bits(one: Tensor, other: Tensor) -> bool:
    assert one.dtype == other.dtype
    integer = INTEGERS[one.dtype]
    return torch.equal(one.detach().view(integer), other.detach().view(integer))


def awkward_numbers(dtype: torch.dtype) -> Tensor:
    info = torch.finfo(dtype)
    special = [0.0, info.smallest_normal / 4, info.smallest_normal, info.eps, 1.0, info.max / 2, info.max, math.inf]
    random = torch.randn(200, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 10
    return torch.cat([torch.tensor([*special, *(-s for s in special)], dtype=torch.float64), random]).to(dtype)


def both_forms(beta: float) -> tuple[float | Tensor, ...]:
    """β as a number and as tensors."""
    return beta, torch.tensor(beta), torch.tensor(beta, dtype=torch.float64), torch.full((1,), beta)


@pytest.mark.claim("C7")
@pytest.mark.parametrize("dtype", DTYPES)
def test_hard_limit_is_pytorch_bit_for_bit(dtype: torch.dtype) -> None:
    """At β = 1 the three functions equal F.relu, F.leaky_relu and abs bit for bit in every dtype."""
    x = awkward_numbers(dtype)
    for beta in both_forms(1.0):
        assert same_bits(beta_relu(x, beta=beta), F.relu(x))
        assert same_bits(beta_abs(x, beta=beta), x.abs())
        for slope in SLOPES[:-1]:
            assert same_bits(beta_leaky_relu(x, slope, beta=beta), F.leaky_relu(x, slope))
        finite = x[x.isfinite()]
        assert same_bits(beta_leaky_relu(finite, 0.0, beta=beta), F.leaky_relu(finite, 0.0))


@pytest.mark.claim("C7")
@pytest.mark.parametrize("dtype", DTYPES)
def test_linear_limit_is_the_mean_slope_bit_for_bit(dtype: torch.dtype) -> None:
    """At β = 0 they are linear: x/2, x(1 + ν)/2 and 0, bit for bit."""
    x = awkward_numbers(dtype)
    for beta in both_forms(0.0):
        assert same_bits(beta_relu(x, beta=beta), x * 0.5)
        assert same_bits(beta_abs(x, beta=beta), torch.zeros_like(x))
        for slope in SLOPES:
            if slope != -1:
                assert same_bits(beta_leaky_relu(x, slope, beta=beta), x * ((1 + slope) / 2))


@pytest.mark.claim("C7")
def test_half_way_it_is_silu() -> None:
    """At β = ½ the β-VQ ReLU is F.silu."""
    x = torch.linspace(-30, 30, 2001, dtype=torch.float64)
    torch.testing.assert_close(beta_relu(x, beta=0.5), F.silu(x), rtol=4e-16, atol=0)
    for dtype in DTYPES[:-1]:
        y = beta_relu(x.to(dtype), beta=0.5)
        torch.testing.assert_close(y, F.silu(x.to(dtype)), rtol=2 * torch.finfo(dtype).eps, atol=0)


@pytest.mark.claim("C7")
@given(st.floats(-200, 200), st.floats(0, 1))
def test_swish_is_the_value_of_the_relu_pieces(u: float, beta: float) -> None:
    """Inference over the pieces (0, u), (νu, u) and (−u, u) gives β-ReLU, β-leaky-ReLU and β-|u| at every β."""
    x = torch.tensor(u, dtype=torch.float64)
    zero = torch.zeros_like(x)
    tolerance = {"rtol": 1e-12, "atol": 1e-300}
    torch.testing.assert_close(betavq.value(torch.stack([zero, x]), beta), beta_relu(x, beta=beta), **tolerance)
    leaky = beta_leaky_relu(x, 0.25, beta=beta)
    torch.testing.assert_close(betavq.value(torch.stack([0.25 * x, x]), beta), leaky, **tolerance)
    # −|u| t + |u| (1−t) cancels near t = ½, so that only the size of its terms bounds the error.
    absolute = betavq.value(torch.stack([-x, x]), beta)
    torch.testing.assert_close(absolute, beta_abs(x, beta=beta), rtol=1e-12, atol=4e-16 * abs(u) + 1e-300)


@pytest.mark.claim("C7")
@pytest.mark.parametrize("beta", [0.1, 0.5, 0.9, 0.99])
def test_derivative_of_swish(beta: float) -> None:
    """The derivative of the β-VQ ReLU is σ(ηu) + ηu σ(ηu)(1 − σ(ηu)): the code, and how the input moves it."""
    eta = betavq.eta_from_beta(beta)
    u = torch.linspace(-5, 5, 501, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(beta_relu(u, beta=beta).sum(), u)
    gate = betavq.code(torch.stack([torch.zeros_like(u), u], -1), beta)[:, 1]
    torch.testing.assert_close(slope, gate + eta * u * gate * (1 - gate), rtol=1e-12, atol=1e-14)


@pytest.mark.claim("C7")
@pytest.mark.parametrize("beta", [0.05, 0.5, 0.9, 0.999])
def test_gap_and_minimum_of_swish(beta: float) -> None:
    """ReLU exceeds swish by at most 0.27846/η, attained at ±1.27846/η, of which the negative one is its minimum."""
    eta = betavq.eta_from_beta(beta)
    gap = float(lambertw(1 / math.e).real)
    assert gap == pytest.approx(0.278465, abs=5e-7)
    u = torch.linspace(-20, 20, 100_001, dtype=torch.float64) / eta
    difference = F.relu(u) - beta_relu(u, beta=beta)
    assert difference.min() >= 0
    assert difference.max() * eta <= gap * (1 + 1e-12)
    lowest = torch.tensor([-(1 + gap) / eta, (1 + gap) / eta], dtype=torch.float64, requires_grad=True)
    value = beta_relu(lowest, beta=beta)
    torch.testing.assert_close(F.relu(lowest) - value, torch.full_like(value, gap / eta), rtol=1e-12, atol=0)
    assert value[0].item() <= beta_relu(u, beta=beta).min().item() + 1e-15 / eta
    (slope,) = torch.autograd.grad(value[0], lowest)
    assert slope[0].item() == pytest.approx(0, abs=1e-15)
    assert ((u.abs() - beta_abs(u, beta=beta)) * eta).max() <= gap * (1 + 1e-12)
    leaky_gap = F.leaky_relu(u, 0.25) - beta_leaky_relu(u, 0.25, beta=beta)
    assert (leaky_gap * eta).max().item() == pytest.approx(gap, rel=1e-6)


Exact = Callable[[mpmath.mpf, mpmath.mpf], mpmath.mpf]


def exact_leaky(slope: float) -> Exact:
    v = mpmath.mpf(slope)
    return lambda x, eta: x * (v + (1 - v) / (1 + mpmath.exp(-eta * abs(1 - v) * x)))


CASES: dict[str, tuple[Callable[..., Tensor], Exact]] = {
    "relu": (beta_relu, lambda x, eta: x / (1 + mpmath.exp(-eta * x))),
    "abs": (beta_abs, lambda x, eta: x * mpmath.tanh(eta * x)),
    "leaky 0.01": (lambda x, beta: beta_leaky_relu(x, 0.01, beta=beta), exact_leaky(0.01)),
    "leaky 2.5": (lambda x, beta: beta_leaky_relu(x, 2.5, beta=beta), exact_leaky(2.5)),
    "leaky -0.5": (lambda x, beta: beta_leaky_relu(x, -0.5, beta=beta), exact_leaky(-0.5)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_error_against_50_digits(name: str, dtype: torch.dtype) -> None:
    """Within 2 ULP for swish at u ≥ 0, (1 + |u|)·2.5 ULP below, 4 ULP of the larger term for the others."""
    function, exact = CASES[name]
    info = torch.finfo(dtype)
    generator = torch.Generator().manual_seed(0)
    u = torch.cat([torch.rand(60, generator=generator) * 160 - 80, 3 * torch.randn(60, generator=generator)])
    for eta in (1e-6, 0.1, 1.0, 30.0, 1e6):
        beta = betavq.beta_from_eta(eta)
        x = (u.double() / eta).to(dtype)
        x = x[x.isfinite() & (x.abs() > info.tiny)]
        for b in (beta, torch.tensor(beta, dtype=torch.float64)):
            for xi, yi in zip(x.tolist(), function(x, beta=b).tolist(), strict=True):
                with mpmath.workdps(50):
                    true_eta = mpmath.mpf(beta) / (1 - mpmath.mpf(beta))
                    truth = exact(mpmath.mpf(xi), true_eta)
                    error = abs(mpmath.mpf(yi) - truth)
                    scaled = float(true_eta * xi)
                    size = abs(truth) if name in ("relu", "abs") else max(abs(truth), abs(xi) / 2)
                if not info.tiny < size < info.max:
                    continue
                ulp = info.eps * 2.0 ** math.floor(math.log2(size))
                allowed = 4.0 if name != "relu" else 2.0 if scaled >= 0 else 2.5 * (1 + abs(scaled))
                assert float(error) <= (allowed if info.eps < 1e-6 else 0.51) * ulp, (xi, eta)


@pytest.mark.parametrize("slope", [1.0, 1.5, 3.0])
def test_slopes_of_one_and_more_harden_to_pytorch(slope: float) -> None:
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)
    hard = F.prelu(x, torch.tensor([slope], dtype=torch.float64))
    soft = beta_leaky_relu(x, slope, beta=0.9)
    assert (soft >= hard - 1e-15).all()  # a minimum of its pieces, approached from above
    assert (soft - hard).max() <= 0.2784646 / 9
    torch.testing.assert_close(beta_leaky_relu(x, slope, beta=1 - 1e-9), hard, rtol=0, atol=3e-10)
    assert torch.equal(beta_leaky_relu(x, slope, beta=1), hard)


def test_beta_broadcasts_against_the_input() -> None:
    x = torch.randn(4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    per_channel = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64).view(3, 1)
    for function in (beta_relu, beta_leaky_relu, beta_abs):
        y = function(x, beta=per_channel)
        for channel, beta in enumerate((0.0, 0.5, 1.0)):
            torch.testing.assert_close(y[:, channel], function(x[:, channel], beta=beta), rtol=1e-15, atol=0)
    assert beta_relu(torch.zeros(3), beta=torch.full((2, 1), 0.5)).shape == (2, 3)


def test_slope_broadcasts_against_the_input() -> None:
    x = torch.randn(4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    slopes = torch.tensor([0.01, 1.0, 2.5], dtype=torch.float64)
    for beta in (0.0, 0.3, 0.5, 1.0, torch.tensor([[0.0], [0.3], [1.0]], dtype=torch.float64)):
        y = beta_leaky_relu(x, slopes.view(3, 1), beta=beta)
        for channel in range(3):
            b = beta[channel].item() if isinstance(beta, Tensor) else beta
            expected = beta_leaky_relu(x[:, channel], slopes[channel].item(), beta=b)
            torch.testing.assert_close(y[:, channel], expected, rtol=4e-16, atol=0)
    assert torch.equal(beta_leaky_relu(x, slopes.view(3, 1), beta=1.0), F.prelu(x, slopes))


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_shape_and_memory_format_are_kept(dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, 4, 5).to(dtype).contiguous(memory_format=torch.channels_last)
    for function in (beta_relu, beta_leaky_relu, beta_abs):
        for beta in (0.0, 0.5, 1.0, torch.tensor(0.5, dtype=torch.float64), torch.full((3, 1, 1), 0.5)):
            y = function(x, beta=beta)
            assert (y.dtype, y.shape) == (dtype, x.shape)
            assert y.is_contiguous(memory_format=torch.channels_last)
            assert function(x[:0], beta=beta).shape == (0, 3, 4, 5)
            assert function(x[0, 0, 0, 0], beta=0.5).shape == ()


def test_a_beta_next_to_one_in_float64_is_not_one_in_float32() -> None:
    x = torch.tensor([-1e-12, 1e-12])
    beta = 1 - 1e-12  # rounds to 1 in float32
    for b in (beta, torch.tensor(beta, dtype=torch.float64)):
        torch.testing.assert_close(beta_relu(x, beta=b) / x, torch.sigmoid(x * 1e12), rtol=1e-4, atol=0)
