"""Quadratic entropy: the entmax package, 50-digit arithmetic, closed forms of two pieces and the problem it solves."""

from __future__ import annotations

import functools
import math

import entmax
import mpmath
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import betavq

INNER_BETAS = (0.05, 0.25, 0.5, 0.75, 0.9)
code, value, free_energy = (
    functools.partial(function, entropy="quadratic") for function in (betavq.code, betavq.value, betavq.free_energy)
)
scores_lists = st.lists(st.floats(-30, 30), min_size=1, max_size=7)
hardnesses = st.floats(0, 1)


def float64(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def randn(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def entropy(t: Tensor) -> Tensor:
    return (1 - t.square().sum(-1)) / 2


@pytest.mark.parametrize("beta", INNER_BETAS)
@pytest.mark.parametrize("shape", [(200, 2), (100, 9), (20, 300)])
def test_agrees_with_the_entmax_package(beta: float, shape: tuple[int, int]) -> None:
    """The code is entmax.sparsemax(ηz) and has its gradients, along every dimension."""
    eta = betavq.eta_from_beta(beta)
    for dim in (-1, 0):
        z, upstream = (3 * randn(*shape).movedim(-1, dim)).requires_grad_(), randn(*shape).cos().movedim(-1, dim)
        ours, theirs = code(z, beta, dim), entmax.sparsemax(eta * z, dim=dim)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
        slopes = (torch.autograd.grad(t, z, upstream)[0] for t in (ours, theirs))
        torch.testing.assert_close(*slopes, rtol=0, atol=1e-12)


@pytest.mark.parametrize("beta", INNER_BETAS)
def test_code_solves_the_problem(beta: float) -> None:
    """No step towards a corner of the simplex raises β⟨t, z⟩ + (1−β)H(t); a concave objective is then at its top."""
    z = randn(300, 6)
    t = code(z, beta)
    slope = beta * z - (1 - beta) * t
    towards_corners = slope - (slope * t).sum(-1, keepdim=True)
    assert towards_corners.max() <= 1e-14
    best = beta * (t * z).sum(-1) + (1 - beta) * entropy(t)
    torch.testing.assert_close(beta * free_energy(z, beta), best, rtol=1e-13, atol=1e-15)


def test_ends_are_hard_and_linear() -> None:
    z = randn(100, 5)
    for one, zero in ((1.0, 0.0), (torch.tensor(1.0), torch.tensor(0.0))):
        assert torch.equal(code(z, one), F.one_hot(z.argmax(-1), 5).to(z.dtype))
        assert torch.equal(value(z, one), z.amax(-1))
        assert torch.equal(free_energy(z, one), z.amax(-1))
        torch.testing.assert_close(code(z, zero), torch.full_like(z, 1 / 5), rtol=1e-15, atol=0)
        torch.testing.assert_close(value(z, zero), z.mean(-1), rtol=0, atol=1e-15)
        assert torch.equal(free_energy(z, zero), torch.full((100,), math.inf, dtype=z.dtype))


def test_ties_are_shared_below_beta_one_and_go_to_the_first_at_it() -> None:
    z = float64([1.0, 3.0, 3.0])
    assert code(z, 1.0).tolist() == [0, 1, 0]
    assert code(z, torch.tensor(1.0)).tolist() == [0, 1, 0]
    assert code(z, 1 - 1e-9).tolist() == [0, 0.5, 0.5]


def test_two_pieces_are_the_hard_activations() -> None:
    """Of (0, u): hard-sigmoid and hard-swish at β = ¼; of (−u, u) with read-outs ∓1: hard-tanh at β = ⅓."""
    u = torch.linspace(-30, 30, 10_001, dtype=torch.float64)
    relu, magnitude = torch.stack([torch.zeros_like(u), u], -1), torch.stack([-u, u], -1)
    torch.testing.assert_close(code(relu, 0.25)[:, 1], F.hardsigmoid(u), rtol=0, atol=1e-15)
    torch.testing.assert_close(value(relu, 0.25), F.hardswish(u), rtol=1e-15, atol=1e-15)
    hardtanh = value(magnitude, 1 / 3, readout=float64([-1, 1]))
    torch.testing.assert_close(hardtanh, F.hardtanh(u), rtol=0, atol=1e-15)
    # The free energy of (0, u) is ReLU with a parabola in the corner: (1 + ηu)²/(4η) for |u| < 1/η.
    eta = 1 / 3
    corner = torch.where(u.abs() < 1 / eta, (1 + eta * u).square() / (4 * eta), F.relu(u))
    torch.testing.assert_close(free_energy(relu, 0.25), corner, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("pieces", [2, 4, 9])
def test_gap_to_the_maximum_is_bounded_and_the_bound_attained(pieces: int) -> None:
    """The maximum exceeds the value by at most (1 − 1/R)/(4η), where all scores but one are 1/(2η) below it."""
    bound = (1 - 1 / pieces) / 4
    z = randn(2000, pieces)
    for beta in INNER_BETAS:
        eta = betavq.eta_from_beta(beta)
        assert ((z.amax(-1) - value(z, beta)) * eta).max() <= bound * (1 + 1e-12)
        worst = torch.zeros(pieces, dtype=torch.float64)
        worst[1:] = -1 / (2 * eta)
        assert -value(worst, beta).item() * eta == pytest.approx(bound, rel=1e-12)


@pytest.mark.parametrize("beta", INNER_BETAS)
def test_free_energy_is_value_plus_entropy_over_eta(beta: float) -> None:
    z, eta = 3 * randn(50, 4), betavq.eta_from_beta(beta)
    t = code(z, beta)
    torch.testing.assert_close(value(z, beta), (t * z).sum(-1), rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(free_energy(z, beta) - value(z, beta), entropy(t) / eta, rtol=1e-9, atol=1e-12)


@given(scores_lists, hardnesses)
def test_code_is_a_distribution(values: list[float], beta: float) -> None:
    t = code(float64(values), beta)
    assert (t >= 0).all()
    assert t.sum().item() == pytest.approx(1, abs=1e-14)


@given(scores_lists, hardnesses, st.floats(-100, 100))
def test_a_common_shift_moves_the_value_and_leaves_the_code(values: list[float], beta: float, shift: float) -> None:
    z, shift = float64(values).round(), float(round(shift))
    torch.testing.assert_close(code(z + shift, beta), code(z, beta), rtol=1e-13, atol=1e-15)
    torch.testing.assert_close(value(z + shift, beta), value(z, beta) + shift, rtol=1e-13, atol=1e-13)


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=7, unique=True), hardnesses, st.randoms())
def test_permuting_the_pieces_permutes_the_code(values: list[float], beta: float, random) -> None:  # type: ignore[no-untyped-def]
    z, order = float64(values), list(range(len(values)))
    random.shuffle(order)
    torch.testing.assert_close(code(z[order], beta), code(z, beta)[order], rtol=0, atol=1e-15)
    torch.testing.assert_close(value(z[order], beta), value(z, beta), rtol=1e-13, atol=1e-13)


@given(scores_lists, hardnesses, hardnesses)
def test_value_grows_and_free_energy_falls_with_beta(values: list[float], one: float, other: float) -> None:
    z, (low, high) = float64(values), sorted((one, other))
    slack = 1e-13 * (1 + z.abs().max().item())
    assert value(z, low) <= value(z, high) + slack
    assert value(z, high) <= z.max() + slack
    assert free_energy(z, high) >= z.max()
    soft, hard = free_energy(z, low).item(), free_energy(z, high).item()
    assert soft == hard == math.inf or soft >= hard - 1e-13 * (1 + abs(hard))


def exact_code(z: list[mpmath.mpf], eta: mpmath.mpf) -> list[mpmath.mpf]:
    """sparsemax(ηz) by bisection of Σ max(ηz_r − τ, 0) = 1."""
    low, high = eta * max(z) - 1, eta * max(z)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(max(eta * v - middle, 0) for v in z) > 1 else (low, middle)
    return [max(eta * v - low, mpmath.mpf(0)) for v in z]


@pytest.mark.parametrize("eta", ["1e-300", "1e-12", "1e-3", "0.4", "1", "14", "30", "1e6"])
def test_against_50_digits(eta: str) -> None:
    scores = [-2.5, -0.125, 0.0, 1.0, 1.0625]
    with mpmath.workdps(60):
        z, beta = [mpmath.mpf(v) for v in scores], betavq.beta_from_eta(float(eta))
        exact_eta = mpmath.mpf(beta) / (1 - mpmath.mpf(beta))
        t = exact_code(z, exact_eta)
        exact_value = sum(p * v for p, v in zip(t, z, strict=True))
        exact_energy = float(exact_value + (1 - sum(p * p for p in t)) / 2 / exact_eta)
    assert code(float64(scores), beta).tolist() == pytest.approx([float(p) for p in t], rel=0, abs=4e-16)
    assert value(float64(scores), beta).item() == pytest.approx(float(exact_value), rel=4e-16, abs=2e-16)
    assert free_energy(float64(scores), beta).item() == pytest.approx(exact_energy, rel=1e-15)


def test_free_energy_keeps_the_foot_of_its_parabola() -> None:
    """Of (0, u) with u just above −1/η it is tiny and has all digits: (1 + ηu)²/(4η)."""
    for foot in (2.0**-10, 2.0**-30, 2.0**-52):
        assert free_energy(float64([0.0, foot - 1]), 0.5).item() == pytest.approx(foot**2 / 4, rel=1e-15)


@pytest.mark.parametrize("dim", [0, 1, 2, -1, -2, -3])
def test_beta_broadcasts_against_the_scores_without_dim(dim: int) -> None:
    z = randn(2, 3, 4)
    rows = z.movedim(dim, -1)
    for shape in ((), rows.shape[:-1], rows.shape[1:-1], (rows.shape[0], 1)):
        beta = torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        flat = beta.expand(rows.shape[:-1])
        for function in (code, value, free_energy):
            together = function(z, beta, dim)
            together = together.movedim(dim, -1) if function is code else together
            for i in range(rows.shape[0]):
                for j in range(rows.shape[1]):
                    alone = function(rows[i, j], flat[i, j].item())
                    torch.testing.assert_close(together[i, j], alone, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sixteen_bit_floats_are_computed_in_float32(dtype: torch.dtype) -> None:
    z = (8 * randn(64, 5)).to(dtype)
    for beta in (0.0, *INNER_BETAS, 0.9999, 1.0):
        for function in (code, value, free_energy):
            result = function(z, beta)
            assert result.dtype == dtype
            assert torch.equal(result, function(z.float(), beta).to(dtype))
