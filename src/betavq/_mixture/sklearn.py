"""A mixture of one unit as scikit-learn's estimators, and back."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from .density import SphericalGaussians


def estimator_of(mixture: SphericalGaussians, kind: Literal["mixture", "kmeans"]) -> Any:
    """What :meth:`betavq.mixture.GaussianMixture.to_sklearn` gives."""
    _import_sklearn()
    if kind not in ("mixture", "kmeans"):
        raise ValueError(f'kind must be "mixture" or "kmeans", got {kind!r}')
    if mixture.num_units != 1:
        raise ValueError(f"to_sklearn needs a mixture of one unit, K = 1, got K = {mixture.num_units}")
    means = mixture.means[0].cpu().numpy().copy()
    return _kmeans(means) if kind == "kmeans" else _gaussian_mixture(mixture, means)


def mixture_parameters(estimator: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The means, weights and variance of a fitted estimator as the arguments of a GaussianMixture."""
    _import_sklearn()
    from sklearn.cluster import KMeans
    from sklearn.mixture import GaussianMixture
    from sklearn.utils.validation import check_is_fitted

    if not isinstance(estimator, GaussianMixture | KMeans):
        raise TypeError(f"estimator must be scikit-learn's GaussianMixture or KMeans, got {type(estimator).__name__}")
    if isinstance(estimator, GaussianMixture) and estimator.covariance_type != "spherical":
        raise ValueError(f'estimator must have covariance_type="spherical", got {estimator.covariance_type!r}')
    try:
        check_is_fitted(estimator)
    except ValueError:
        raise ValueError(f"estimator must be fitted, got {estimator}") from None
    if isinstance(estimator, KMeans):
        means = _tensor(estimator.cluster_centers_)
        # Equal weights: with others the code would not be the nearest mean, which KMeans predicts.
        weights = means.new_full((1, len(means)), 1 / len(means))
        variance = means.new_tensor(estimator.inertia_ / (len(estimator.labels_) * means.shape[1]))
        if variance == 0:
            raise ValueError("estimator must have a positive inertia, which gives the variance, got 0")
        return means[None], weights, variance
    variance = _tensor(estimator.covariances_)
    shared = variance[0].clone() if bool((variance == variance[0]).all()) else variance
    return _tensor(estimator.means_)[None], _tensor(estimator.weights_)[None], shared


def _gaussian_mixture(mixture: SphericalGaussians, means: Any) -> Any:
    from sklearn.mixture import GaussianMixture

    weights = mixture.weights[0].cpu().numpy().copy()
    if not weights.all():
        index = int(np.flatnonzero(weights == 0)[0])
        raise ValueError(f"to_sklearn needs weights above 0, which scikit-learn does, got 0 for component {index}")
    variances = mixture.variance.expand(mixture.num_components).cpu().numpy().copy()
    estimator = GaussianMixture(
        mixture.num_components,
        covariance_type="spherical",
        means_init=means,
        weights_init=weights,
        precisions_init=1 / variances,
        warm_start=True,
    )
    estimator.means_, estimator.weights_, estimator.covariances_ = means.copy(), weights.copy(), variances
    estimator.precisions_, estimator.precisions_cholesky_ = 1 / variances, 1 / np.sqrt(variances)
    estimator.n_features_in_ = mixture.num_features
    estimator.converged_, estimator.n_iter_, estimator.lower_bound_ = True, 0, -np.inf
    return estimator


def _kmeans(means: Any) -> Any:
    from sklearn.cluster import KMeans

    # Fitted to the means alone, each a cluster of its own: that sets all that its methods want.
    estimator = KMeans(len(means), init=means, n_init=1, max_iter=1).fit(means)
    estimator.cluster_centers_ = means
    return estimator


def _tensor(array: Any) -> Tensor:
    return torch.tensor(np.asarray(array))  # a copy, in the array's own dtype


def _import_sklearn() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise ImportError("this conversion needs scikit-learn: pip install scikit-learn") from None
