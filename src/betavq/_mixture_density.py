"""The densities of spherical Gaussian mixtures, and the weights that make them those of a MASO."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ._mixture_checks import check_means, check_variance


def log_joint_parts(x: Tensor, means: Tensor, log_weights: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """log π_r + log N(x; μ_r, σ_r²I) in two summands: ``(..., K, R)``, and what all components share, ``(...)``.

    Affine in x where the variance is shared. The squared length of a far-away x, in which the digits of the rest
    would be lost, is in the second one alone; the distance of all means from 0 is in neither.
    """
    center = means.mean((0, 1))
    means, x = means - center, x - center
    precision = 1 / variance
    with torch.autocast(x.device.type, enabled=False):
        products = F.linear(x, means.flatten(0, 1)).view(*x.shape[:-1], *means.shape[:2])
    log_volume = 0.5 * means.shape[2] * (2 * math.pi * variance).log()
    scores = precision * (products - 0.5 * means.square().sum(-1)) + log_weights
    half_length = 0.5 * x.square().sum(-1)
    if not variance.dim():
        return scores, -precision * half_length - log_volume
    least = precision.min()
    return scores - log_volume - half_length[..., None, None] * (precision - least), -least * half_length


def check_shared_variance(variance: Any, slopes: Tensor) -> Tensor:
    """Return a MASO's variance as a tensor of shape ``()``; raise unless there is a mixture of it."""
    check_means(slopes, name="slopes")
    spread = check_variance(variance, slopes, means_name="slopes")
    if spread.dim():
        raise ValueError(f"variance must be one number, which all components share, got {tuple(spread.shape)}")
    return spread


def scaled_weights(slopes: Tensor, offsets: Tensor, variance: Tensor) -> Tensor:
    """(B + ½‖A‖²)/σ²: the logarithms, up to a constant, of the weights of a MASO's mixture."""
    log_weights = (offsets + 0.5 * slopes.square().sum(-1)) / variance
    if not bool(torch.where(offsets.isfinite(), log_weights, 0.0).isfinite().all()):
        needs = f"large enough that (B + ‖A‖²/2) / variance is finite in {slopes.dtype}"
        raise ValueError(f"variance must be {needs}, got {variance.item():.6g}")
    return log_weights
