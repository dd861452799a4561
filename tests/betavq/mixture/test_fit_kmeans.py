"""K-means: against scikit-learn, what never rises, centroids without points, what the mixture is in the end."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.cluster import KMeans
from torch import Tensor

from betavq.mixture import GaussianMixture


def points(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def at(means: Tensor, variance: Tensor | float = 1.0) -> GaussianMixture:
    """A mixture with these means, of equal weights."""
    weights = torch.full((1, len(means)), 1 / len(means), dtype=means.dtype)
    return GaussianMixture(means[None], weights, variance)


def inertia(x: Tensor, means: Tensor) -> Tensor:
    return (x[:, None] - means).square().sum(2).amin(1).sum()


@pytest.mark.parametrize("tolerance", [0, 1e-3, 0.1])
@pytest.mark.parametrize(("n", "d", "r"), [(200, 2, 4), (500, 10, 8), (1000, 40, 3)])
def test_k_means_is_that_of_scikit_learn(n: int, d: int, r: int, tolerance: float) -> None:
    x = 30 * points(n, d, seed=n)
    mixture = at(x[:r])
    result = mixture.fit(x, method="kmeans", tolerance=tolerance, max_iterations=300)
    sklearn = KMeans(r, init=x[:r].numpy(), n_init=1, tol=tolerance, max_iter=300, algorithm="lloyd").fit(x.numpy())
    assert result.converged
    assert result.restarted == 0
    assert result.iterations == sklearn.n_iter_ > 1
    assert -result.objective[-1].item() == pytest.approx(sklearn.inertia_, rel=1e-12)
    torch.testing.assert_close(mixture.means[0], torch.tensor(sklearn.cluster_centers_), rtol=1e-11, atol=1e-9)
    shares = torch.bincount(torch.tensor(sklearn.labels_), minlength=r) / n
    torch.testing.assert_close(mixture.weights[0], shares.double(), rtol=0, atol=1e-7)


def test_the_inertia_never_rises() -> None:
    for seed in range(20):
        x = points(100, 2, seed)
        mixture = at(x[:6])
        result = mixture.fit(x, method="kmeans", tolerance=0)
        assert result.objective.diff().min() >= -1e-12 * result.objective.abs().max()
        torch.testing.assert_close(-result.objective[0], inertia(x, x[:6]), rtol=1e-12, atol=0)
        torch.testing.assert_close(-result.objective[-1], inertia(x, mixture.means[0]), rtol=1e-12, atol=0)
        assert result.converged
        moved = mixture.means.clone()
        mixture.fit(x, method="kmeans", tolerance=0)
        torch.testing.assert_close(mixture.means, moved)


@pytest.mark.parametrize("max_iterations", [1, 100])
def test_weights_and_variance_are_those_of_the_cells(max_iterations: int) -> None:
    """Also when it stops early, and the centroids are not yet the means of their cells."""
    x = points(300, 3, seed=1)
    shared, own = at(x[:4]), at(x[:4], torch.ones(4, dtype=torch.float64))
    for mixture in (shared, own):
        result = mixture.fit(x, method="kmeans", tolerance=0, max_iterations=max_iterations, reg_covar=0.5)
        assert result.converged == (max_iterations == 100)
    squares, label = (x[:, None] - own.means[0]).square().sum(2).min(1)
    counts = torch.bincount(label)
    torch.testing.assert_close(own.weights[0], counts / 300.0, check_dtype=False)
    torch.testing.assert_close(own.variance, torch.bincount(label, squares) / counts / 3 + 0.5)
    torch.testing.assert_close(shared.variance, squares.sum() / 900 + 0.5)


def test_it_reads_the_means_alone() -> None:
    x = points(200, 2, seed=2)
    plain = at(x[:3])
    weighted = GaussianMixture(x[None, :3], torch.tensor([[0.98, 0.02, 0.0]], dtype=torch.float64), 7.0)
    plain.fit(x, method="kmeans")
    weighted.fit(x, method="kmeans")
    assert torch.equal(plain.means, weighted.means)
    assert torch.equal(plain.variance, weighted.variance)
    assert torch.equal(plain.log_weights, weighted.log_weights)


def test_a_centroid_without_points_goes_to_the_farthest() -> None:
    """Two centroids out of reach; the data are four heaps, and a good partition needs all four."""
    heaps = 10 * torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64)
    x = heaps.repeat_interleave(25, 0) + points(100, 2, seed=0)
    starts = torch.cat([x[:1], x[99:], torch.full((2, 2), 1e3, dtype=torch.float64)])
    mixture = at(starts)
    result = mixture.fit(x, method="kmeans", tolerance=0, reg_covar=0)
    assert result.restarted == 2
    assert result.converged
    assert result.objective.diff().min() >= 0
    assert (torch.cdist(heaps, mixture.means[0]).amin(1) < 1).all()
    torch.testing.assert_close(mixture.weights[0], torch.full((4,), 0.25, dtype=torch.float64))


def test_more_centroids_than_distinct_points() -> None:
    """There is no point left for the last: it keeps its place, with weight 0, and the fit ends."""
    for seed in range(10):
        distinct = points(7, 20, seed)
        starts = torch.cat([distinct, distinct[:1] + 9])
        mixture = at(starts)
        result = mixture.fit(distinct.repeat(5, 1), method="kmeans", tolerance=1e-12, reg_covar=0.5)
        assert (result.converged, result.iterations, result.restarted) == (True, 1, 0)
        assert -1e-11 < result.objective.min() <= result.objective.max() <= 0
        assert mixture.log_weights[0, 7] == -math.inf
        torch.testing.assert_close(mixture.weights[0, :7], torch.full((7,), 1 / 7, dtype=torch.float64))
        torch.testing.assert_close(mixture.means[0], starts)
        assert mixture.variance.item() == pytest.approx(0.5)


def test_k_means_is_hard_em_of_equal_heaps() -> None:
    """Where cells are equal in number and variance is shared, the two select alike."""
    x = torch.cat([points(50, 2, seed=0), points(50, 2, seed=0) + 20])
    k_means, hard = at(x[[0, 50]] + 1), at(x[[0, 50]] + 1)
    k_means.fit(x, method="kmeans")
    hard.fit(x, beta=1.0)
    torch.testing.assert_close(k_means.means, hard.means)
    torch.testing.assert_close(k_means.log_weights, hard.log_weights)
    torch.testing.assert_close(k_means.variance, hard.variance)
