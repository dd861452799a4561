"""The free energy's derivative in β: −H/β² to its ends, ties and tiny β included."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch

import betavq


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


def test_infinite_free_energy_sends_nothing_to_beta() -> None:
    z = torch.tensor([[math.inf, math.inf, 0.0], [-math.inf] * 3])
    beta = torch.tensor([0.5, 0.5], requires_grad=True)
    (slope,) = torch.autograd.grad(betavq.free_energy(z, beta).sum(), beta)
    assert slope.tolist() == [0.0, 0.0]
