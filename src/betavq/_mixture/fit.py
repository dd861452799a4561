"""Fitting one mixture of spherical Gaussians: EM, tempered EM, K-means."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .._numerics.checks import check_count, check_number
from .._numerics.progress import reporter
from ..inference import eta_from_beta
from .checks import as_points
from .data import Data, k_means_plus_plus, prepare
from .steps import Components, centroids, farthest, log_joint, maximised, minus_distances, mixture_variance, select

Progress = Callable[[int, float], object]

LARGEST = sys.float_info.max


@dataclass(frozen=True, eq=False)
class FitResult:
    """What a fit did.

    Attributes:
        objective: float64, ``(iterations + 1,)``: first the start's, then after every iteration; the last is that of
            the fitted mixture. Summed over the points: the log-likelihood for EM, the free energy for tempered EM,
            minus the inertia for K-means.
        iterations: how often the components were updated.
        converged: whether the fit stopped by ``tolerance``, not by ``max_iterations``.
        restarted: how many times K-means moved a centroid that had no points.

    Example:
        >>> import torch
        >>> from betavq.mixture import GaussianMixture
        >>> x = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
        >>> result = GaussianMixture.from_data(x, 2).fit(x)
        >>> bool((result.objective.diff() > -1e-9).all())  # it never falls
        True
        >>> len(result.objective) == result.iterations + 1
        True
    """

    objective: Tensor
    iterations: int
    converged: bool
    restarted: int


class Limits(NamedTuple):
    """When to stop, what to add to variances, and what to call with every iteration and its objective."""

    max_iterations: int
    tolerance: float
    reg_covar: float
    report: Progress


def fit(
    x: Any,
    start: Components,
    method: str,
    beta: float,
    max_iterations: int,
    tolerance: float,
    reg_covar: float,
    progress: bool | Progress | None,
) -> tuple[Components, FitResult]:
    """:meth:`betavq.mixture.GaussianMixture.fit` of one unit, from its parameters to those fitted, in their dtype."""
    if method not in ("em", "kmeans"):
        raise ValueError(f"method must be 'em' or 'kmeans', got {method!r}")
    beta = check_number("beta", beta, 0.0, 1.0, "in (0, 1]", or_else="")
    if beta == 0:
        raise ValueError("beta must be in (0, 1], got 0: every component would get an equal part of every point")
    if method == "kmeans" and beta != 0.5:
        raise ValueError(f"beta must be left at 0.5 with method='kmeans', which is always hard, got {beta:g}")
    limits = Limits(
        check_count("max_iterations", max_iterations),
        _check_non_negative("tolerance", tolerance),
        _check_non_negative("reg_covar", reg_covar),
        reporter(progress, "fit: iteration {}, objective {:.10g}"),
    )
    data = prepare(x, len(start.means), start.means)
    inside = Components(start.means.double() - data.centre, start.log_weights.double(), start.variance.double())
    if method == "em":
        fitted, result = _em(data, inside, eta_from_beta(beta), limits)
    else:
        fitted, result = _k_means(data, inside, limits)
    return _outside(fitted, data, start.means.dtype), result


def start_from_data(
    x: Any, num_components: int, shared_variance: bool, reg_covar: float, generator: torch.Generator | None
) -> Components:
    """:meth:`betavq.mixture.GaussianMixture.from_data`."""
    num_components = check_count("num_components", num_components)
    reg_covar = _check_non_negative("reg_covar", reg_covar)
    if not isinstance(generator, torch.Generator | None):
        raise TypeError(f"generator must be a torch.Generator or None, got {generator!r}")
    x = as_points(x)
    data = prepare(x, num_components)
    means, inertia = k_means_plus_plus(data, num_components, generator)
    log_weights = means.new_full((num_components,), -math.log(num_components))
    variance = means.new_tensor(inertia / data.points.numel() + reg_covar)
    if not shared_variance:
        variance = variance.repeat(num_components)
    return _outside(Components(means, log_weights, variance), data, x.dtype)


def _em(data: Data, components: Components, eta: float, limits: Limits) -> tuple[Components, FitResult]:
    """EM with responsibilities softmax(η log p(x, r)); hard at η = ∞."""
    objective: list[float] = []
    converged = False
    while True:
        moments, total = select(data, log_joint(components), eta)
        if not math.isfinite(total):
            raise ValueError(f"x must have a log-likelihood that fits into float64 at each iteration, got {total}")
        limits.report(len(objective), total)
        objective.append(total)
        if converged or len(objective) > limits.max_iterations:
            return components, _result(objective, converged)
        components = maximised(moments, components, limits.reg_covar)
        change = total - objective[-2] if len(objective) > 1 else math.inf
        converged = abs(change) <= limits.tolerance * len(data.rows)


def _k_means(data: Data, start: Components, limits: Limits) -> tuple[Components, FitResult]:
    """K-means from the means of ``start``; weights and variance come at the end."""
    means = start.means
    close = limits.tolerance * data.squares.sum().item() / data.points.numel()
    objective: list[float] = []
    converged, restarted = False, 0
    while True:
        moments, total = select(data, minus_distances(means), math.inf)
        total = min(total, 0.0)  # rounding may make it positive
        limits.report(len(objective), total)
        objective.append(total)
        if converged or len(objective) > limits.max_iterations:
            log_weights = (moments.counts / len(data.rows)).log()
            variance = mixture_variance(moments, means, start.variance, limits.reg_covar)
            return Components(means, log_weights, variance), _result(objective, converged, restarted)
        moved = centroids(moments, means)
        empty = (moments.counts == 0).nonzero().squeeze(1)
        if len(empty):
            far = farthest(data, means, len(empty))
            moved[empty[: len(far)]] = far
            restarted += len(far)
        converged = (moved - means).square().sum().item() <= close
        means = moved


def _result(objective: list[float], converged: bool, restarted: int = 0) -> FitResult:
    return FitResult(torch.tensor(objective, dtype=torch.float64), len(objective) - 1, converged, restarted)


def _outside(components: Components, data: Data, dtype: torch.dtype) -> Components:
    """The components where the data are, in the dtype of the mixture."""
    means, log_weights, variance = components
    fitted = Components((means + data.centre).to(dtype), log_weights.to(dtype), variance.to(dtype))
    if not bool(((fitted.variance > 0) & fitted.variance.isfinite()).all()):
        got = variance.min().item() if bool((fitted.variance == 0).any()) else variance.max().item()
        raise ValueError(f"reg_covar must make the variance positive, and x keep it finite, in {dtype}, got {got:g}")
    return fitted


def _check_non_negative(name: str, value: Any) -> float:
    return check_number(name, value, 0.0, LARGEST, "non-negative and finite", or_else="")
