"""Errors of the units against 50-digit arithmetic over the whole range of each dtype, in both forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import torch
from torch import Tensor

import betavq
from betavq import functional
from betavq._two_pieces import units as two_pieces

ETAS = (1e-6, 1e-3, 1.0, 1e3, 1e6)
Exact = Callable[[mpmath.mpf, mpmath.mpf], mpmath.mpf]


def exact_leaky(slope: float) -> Exact:
    v = mpmath.mpf(slope)
    return lambda x, eta: x * (v + (1 - v) / (1 + mpmath.exp(-eta * abs(1 - v) * x)))


# Both forms as functions of (x, β), the truth as one of (x, η), and the size of the largest term of a value.
UNITS: dict[str, tuple[Any, Any, Exact, Callable[[float, float], float]]] = {
    "relu": (
        lambda x, b: functional.beta_relu(x, beta=b),
        two_pieces.composite_relu,
        lambda x, eta: x / (1 + mpmath.exp(-eta * x)),
        lambda _, y: abs(y),
    ),
    "abs": (
        lambda x, b: functional.beta_abs(x, beta=b),
        two_pieces.composite_abs,
        lambda x, eta: x * mpmath.tanh(eta * x),
        lambda x, y: max(abs(x) / 2, abs(y)),
    ),
    **{
        f"leaky {slope}": (
            lambda x, b, v=slope: functional.beta_leaky_relu(x, v, beta=b),
            lambda x, b, v=slope: two_pieces.composite_leaky_relu(x, v, b),
            exact_leaky(slope),
            lambda x, y, v=slope: max(abs(y), max(1, abs(v)) * abs(x) / 2),
        )
        for slope in (0.01, -0.5, 2.5)
    },
}


def numbers_of_every_size(dtype: torch.dtype) -> Tensor:
    """From the smallest normal to the largest number, of either sign."""
    info = torch.finfo(dtype)
    sizes = torch.logspace(math.log2(info.tiny), math.log2(info.max), 60, 2, dtype=torch.float64)
    sizes = sizes.clamp(info.tiny, info.max)
    return torch.cat([sizes, -sizes]).to(dtype)


def numbers_near_the_bend(dtype: torch.dtype, eta: float) -> Tensor:
    """|ηx| up to 80."""
    u = torch.rand(60, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 160 - 80
    x = (u / eta).to(dtype)
    return x[x.isfinite() & (x.abs() > torch.finfo(dtype).tiny)]


def ulp(size: float, dtype: torch.dtype) -> float:
    info = torch.finfo(dtype)
    return info.eps * math.ldexp(1.0, math.frexp(max(size, info.tiny))[1] - 1)


def swish_bounds(eta: float, form: int) -> tuple[float, float]:
    """How often eps·|x|, and how many ULP at u ≥ 0: three roundings, but two of ``F.silu``, the fast form at β = ½."""
    return (1.0, 2.0) if eta == 1 and form == 0 else (1.5, 3.0)


@pytest.mark.parametrize("form", [0, 1], ids=["fast", "composite"])
@pytest.mark.parametrize("eta", [0.05, 0.3, 1.0, 1.7, 99.0])
def test_many_numbers_near_the_bend(eta: float, form: int) -> None:
    """Swish in float32 against float64: so many that the rare sums of all roundings are among them."""
    generator = torch.Generator().manual_seed(0)
    u = torch.cat([size * torch.randn(2**16, generator=generator) for size in (0.03, 0.3, 3.0, 30.0)])
    u = u[(u.abs() > 1e-6) & (u.abs() < 80)]
    beta = betavq.beta_from_eta(eta)
    x = u / eta
    u = x.double() * (beta / (1 - beta))
    truth = x.double() * torch.sigmoid(u)
    error = (UNITS["relu"][form](x, beta).double() - truth).abs()
    eps = torch.finfo(torch.float32).eps
    units = error / (eps * torch.exp2(truth.abs().log2().floor()))
    of_input, of_value = swish_bounds(eta, form)
    assert (error <= of_input * eps * x.double().abs()).all()
    assert units[u >= 0].max() <= of_value
    assert (units / (1 + u.abs()))[u < 0].max() <= 2.5


@pytest.mark.parametrize("form", [0, 1], ids=["fast", "composite"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("name", UNITS)
def test_error(name: str, dtype: torch.dtype, form: int) -> None:
    """Swish: the bounds of ``test_many_numbers_near_the_bend``. The others: 4 ULP of the largest term."""
    unit, exact, term = UNITS[name][form], *UNITS[name][2:]
    eps, largest = torch.finfo(dtype).eps, torch.finfo(dtype).max
    for eta in ETAS:
        beta = betavq.beta_from_eta(eta)
        x = torch.cat([numbers_of_every_size(dtype), numbers_near_the_bend(dtype, eta)])
        for xi, yi in zip(x.tolist(), unit(x, beta).tolist(), strict=True):
            with mpmath.workdps(50):
                true_eta = mpmath.mpf(beta) / (1 - mpmath.mpf(beta))
                truth = exact(mpmath.mpf(xi), true_eta)
                error, u = float(abs(mpmath.mpf(yi) - truth)), float(true_eta * xi)
            if abs(truth) > largest:  # a leaky slope above 1
                continue
            unit_of_size = ulp(term(xi, float(truth)), dtype)
            if name != "relu":
                assert error <= 4 * unit_of_size, (xi, eta)
                continue
            of_input, of_value = swish_bounds(eta, form)
            assert error <= max(of_input * eps * abs(xi), ulp(0, dtype)), (xi, eta)
            if u >= -80:
                assert error <= (of_value if u >= 0 else 2.5 * (1 + abs(u))) * unit_of_size, (xi, eta)
