"""Operators on many drawn inputs, of all dtypes, layouts and β, with what is special among the numbers: an oracle.

The oracle computes in float64, or in numpy's widest floats for float64. How many values were tried is said at the end
of the run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import betavq
import betavq.functional as bF

EXAMPLES = 130
AT_LEAST = 50_000  # values in each test
LEAKY = 0.1
Wide = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Case:
    """An input and a β."""

    x: Tensor
    beta: float

    @property
    def eps(self) -> float:
        return torch.finfo(self.x.dtype).eps

    @property
    def eta(self) -> float:
        return math.inf if self.beta == 1 else self.beta / (1 - self.beta)

    def wide(self) -> Wide:
        narrow = self.x.dtype != torch.float64
        return self.x.detach().double().numpy().astype(np.float64 if narrow else np.longdouble)


def filled(shape: tuple[int, ...], dtype: torch.dtype, seed: int, size: float, special: float) -> Tensor:
    """Normal numbers times ``size``, a share of them replaced by special values."""
    generator = torch.Generator().manual_seed(seed)
    info = torch.finfo(dtype)
    x = (torch.randn(shape, generator=generator, dtype=torch.float64) * size).clamp(-info.max, info.max).to(dtype)
    odd = [0.0, -0.0, info.tiny, -info.tiny, info.tiny / 4, info.max, -info.max, math.inf, -math.inf, math.nan]
    values = torch.tensor(odd, dtype=dtype)[torch.randint(len(odd), shape, generator=generator)]
    return torch.where(torch.rand(shape, generator=generator) < special, values, x)


def laid_out(x: Tensor, layout: str) -> Tensor:
    """The same numbers, otherwise in memory."""
    if layout == "transposed":
        return x.transpose(0, -1).contiguous().transpose(0, -1)
    if layout == "every second":
        return torch.stack([x, x], dim=-1)[..., 0]
    if layout == "channels last" and x.dim() == 4:
        return x.contiguous(memory_format=torch.channels_last)
    return x


betas = st.one_of(
    st.sampled_from([0.0, 0.5, 1.0, 1e-6, 1 - 1e-6]), st.floats(0, 1), st.floats(-6, 6).map(lambda e: 1 / (1 + 10**-e))
)


@st.composite
def cases(draw: st.DrawFn, *shape: st.SearchStrategy[int]) -> Case:
    sizes = tuple(draw(size) for size in shape)
    dtype = draw(st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]))
    scale = 10.0 ** draw(st.integers(-4, 4) if dtype == torch.float16 else st.integers(-30, 30))
    seed, special = draw(st.integers(0, 2**31)), draw(st.sampled_from([0.0, 0.02, 0.3]))
    x = filled(sizes, dtype, seed, scale, special)
    return Case(
        laid_out(x, draw(st.sampled_from(["plain", "transposed", "every second", "channels last"]))), draw(betas)
    )


def try_all(strategy: st.SearchStrategy[Case], check: Callable[[Case], None], record: Any) -> None:
    """Check drawn cases, and record how many values they hold."""
    tried = 0

    @settings(max_examples=EXAMPLES)
    @given(strategy)
    def holds(case: Case) -> None:
        nonlocal tried
        check(case)
        tried += case.x.numel()

    holds()
    assert tried >= AT_LEAST
    record("values tried", tried)


def agree(found: Tensor, expected: Wide, allowed: Wide) -> None:
    """NaN and ±∞ where the oracle has them, and close elsewhere."""
    info = torch.finfo(found.dtype)
    assert found.shape == expected.shape
    numbers = found.detach().double().numpy()
    np.testing.assert_array_equal(np.isnan(numbers), np.isnan(expected))
    known = ~np.isnan(expected)
    numbers, expected, allowed = numbers[known], expected[known], np.broadcast_to(allowed, expected.shape)[known]
    infinite = np.isinf(expected)
    np.testing.assert_array_equal(numbers[infinite], expected[infinite])
    error = np.abs(numbers[~infinite] - expected[~infinite])
    excess = error - allowed[~infinite] - 2 * info.smallest_normal * info.eps
    assert (excess <= 0).all(), f"{error[excess > 0][:3]} from {expected[~infinite][excess > 0][:3]}"


def sigmoid(u: Wide) -> Wide:
    small = np.exp(-np.abs(u))
    return np.where(u >= 0, 1, small) / (1 + small)


def gate(case: Case, factor: float = 1.0) -> Wide:
    """σ(factor · ηx); the step at β = 1, and at 0 for ±∞."""
    x = case.wide()
    if case.beta == 1:
        return np.where(x > 0, 1.0, np.where(x < 0, 0.0, 0.5)) + 0 * np.where(np.isinf(x), 0, x)
    return np.full_like(x, 0.5) if case.beta == 0 else sigmoid(factor * case.eta * x)


def times(x: Wide, slope: Wide) -> Wide:
    """x · slope with ±∞ · 0 = 0."""
    return np.where(np.isinf(x) & (slope == 0), 0, x * slope)


UNITS: dict[str, tuple[Callable[..., Tensor], Callable[[Case], Wide]]] = {
    "relu": (bF.beta_relu, lambda case: times(case.wide(), gate(case))),
    "leaky": (
        lambda x, beta: bF.beta_leaky_relu(x, LEAKY, beta=beta),
        lambda case: times(case.wide(), LEAKY + (1 - LEAKY) * gate(case, 1 - LEAKY)),
    ),
    "abs": (bF.beta_abs, lambda case: times(case.wide(), 2 * gate(case, 2.0) - 1)),
}
plane = cases(st.sampled_from([0, 1, 7, 64, 100]), st.sampled_from([1, 2, 3, 16, 33, 150]))
sides = st.sampled_from([16, 21, 7, 4, 3])
images = cases(st.sampled_from([4, 9, 1, 0]), st.sampled_from([3, 8, 1]), sides, sides)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value|underflow) encountered:RuntimeWarning")
@pytest.mark.parametrize("name", UNITS)
def test_units(name: str, record_property: Any) -> None:
    function, oracle = UNITS[name]

    def check(case: Case) -> None:
        x = case.x.clone(memory_format=torch.preserve_format).requires_grad_()
        y = function(x, beta=case.beta)
        assert (y.shape, y.dtype) == (x.shape, x.dtype)
        agree(y, oracle(case), 2 * case.eps * np.abs(np.nan_to_num(case.wide(), posinf=0, neginf=0)))
        (slope,) = torch.autograd.grad(y.sum(), x)
        assert (x.isnan() | ~slope.isnan()).all()
        assert slope[~slope.isnan()].abs().le(1.2 + 2 * case.eps).all()
        tensor = function(case.x, beta=torch.full((), case.beta, dtype=torch.float64))
        agree(tensor, oracle(case), 4 * case.eps * np.abs(np.nan_to_num(case.wide(), posinf=0, neginf=0)))

    try_all(plane, check, record_property)


def softened_maximum(z: Wide, beta: float, eta: float) -> tuple[Wide, Wide]:
    """The value of scores along the last dimension, and the largest finite size among them.

    −∞ excludes a score.
    """
    finite = np.where(np.isinf(z), 0, z)
    top = np.max(z, axis=-1, keepdims=True)
    half = np.where(np.isinf(z) | np.isinf(top), 0, z / 2 - np.where(np.isinf(top), 0, top) / 2)
    weights = np.where(half == 0, 1.0, 0.0) if beta == 1 else np.exp(2 * np.minimum(half * eta, 0))
    weights = np.where(z == -math.inf, 0.0, weights)
    total = weights.sum(-1, keepdims=True)
    shares = weights / np.where(total == 0, 1, total)
    value = np.where(shares == 0, 0, shares * finite).sum(-1)
    value = np.where(np.isinf(top[..., 0]), top[..., 0], value)
    return np.where(np.isnan(z).any(-1), math.nan, value), np.abs(np.nan_to_num(finite)).max(-1)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value|underflow) encountered:RuntimeWarning")
@pytest.mark.parametrize("name", ["value", "maxout"])
def test_values_of_scores(name: str, record_property: Any) -> None:
    def check(case: Case) -> None:
        expected, largest = softened_maximum(case.wide(), case.beta, case.eta)
        found = betavq.value(case.x, case.beta) if name == "value" else bF.beta_maxout(case.x, beta=case.beta)
        agree(found, expected, 4 * case.eps * largest)

    try_all(plane, check, record_property)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value|underflow) encountered:RuntimeWarning")
@pytest.mark.parametrize("windows", [(2, 2, 0), (3, 2, 1), (3, 1, 0)])
def test_pools_of_images(windows: tuple[int, int, int], record_property: Any) -> None:
    kernel, stride, padding = windows

    def check(case: Case) -> None:
        padded = np.pad(case.wide(), [(0, 0)] * 2 + [(padding, padding)] * 2, constant_values=-math.inf)
        views = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(2, 3))
        views = views[:, :, ::stride, ::stride]
        scores = views.reshape(*views.shape[:4], kernel**2)
        expected, largest = softened_maximum(scores, case.beta, case.eta)
        found = bF.beta_max_pool2d(case.x, kernel, stride, padding, beta=case.beta)
        agree(found, expected, 4 * case.eps * largest)

    try_all(images, check, record_property)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value|underflow) encountered:RuntimeWarning")
def test_codes(record_property: Any) -> None:
    def check(case: Case) -> None:
        t = betavq.code(case.x, case.beta).double()
        bad = case.x.isnan().any(-1)
        assert (bad[..., None] == t.isnan()).all()
        t, z = t[~bad], case.x[~bad]
        assert ((t >= 0) & (t <= 1)).all()
        assert (t[z == -math.inf] == 0).all()
        some = (z > -math.inf).any(-1)
        error = (t.sum(-1) - some.double()).abs()
        assert (error <= case.eps * (2 + t.shape[-1] / 2)).all()
        best = z.double().argmax(-1, keepdim=True)
        assert (t.gather(-1, best) >= t.amax(-1, keepdim=True)).all()

    try_all(plane, check, record_property)
