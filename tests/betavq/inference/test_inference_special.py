"""Excluded, infinite, huge and absent pieces: documented answers, and no NaN in a result or a gradient."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch

import betavq
from betavq._inference.arguments import Entropy

INF = math.inf
BETAS = (0.0, 1e-12, 0.5, 1 - 2**-24, 1.0)
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
FUNCTIONS = (betavq.code, betavq.value, betavq.free_energy)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_an_excluded_piece_counts_for_nothing(beta: float, as_tensor: bool) -> None:
    b = torch.tensor(beta, dtype=torch.float64) if as_tensor else beta
    kept = torch.tensor([1.0, -3.0, 1.5], dtype=torch.float64)
    with_excluded = torch.tensor([-INF, 1.0, -3.0, -INF, 1.5], dtype=torch.float64)
    t = betavq.code(with_excluded, b)
    assert t[[0, 3]].tolist() == [0.0, 0.0]
    torch.testing.assert_close(t[[1, 2, 4]], betavq.code(kept, b), rtol=1e-15, atol=0)
    torch.testing.assert_close(betavq.value(with_excluded, b), betavq.value(kept, b), rtol=1e-15, atol=0)
    torch.testing.assert_close(betavq.free_energy(with_excluded, b), betavq.free_energy(kept, b), rtol=1e-15, atol=0)


@pytest.mark.parametrize("beta", BETAS)
def test_a_single_admissible_piece_is_taken_at_every_beta(beta: float) -> None:
    z = torch.tensor([-INF, 7.0, -INF])
    assert betavq.code(z, beta).tolist() == [0.0, 1.0, 0.0]
    assert betavq.value(z, beta).item() == 7
    assert betavq.free_energy(z, beta).item() == 7


@pytest.mark.parametrize(("beta", "shares"), [(0.0, [1 / 3] * 3), (0.5, [0.0, 0.5, 0.5]), (1.0, [0.0, 1.0, 0.0])])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_infinite_scores_share(beta: float, shares: list[float], as_tensor: bool) -> None:
    b = torch.tensor(beta, dtype=torch.float64) if as_tensor else beta
    z = torch.tensor([-2.0, INF, INF], dtype=torch.float64, requires_grad=True)
    assert betavq.code(z, b).tolist() == pytest.approx(shares)
    for function in (betavq.value, betavq.free_energy):
        result = function(z, b)
        assert result.item() == INF
        (slope,) = torch.autograd.grad(result, z)
        assert slope.tolist() == pytest.approx(shares)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_a_row_without_admissible_piece_has_no_code(beta: float, as_tensor: bool) -> None:
    b = torch.tensor(beta, requires_grad=True) if as_tensor else beta
    z = torch.full((2, 3), -INF, requires_grad=True)
    assert torch.equal(betavq.code(z, b), torch.zeros(2, 3))
    for function in (betavq.value, betavq.free_energy):
        result = function(z, b)
        assert result.tolist() == [-INF, -INF]
        (slope,) = torch.autograd.grad(result.sum(), z, retain_graph=True)
        assert torch.equal(slope, torch.zeros(2, 3))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_nan_that_the_scores_did_not_have(dtype: torch.dtype, function) -> None:  # type: ignore[no-untyped-def]
    big, small = torch.finfo(dtype).max, torch.finfo(dtype).smallest_normal / 4
    rows = [
        [0.0, 0.0, 0.0],
        [big, -big, -big],
        [big, big, -INF],
        [-big, -big, -big],
        [small, -small, 0.0],
        [1.0, INF, -INF],
        [INF, INF, INF],
        [-INF, -INF, -INF],
        [3.0, -INF, big],
    ]
    z = torch.tensor(rows, dtype=dtype)
    eps, tiny = torch.finfo(dtype).eps, torch.finfo(dtype).tiny
    for beta in (0.0, tiny, 0.5, 1 - eps / 2, 1.0):
        for b in (beta, torch.tensor(beta, dtype=dtype), torch.full((len(rows),), beta, dtype=torch.float64)):
            s = z.clone().requires_grad_()
            inputs = [s]
            if isinstance(b, torch.Tensor):
                inputs.append(b.requires_grad_())
            result = function(s, b)
            assert not result.isnan().any()
            weights = torch.arange(1, result.numel() + 1).view(result.shape).to(dtype) / 8
            for slope in torch.autograd.grad((result * weights).sum(), inputs):
                assert not slope.isnan().any()


def test_nan_scores_stay_nan() -> None:
    spoilt = torch.tensor([[1.0, math.nan, 0.0], [math.inf, math.nan, 1.0], [math.nan, math.inf, -math.inf]])
    sound = torch.tensor([[1.0, 2.0, 0.0], [math.inf, 1.0, -math.inf]])
    for beta in (0.0, 0.5, 1.0):
        for function in (betavq.code, betavq.value, betavq.free_energy):
            for entropy in get_args(Entropy):
                assert function(spoilt, beta, entropy=entropy).isnan().all(), (beta, function, entropy)
                assert not function(sound, beta, entropy=entropy).isnan().any(), (beta, function, entropy)


def test_a_difference_that_overflows() -> None:
    big = torch.finfo(torch.float32).max
    z = torch.tensor([big, -big])
    assert betavq.code(z, 0.5).tolist() == [1.0, 0.0]
    assert betavq.value(z, 0.5).item() == big
    # η·2·big = ln 3 makes the odds 3 : 1, although 2·big is not a float.
    eta = math.log(3) / (2 * big)
    torch.testing.assert_close(betavq.code(z, betavq.beta_from_eta(eta)), torch.tensor([0.75, 0.25]))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_empty_batches(function) -> None:  # type: ignore[no-untyped-def]
    for beta in (0.0, 0.5, 1.0, torch.tensor(0.5)):
        z = torch.empty(0, 3, requires_grad=True)
        result = function(z, beta)
        assert result.shape == ((0, 3) if function is betavq.code else (0,))
        (slope,) = torch.autograd.grad(result.sum(), z)
        assert slope.shape == (0, 3)
