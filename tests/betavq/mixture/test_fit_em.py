"""EM, tempered and hard EM: against scikit-learn, against steps by definition, what never falls, what is recovered."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from sklearn.mixture import GaussianMixture as SklearnMixture
from torch import Tensor

import betavq
from betavq.mixture import FitResult, GaussianMixture

BETAS = [0.05, 0.3, 0.5, 0.8, 0.99, 1.0]
shapes = pytest.mark.parametrize("shared", [True, False])


def clusters(n: int, d: int, r: int, *, spread: float, seed: int) -> Tensor:
    """n points around r normal centres ``spread`` apart, with different widths."""
    generator = torch.Generator().manual_seed(seed)
    centres = spread * torch.randn(r, d, generator=generator, dtype=torch.float64)
    widths = 0.5 + torch.rand(r, 1, generator=generator, dtype=torch.float64)
    of = torch.randint(r, (n,), generator=generator)
    return centres[of] + widths[of] * torch.randn(n, d, generator=generator, dtype=torch.float64)


def started(x: Tensor, r: int, *, shared: bool, seed: int = 0) -> GaussianMixture:
    generator = torch.Generator().manual_seed(seed)
    return GaussianMixture.from_data(x, r, shared_variance=shared, generator=generator)


def energy(mixture: GaussianMixture, x: Tensor, beta: float) -> Tensor:
    """The objective by definition: the log-likelihood at β = ½."""
    return betavq.free_energy(mixture.log_joint(x), beta).sum()


def step(mixture: GaussianMixture, x: Tensor, beta: float, reg_covar: float) -> GaussianMixture:
    """One iteration by definition, without the matrix form."""
    t = betavq.code(mixture.log_joint(x)[:, 0], beta)
    counts = t.sum(0)
    means = (t.T @ x) / counts[:, None]
    inertia = (t * (x[:, None] - means).square().sum(2)).sum(0)
    variance = inertia / counts if mixture.variance.dim() else inertia.sum() / len(x)
    return GaussianMixture(means[None], (counts / len(x))[None], variance / x.shape[1] + reg_covar)


def assert_same(a: GaussianMixture, b: GaussianMixture, tolerance: float) -> None:
    for name in ("means", "log_weights", "variance"):
        torch.testing.assert_close(getattr(a, name), getattr(b, name), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("reg_covar", [1e-6, 0.1])
@pytest.mark.parametrize(("d", "r"), [(1, 2), (5, 4), (30, 8)])
def test_em_is_that_of_scikit_learn(d: int, r: int, reg_covar: float) -> None:
    """The same at every iteration, the same number of these, and the same mixture at the end."""
    x = clusters(400, d, r, spread=1.0, seed=d)
    mixture = started(x, r, shared=False)
    sklearn = SklearnMixture(
        r,
        covariance_type="spherical",
        means_init=mixture.means[0].numpy(),
        weights_init=mixture.weights[0].numpy(),
        precisions_init=(1 / mixture.variance).numpy(),
        reg_covar=reg_covar,
        tol=1e-4,
        max_iter=500,
        init_params="random_from_data",
    ).fit(x.numpy())
    result = mixture.fit(x, tolerance=1e-4, reg_covar=reg_covar, max_iterations=500)
    assert result.converged
    assert result.iterations == sklearn.n_iter_ > 2
    means = result.objective / len(x)
    torch.testing.assert_close(means[:-1], torch.tensor(sklearn.lower_bounds_), rtol=1e-11, atol=1e-11)
    assert means[-1].item() == pytest.approx(sklearn.score(x.numpy()), rel=1e-11)
    torch.testing.assert_close(mixture.means[0], torch.tensor(sklearn.means_), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(mixture.weights[0], torch.tensor(sklearn.weights_), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(mixture.variance, torch.tensor(sklearn.covariances_), rtol=1e-9, atol=1e-9)


@shapes
@pytest.mark.parametrize("beta", BETAS)
def test_each_iteration_is_the_step_by_definition(beta: float, shared: bool) -> None:
    """At β = ½ that of EM, at β = 1 that of classification EM, whose points belong to one component each."""
    x = clusters(300, 3, 4, spread=2.0, seed=1)
    fitted, expected = started(x, 4, shared=shared), started(x, 4, shared=shared)
    for _ in range(3):
        result = fitted.fit(x, beta=beta, max_iterations=1, tolerance=0, reg_covar=0.01)
        before, expected = expected, step(expected, x, beta, 0.01)
        assert_same(fitted, expected, 1e-10)
        energies = torch.stack([energy(before, x, beta), energy(expected, x, beta)])
        torch.testing.assert_close(result.objective, energies, rtol=1e-12, atol=0)


@shapes
@pytest.mark.parametrize("beta", BETAS)
def test_the_objective_never_falls(beta: float, shared: bool) -> None:
    for seed in range(10):
        x = clusters(150, 2, 3, spread=1.5, seed=seed)
        mixture = started(x, 3, shared=shared, seed=seed)
        result = mixture.fit(x, beta=beta, max_iterations=40, tolerance=0, reg_covar=0)
        assert result.objective.diff().min() >= -1e-12 * result.objective.abs().max()
        assert result.objective[-1] > result.objective[0]
        torch.testing.assert_close(result.objective[-1], energy(mixture, x, beta), rtol=1e-12, atol=0)


def test_nearly_hard_is_hard() -> None:
    """The fit of classification EM is the limit β → 1."""
    x = clusters(300, 2, 3, spread=4.0, seed=3)
    hard, nearly = started(x, 3, shared=True), started(x, 3, shared=True)
    result = hard.fit(x, beta=1.0)
    assert result.converged
    nearly.fit(x, beta=1 - 1e-9, max_iterations=result.iterations, tolerance=0)
    assert_same(nearly, hard, 1e-9)


@shapes
def test_a_known_mixture_is_recovered(shared: bool) -> None:
    """Components six widths apart: means within sampling error, five times its standard deviation."""
    means = 6 * torch.eye(3, 4, dtype=torch.float64)
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    variance = torch.tensor(1.0) if shared else torch.tensor([1.0, 0.5, 2.0])
    truth = GaussianMixture(means[None], weights[None], variance.double())
    for seed in range(5):
        x = truth.sample(5000, generator=torch.Generator().manual_seed(seed))[0].squeeze(1)
        mixture = started(x, 3, shared=shared, seed=seed)
        assert mixture.fit(x, tolerance=1e-9, max_iterations=1000).converged
        order = mixture.means[0, :, :3].argmax(1).argsort()
        counts = 5000 * weights
        error = (mixture.means[0, order] - means).abs().amax(1) / (truth.variance / counts).sqrt()
        assert error.max() < 5
        share_error = (mixture.weights[0, order] - weights).abs() / (weights * (1 - weights) / 5000).sqrt()
        assert share_error.max() < 5
        fitted = mixture.variance if shared else mixture.variance[order]
        degrees = 4 * (counts.sum() if shared else counts)
        assert ((fitted / truth.variance - 1).abs() / (2 / degrees).sqrt()).max() < 5


@shapes
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("method", ["em", "kmeans"])
def test_data_far_from_zero(method: str, dtype: torch.dtype, shared: bool) -> None:
    """What data 10⁶ away give is what they give at 0, up to the digits they have there."""
    offset = 1e6
    far = (clusters(500, 3, 3, spread=3.0, seed=5) + offset).to(dtype)
    near = far.double() - offset
    a, b = started(far, 3, shared=shared), started(near, 3, shared=shared)
    torch.testing.assert_close(a.means.double() - offset, b.means, rtol=0, atol=1e-9)
    results = [mixture.fit(x, method=method, max_iterations=20) for mixture, x in ((a, far), (b, near))]
    assert results[0].iterations == results[1].iterations > 2
    torch.testing.assert_close(
        results[0].objective, results[1].objective, rtol=1e-5 if dtype.itemsize == 4 else 1e-8, atol=0
    )
    last = math.ulp(offset) if dtype == torch.float64 else 2.0**-4
    torch.testing.assert_close(
        a.means.double() - offset, b.means, rtol=0, atol=20 * last if dtype == torch.float64 else last
    )
    torch.testing.assert_close(a.variance.double(), b.variance, rtol=1e-5 if dtype.itemsize == 4 else 1e-8, atol=0)


def test_an_empty_component_keeps_its_place_without_weight() -> None:
    """Too far away for any point to belong to it: the objective rises all the same, and nothing is NaN."""
    x = clusters(100, 2, 2, spread=3.0, seed=0)
    for beta in (0.5, 1.0):
        means = torch.cat([x[:2], torch.full((1, 2), 1e4, dtype=torch.float64)])[None]
        mixture = GaussianMixture(means, torch.full((1, 3), 1 / 3, dtype=torch.float64), torch.ones(3).double())
        result = mixture.fit(x, beta=beta, reg_covar=0, tolerance=0, max_iterations=20)
        assert result.objective.diff().min() >= -1e-9
        assert mixture.log_weights[0, 2] == -math.inf
        torch.testing.assert_close(mixture.means[0, 2], means[0, 2])
        assert mixture.variance[2] == 1
        without = GaussianMixture(means[:, :2], torch.full((1, 2), 0.5, dtype=torch.float64), torch.ones(2).double())
        without.fit(x, beta=beta, reg_covar=0, tolerance=0, max_iterations=20)
        torch.testing.assert_close(mixture.means[:, :2], without.means, rtol=1e-9, atol=1e-9)


def test_an_excluded_component_stays_excluded() -> None:
    x = clusters(100, 2, 2, spread=3.0, seed=0)
    log_weights = torch.tensor([[0.0, 0.0, -math.inf]], dtype=torch.float64)
    mixture = GaussianMixture.from_log_weights(x[None, :3], log_weights)
    mixture.fit(x)
    assert mixture.weights[0, 2] == 0
    torch.testing.assert_close(mixture.means[0, 2], x[2])


@pytest.mark.parametrize("arguments", [{}, {"beta": 1.0}, {"method": "kmeans"}])
def test_points_in_many_blocks(arguments: dict[str, Any]) -> None:
    """The same points ninety times over give the same mixture, whichever block they are in."""
    x = clusters(1000, 2, 3, spread=2.0, seed=0)
    once, often = started(x, 3, shared=False), started(x, 3, shared=False)
    a, b = (mixture.fit(data, **arguments) for mixture, data in ((once, x), (often, x.repeat(90, 1))))
    torch.testing.assert_close(90 * a.objective, b.objective, rtol=1e-12, atol=0)
    assert_same(once, often, 1e-11)


def test_regularisation_is_added() -> None:
    x = clusters(200, 2, 1, spread=1.0, seed=0)
    mixture = started(x, 1, shared=False)
    result = mixture.fit(x, reg_covar=0.25)
    assert isinstance(result, FitResult)
    torch.testing.assert_close(mixture.variance, x.var(0, correction=0).mean()[None] + 0.25)


@shapes
@pytest.mark.parametrize("far", [38.3, 38.5, 50.0])
def test_a_component_with_all_but_no_points_gets_weight_0(far: float, shared: bool) -> None:
    """Its responsibilities, 1e-318 to 0, have too few digits for a mean: its own stays."""
    x = torch.linspace(-0.01, 0.01, 50, dtype=torch.float64)[:, None]
    means = torch.tensor([[[0.0], [far]]], dtype=torch.float64)
    variance = torch.ones(() if shared else 2, dtype=torch.float64)
    mixture = GaussianMixture(means, torch.full((1, 2), 0.5, dtype=torch.float64), variance)
    mixture.fit(x, max_iterations=1)
    assert mixture.weights.tolist() == [[1, 0]]
    assert mixture.means[0, 1].item() == pytest.approx(far, rel=1e-14)
    assert mixture.log_prob(x).isfinite().all()
