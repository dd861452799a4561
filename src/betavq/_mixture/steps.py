"""One step of a fit: weigh the components of every point, sum the points by these weights, maximise.

The selection weighs by softmax(η z_nr), or takes the largest at η = ∞. Its scores z are quadratic in x: the log joint
for EM; for K-means minus the squared distance, which is the log joint of equal weights and variance ½ but for a
constant.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .data import Data

EPS = torch.finfo(torch.float64).eps
# Component weights so far below the rounding of the other ones count as none; their means might not be numbers.
SMALLEST_COUNT = torch.finfo(torch.float64).tiny / EPS


class Components(NamedTuple):
    """One mixture about the centre of the data, in float64."""

    means: Tensor  # (R, D)
    log_weights: Tensor  # (R,)
    variance: Tensor  # () or (R,)


class Moments(NamedTuple):
    """What the selected points of every component add up to."""

    counts: Tensor  # (R,)
    sums: Tensor  # (R, D)
    squares: Tensor  # (R,), of ‖x‖²


def select(data: Data, coefficients: Tensor, eta: float) -> tuple[Moments, float]:
    """Weigh the components of every point, and sum the points by these weights.

    Args:
        data: the points.
        coefficients: ``(R, D+2)``, scores as quadratic functions: those of ``Data.rows``.
        eta: inverse temperature, or ∞ for the first largest score.

    Returns:
        The moments, and the free energy Σ_n log Σ_r exp(η z_nr) / η.
    """
    if eta < math.inf:
        coefficients = eta * coefficients
    sums = torch.zeros_like(coefficients)
    total = 0.0
    for rows in data.blocks(len(coefficients)):
        scores = coefficients @ rows.T  # components first: the sums over them run along memory
        if eta == math.inf:
            largest, first = scores.max(0)
            sums.index_add_(0, first, rows)
            total += largest.sum().item()
            continue
        largest = scores.amax(0)
        weights = scores.sub_(largest).exp_()
        norms = weights.sum(0)
        sums.addmm_(weights.div_(norms), rows)
        total += largest.add_(norms.log_()).sum().item() / eta
    return Moments(sums[:, -2], sums[:, :-2], sums[:, -1]), total


def log_joint(components: Components) -> Tensor:
    """log π_r − D/2 log 2πσ² − ‖x − m_r‖²/2σ² as coefficients."""
    means, log_weights, variance = components
    variance = variance.expand_as(log_weights)
    normalizer = log_weights - means.shape[1] / 2 * (2 * math.pi * variance).log()
    return torch.column_stack(
        [means / variance[:, None], normalizer - means.square().sum(1) / (2 * variance), -1 / (2 * variance)]
    )


def minus_distances(means: Tensor) -> Tensor:
    """−‖x − m_r‖² as coefficients."""
    return torch.column_stack([2 * means, -means.square().sum(1), -means.new_ones(len(means))])


def maximised(moments: Moments, before: Components, reg_covar: float) -> Components:
    """The components of the largest weighted log joint; one without points keeps its mean and gets weight 0."""
    counts = torch.where(moments.counts > SMALLEST_COUNT, moments.counts, 0.0)
    moments = moments._replace(counts=counts)
    means = centroids(moments, before.means)
    variance = mixture_variance(moments, means, before.variance, reg_covar)
    return Components(means, (counts / counts.sum()).log(), variance)


def centroids(moments: Moments, before: Tensor) -> Tensor:
    """The mean of every component's points; that of before where there are none."""
    counts = moments.counts[:, None]
    return torch.where(counts > 0, moments.sums / counts, before)


def mixture_variance(moments: Moments, means: Tensor, before: Tensor, reg_covar: float) -> Tensor:
    """Mean squared distance to the means, by dimension, plus ``reg_covar``: shared or not, as ``before``."""
    counts, sums, squares = moments
    inertia = squares - 2 * (sums * means).sum(1) + counts * means.square().sum(1)
    if before.dim() == 0:
        counts, squares, inertia = counts.sum(), squares.sum(), inertia.sum()
    fitted = (inertia / counts / means.shape[1]).clamp(min=0) + reg_covar
    # Below the rounding of the sums it comes from, a variance is noise.
    rounding = 16 * EPS * squares / counts / means.shape[1]
    collapsed = (fitted <= rounding) & (counts > 0)
    if bool(collapsed.any()):
        whose = f"of component {int(collapsed.nonzero()[0])}" if before.dim() else "of all components"
        raise ValueError(
            f"reg_covar must be larger for these data, got {reg_covar:g}: the points {whose} lie on the mean, and the "
            "variance would be 0"
        )
    return torch.where(counts > 0, fitted, before)


def farthest(data: Data, means: Tensor, count: int) -> Tensor:
    """Up to ``count`` points, each the farthest from all means and the points before it, unless it lies on one."""
    coefficients = minus_distances(means)
    distances = torch.cat([-(coefficients @ rows.T).amax(0) for rows in data.blocks(len(means))])
    rounding = 64 * EPS * data.squares.max()
    chosen: list[Tensor] = []
    while len(chosen) < count and bool(distances.max() > rounding):
        chosen.append(data.points[distances.argmax()])
        distances = torch.minimum(distances, -(data.rows @ minus_distances(chosen[-1][None])[0]))
    return torch.stack(chosen) if chosen else means[:0]
