"""Mixtures against scikit-learn's, to it and from it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch
from mixture_examples import random, random_mixture

from betavq.mixture import GaussianMixture

cluster = pytest.importorskip("sklearn.cluster")
sklearn_mixture = pytest.importorskip("sklearn.mixture")


@pytest.mark.claim("C4")
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("shared", [True, False])
def test_responsibilities_are_those_of_scikit_learn(seed: int, shared: bool) -> None:
    """Responsibilities are what scikit-learn's mixture of the same means, weights and variance predicts."""
    features = [1, 2, 3, 5, 8, 12, 20, 30, 40, 50][seed]
    mixture = random_mixture(1, 6, features, seed=seed, shared=shared)
    x = 2 * random(500, features, seed=seed + 300)
    # Its attributes set by hand, so that nothing of ours stands between.
    peer = sklearn_mixture.GaussianMixture(6, covariance_type="spherical")
    peer.means_, peer.weights_ = mixture.means[0].numpy(), mixture.weights[0].numpy()
    peer.covariances_ = mixture.variance.expand(6).numpy()
    peer.precisions_cholesky_ = 1 / np.sqrt(peer.covariances_)
    for estimator in (peer, mixture.to_sklearn()):
        expected = torch.from_numpy(estimator.predict_proba(x.numpy()))
        torch.testing.assert_close(mixture.responsibilities(x)[:, 0], expected, rtol=0, atol=1e-10)
        density = torch.from_numpy(estimator.score_samples(x.numpy()))
        torch.testing.assert_close(mixture.log_prob(x)[:, 0], density, rtol=1e-10, atol=1e-10)
        assert mixture.map_code(x)[:, 0].tolist() == estimator.predict(x.numpy()).tolist()


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_there_and_back(shared: bool, dtype: torch.dtype) -> None:
    mixture = random_mixture(1, shared=shared).to(dtype)
    back = GaussianMixture.from_sklearn(mixture.to_sklearn())
    tolerance = 4 * torch.finfo(dtype).eps
    for name, buffer in mixture.state_dict().items():
        torch.testing.assert_close(back.state_dict()[name], buffer, rtol=tolerance, atol=tolerance)


def test_the_estimator_is_alive_and_a_copy() -> None:
    mixture = random_mixture(1, 3, 2)
    estimator = mixture.to_sklearn()
    points, _ = estimator.sample(5)
    assert points.shape == (5, 2)
    kept = {name: buffer.clone() for name, buffer in mixture.state_dict().items()}
    for array in (estimator.means_, estimator.weights_, estimator.covariances_):
        array += 1
    for name, buffer in mixture.state_dict().items():
        assert torch.equal(buffer, kept[name])
    assert estimator.fit(random(200, 2).numpy()).converged_


def test_from_a_fitted_mixture() -> None:
    x = random(300, 3)
    estimator = sklearn_mixture.GaussianMixture(4, covariance_type="spherical", random_state=0).fit(x.numpy())
    mixture = GaussianMixture.from_sklearn(estimator)
    assert mixture.variance.shape == (4,)
    expected = torch.from_numpy(estimator.predict_proba(x.numpy()))
    torch.testing.assert_close(mixture.responsibilities(x)[:, 0], expected, rtol=0, atol=1e-10)
    mixture.means.zero_()
    mixture.variance.zero_()
    assert estimator.means_.all()
    assert estimator.covariances_.all()


def test_from_and_to_kmeans() -> None:
    x, new = random(300, 3), random(1000, 3, seed=7)
    kmeans = cluster.KMeans(7, n_init=1, random_state=0).fit(x.numpy())
    mixture = GaussianMixture.from_sklearn(kmeans)
    assert mixture.map_code(new)[:, 0].tolist() == kmeans.predict(new.numpy()).tolist()
    assert mixture.to_maso().selection(new)[:, 0].tolist() == kmeans.predict(new.numpy()).tolist()
    assert mixture.variance.item() == pytest.approx(kmeans.inertia_ / 900)
    again = mixture.to_sklearn("kmeans")
    assert np.array_equal(again.cluster_centers_, kmeans.cluster_centers_)
    assert again.predict(new.numpy()).tolist() == kmeans.predict(new.numpy()).tolist()
    np.testing.assert_allclose(again.transform(new.numpy()), kmeans.transform(new.numpy()))


def zero_weight() -> GaussianMixture:
    return GaussianMixture(random(1, 2, 3), torch.tensor([[0.0, 1.0]], dtype=torch.float64))


@pytest.mark.parametrize(
    ("mixture", "kind", "message"),
    [
        (random_mixture(2), "mixture", "to_sklearn needs a mixture of one unit, K = 1, got K = 2"),
        (random_mixture(1), "KMeans", 'kind must be "mixture" or "kmeans", got \'KMeans\''),
        (zero_weight(), "mixture", "to_sklearn needs weights above 0, .*, got 0 for component 0"),
    ],
)
def test_what_has_no_estimator(mixture: GaussianMixture, kind: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mixture.to_sklearn(kind)


def exact_clusters() -> Any:
    points = random(3, 2).numpy()
    return cluster.KMeans(3, init=points, n_init=1).fit(points)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: cluster.KMeans(3), ValueError, "estimator must be fitted, got KMeans"),
        (
            lambda: sklearn_mixture.GaussianMixture(3),
            ValueError,
            "estimator must have covariance_type=\"spherical\", got 'full'",
        ),
        (
            lambda: sklearn_mixture.GaussianMixture(3, covariance_type="spherical"),
            ValueError,
            "estimator must be fitted",
        ),
        (
            lambda: cluster.DBSCAN(),
            TypeError,
            "estimator must be scikit-learn's GaussianMixture or KMeans, got DBSCAN",
        ),
        (lambda: random_mixture(1), TypeError, "estimator must be scikit-learn's .*, got GaussianMixture"),
        (exact_clusters, ValueError, "estimator must have a positive inertia"),
    ],
)
def test_what_is_no_mixture(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        GaussianMixture.from_sklearn(make())


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for convert in (random_mixture(1).to_sklearn, lambda: GaussianMixture.from_sklearn(None)):
        with pytest.raises(ImportError, match="pip install scikit-learn"):
            convert()
