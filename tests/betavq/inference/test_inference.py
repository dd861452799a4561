"""Code, value and free energy against optimisers, closed forms, 50-digit arithmetic and their own identities."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import lambertw
from torch import Tensor

import betavq

BETAS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 1.0)
INNER_BETAS = BETAS[1:-1]
scores_lists = st.lists(st.floats(-30, 30), min_size=1, max_size=7)
hardnesses = st.floats(0, 1)


def float64(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def entropy(t: Tensor) -> Tensor:
    return torch.special.entr(t).sum(-1)


def objective(t: Tensor, z: Tensor, beta: float) -> float:
    return (beta * (t * z).sum(-1) + (1 - beta) * entropy(t)).item()


def best_code_by_optimiser(z: np.ndarray, beta: float) -> np.ndarray:
    """Maximise β⟨t, z⟩ + (1−β)H(t) over the simplex with SLSQP, which knows nothing of softmax."""

    def loss(t: np.ndarray) -> float:
        return float(-beta * t @ z + (1 - beta) * t @ np.log(t))

    def slope(t: np.ndarray) -> np.ndarray:
        return -beta * z + (1 - beta) * (np.log(t) + 1)

    start = np.full(len(z), 1 / len(z))
    sums_to_one = {"type": "eq", "fun": lambda t: t.sum() - 1, "jac": lambda t: np.ones_like(t)}
    bounds = [(1e-14, 1.0)] * len(z)
    found = minimize(
        loss, start, jac=slope, bounds=bounds, constraints=[sums_to_one], options={"ftol": 1e-15, "maxiter": 500}
    )
    return np.asarray(found.x)


@pytest.mark.claim("C6")
@pytest.mark.parametrize("beta", INNER_BETAS)
def test_code_solves_the_selection_problem(beta: float) -> None:
    """A general optimiser over the simplex finds no better code than ours for β⟨t, z⟩ + (1−β)H(t), and finds ours."""
    rng = np.random.default_rng(0)
    for size in (2, 3, 5):
        z = rng.normal(size=size)
        t = betavq.code(torch.from_numpy(z), beta)
        found = torch.from_numpy(best_code_by_optimiser(z, beta))
        best = objective(t, torch.from_numpy(z), beta)
        assert objective(found, torch.from_numpy(z), beta) <= best + 1e-12
        torch.testing.assert_close(found, t, rtol=0, atol=2e-5)
        eta = beta / (1 - beta)
        assert best == pytest.approx((1 - beta) * math.log(np.exp(eta * z).sum()), abs=1e-12)


@pytest.mark.claim("C6")
def test_code_is_hard_soft_and_linear_at_the_ends_and_in_the_middle() -> None:
    """The code is the one-hot of the maximum at β = 1, softmax of the scores at β = ½ and uniform at β = 0."""
    z = torch.randn(100, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    one_hot = torch.nn.functional.one_hot(z.argmax(-1), 5).to(z.dtype)
    assert torch.equal(betavq.code(z, 1.0), one_hot)
    torch.testing.assert_close(betavq.code(z, 0.5), torch.softmax(z, -1), rtol=1e-14, atol=0)
    assert torch.equal(betavq.code(z, 0.0), torch.full_like(z, 1 / 5))
    assert torch.equal(betavq.value(z, 1.0), z.amax(-1))
    torch.testing.assert_close(betavq.value(z, 0.0), z.mean(-1), rtol=0, atol=1e-15)
    assert torch.equal(betavq.free_energy(z, 1.0), z.amax(-1))
    assert torch.equal(betavq.free_energy(z, 0.0), torch.full((100,), math.inf, dtype=z.dtype))


@pytest.mark.claim("C6")
@pytest.mark.parametrize("beta", INNER_BETAS)
def test_closed_form_is_softmax_of_eta_times_scores(beta: float) -> None:
    """The code is softmax(ηz), the free energy logsumexp(ηz)/η, and free energy − value is entropy/η."""
    z = 3 * torch.randn(50, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    eta = betavq.eta_from_beta(beta)
    t, v, f = betavq.code(z, beta), betavq.value(z, beta), betavq.free_energy(z, beta)
    torch.testing.assert_close(t, torch.softmax(eta * z, -1), rtol=1e-13, atol=1e-300)
    torch.testing.assert_close(v, (torch.softmax(eta * z, -1) * z).sum(-1), rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(f, torch.logsumexp(eta * z, -1) / eta, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(f - v, entropy(t) / eta, rtol=1e-9, atol=1e-12)


@pytest.mark.claim("C7")
@pytest.mark.parametrize("pieces", [2, 4, 9])
def test_gap_to_the_maximum_is_bounded_and_the_bound_attained(pieces: int) -> None:
    """The maximum exceeds the value by at most W((R−1)/e)/η, reached when all scores but one are equal."""
    bound = float(lambertw((pieces - 1) / math.e).real)
    z = 4 * torch.randn(2000, pieces, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for beta in INNER_BETAS:
        eta = betavq.eta_from_beta(beta)
        assert ((z.amax(-1) - betavq.value(z, beta)) * eta).max() <= bound * (1 + 1e-12)
        # One score 0 and the others −d/η: the gap d(R−1)/(e^d + R − 1)/η is largest at d = 1 + W((R−1)/e).
        worst = torch.zeros(pieces, dtype=torch.float64)
        worst[1:] = -(1 + bound) / eta
        assert -betavq.value(worst, beta).item() * eta == pytest.approx(bound, rel=1e-12)


def test_worked_number() -> None:
    z = float64([0.0, 1.0])
    torch.testing.assert_close(betavq.code(z, 0.5), float64([0.269, 0.731]), rtol=0, atol=5e-4)
    assert betavq.value(z, 0.5).item() == pytest.approx(0.731, abs=5e-4)
    assert betavq.free_energy(z, 0.5).item() == pytest.approx(1.313, abs=5e-4)
    assert entropy(betavq.code(z, 0.5)).item() == pytest.approx(0.582, abs=5e-4)


@pytest.mark.parametrize("function", [betavq.code, betavq.value])
def test_first_maximum_wins_at_beta_one(function) -> None:  # type: ignore[no-untyped-def]
    z = torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], requires_grad=True)
    first = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    for beta in (1.0, torch.tensor(1.0)):
        result = function(z, beta)
        if function is betavq.code:
            assert torch.equal(result, first)
        else:
            (slope,) = torch.autograd.grad(result.sum(), z)
            assert torch.equal(slope, first)


@given(scores_lists, hardnesses)
def test_code_is_a_distribution(values: list[float], beta: float) -> None:
    t = betavq.code(float64(values), beta)
    assert (t >= 0).all()
    assert t.sum().item() == pytest.approx(1, abs=1e-14)


@given(scores_lists, hardnesses, st.floats(-100, 100))
def test_a_common_shift_moves_the_value_and_leaves_the_code(values: list[float], beta: float, shift: float) -> None:
    # Integers add without rounding, so that what differs comes from the functions and not from their input.
    z, shift = float64(values).round(), float(round(shift))
    torch.testing.assert_close(betavq.code(z + shift, beta), betavq.code(z, beta), rtol=1e-13, atol=0)
    torch.testing.assert_close(betavq.value(z + shift, beta), betavq.value(z, beta) + shift, rtol=1e-13, atol=1e-13)


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=7, unique=True), hardnesses, st.randoms())
def test_permuting_the_pieces_permutes_the_code(values: list[float], beta: float, random) -> None:  # type: ignore[no-untyped-def]
    z, order = float64(values), list(range(len(values)))
    random.shuffle(order)
    torch.testing.assert_close(betavq.code(z[order], beta), betavq.code(z, beta)[order], rtol=1e-13, atol=1e-300)
    torch.testing.assert_close(betavq.value(z[order], beta), betavq.value(z, beta), rtol=1e-13, atol=1e-13)


@given(scores_lists, hardnesses, hardnesses)
def test_value_grows_and_free_energy_falls_with_beta(values: list[float], one: float, other: float) -> None:
    z, (low, high) = float64(values), sorted((one, other))
    slack = 1e-13 * (1 + z.abs().max().item())
    assert betavq.value(z, low) <= betavq.value(z, high) + slack
    assert betavq.value(z, high) <= z.max() + slack
    assert betavq.free_energy(z, high) >= z.max()
    soft, hard = betavq.free_energy(z, low).item(), betavq.free_energy(z, high).item()
    assert soft == hard == math.inf or soft >= hard - 1e-13 * (1 + abs(hard))


@pytest.mark.parametrize("dim", [0, 1, 2, -1, -2, -3])
def test_beta_broadcasts_against_the_scores_without_dim(dim: int) -> None:
    generator = torch.Generator().manual_seed(3)
    z = torch.randn(2, 3, 4, dtype=torch.float64, generator=generator)
    rows = z.movedim(dim, -1)
    for shape in ((), rows.shape[:-1], rows.shape[1:-1], (1, rows.shape[1]), (rows.shape[0], 1)):
        beta = torch.rand(shape, dtype=torch.float64, generator=generator)
        flat = beta.expand(rows.shape[:-1])
        for function in (betavq.value, betavq.free_energy, betavq.code):
            one_by_one = torch.stack(
                [
                    torch.stack([function(rows[i, j], flat[i, j].item()) for j in range(rows.shape[1])])
                    for i in range(rows.shape[0])
                ]
            )
            together = function(z, beta, dim)
            if function is betavq.code:
                together = together.movedim(dim, -1)
            torch.testing.assert_close(together, one_by_one, rtol=1e-13, atol=1e-300)


def test_many_betas_for_one_vector_of_scores() -> None:
    z, beta = float64([0.0, 1.0, 3.0]), float64(list(BETAS))
    assert betavq.code(z, beta).shape == (len(BETAS), 3)
    for row, b in enumerate(BETAS):
        torch.testing.assert_close(betavq.code(z, beta)[row], betavq.code(z, b), rtol=1e-14, atol=0)
        energy = betavq.free_energy(z, beta)[row]
        torch.testing.assert_close(energy, betavq.free_energy(z, b), rtol=1e-14, atol=0)


@pytest.mark.parametrize("eta", ["1e-300", "1e-12", "1e-6", "1e-3", "1", "30", "1e6"])
def test_against_50_digits(eta: str) -> None:
    with mpmath.workdps(50):
        z = [mpmath.mpf(v) for v in (-2.5, -0.125, 0.0, 1.0, 1.0625)]
        beta = betavq.beta_from_eta(float(eta))
        exact_eta = mpmath.mpf(beta) / (1 - mpmath.mpf(beta))
        weights = [mpmath.exp(exact_eta * v) for v in z]
        total = sum(weights)
        code = [float(w / total) for w in weights]
        value = float(sum(w * v for w, v in zip(weights, z, strict=True)) / total)
        energy = float(mpmath.log(total) / exact_eta)
    scores = float64([float(v) for v in z])
    # A rounding of ηz, of size η·|z|·eps, changes a weight by that much relative to itself.
    rtol = 4e-16 * (2 + 4 * float(eta))
    torch.testing.assert_close(betavq.code(scores, beta), float64(code), rtol=min(rtol, 1e-11), atol=1e-300)
    assert betavq.value(scores, beta).item() == pytest.approx(value, rel=min(rtol, 1e-11))
    assert betavq.free_energy(scores, beta).item() == pytest.approx(energy, rel=1e-15)


@pytest.mark.parametrize("u", [-100.0, -40.0, -5.0, -1e-9])
def test_free_energy_keeps_a_small_softplus(u: float) -> None:
    with mpmath.workdps(50):
        exact = float(mpmath.log1p(mpmath.exp(mpmath.mpf(u))))
    assert betavq.free_energy(float64([0.0, u]), 0.5).item() == pytest.approx(exact, rel=1e-15)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sixteen_bit_floats_are_computed_in_float32(dtype: torch.dtype) -> None:
    z = (8 * torch.randn(64, 5, generator=torch.Generator().manual_seed(4))).to(dtype)
    for beta in (*BETAS, 0.9999):
        for function in (betavq.code, betavq.value, betavq.free_energy):
            result = function(z, beta)
            assert result.dtype == dtype
            assert torch.equal(result, function(z.float(), beta).to(dtype))
