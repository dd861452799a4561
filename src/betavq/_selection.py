"""Codes and values of checked scores along one dimension, which is kept with size 1 where it is summed over.

Infinite scores are taken care of here: −∞ excludes a piece, +∞ beats every finite score unless η = 0. No result and
no gradient is NaN unless a score is.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ._hardness import saturation


def weights(z: Tensor, eta: float | Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """exp(η(z − max z)) along ``dim``, and the index of the first maximum.

    Halved scores keep the difference from overflowing. Weights too small to count are cut to 0, so that a huge
    difference meets no gradient; pieces that are excluded, or beaten by a +∞, get 0 likewise.
    """
    is_infinite = z == math.inf
    any_infinite = is_infinite.any(dim, keepdim=True)
    excluded = (z == -math.inf) | (any_infinite & ~is_infinite & (eta > 0))
    half = torch.where(torch.isinf(z), 0.0, z * 0.5)
    first = torch.where(excluded, -math.inf, half).argmax(dim, keepdim=True)
    gap = torch.where(any_infinite, 0.0, half - half.gather(dim, first))
    u = 2 * eta * gap
    counts = ~(excluded | (u < -saturation(z.dtype)))
    return torch.where(counts, torch.exp(torch.where(counts, u, 0.0)), 0.0), first


def soft_code(z: Tensor, eta: float | Tensor, dim: int) -> Tensor:
    w, _ = weights(z, eta, dim)
    total = w.sum(dim, keepdim=True)
    return w / torch.where(total == 0, 1.0, total)


def soft_value(z: Tensor, eta: float | Tensor, dim: int) -> Tensor:
    t = soft_code(z, eta, dim)
    # Two sums, because 0·∞ is not 0: pieces with t = 0 are left out, and +∞ sends no gradient through the code.
    finite = torch.where((t == 0) | torch.isinf(z), 0.0, z)
    infinite = torch.where(z == math.inf, z, 0.0)
    v = (t * finite).sum(dim, keepdim=True) + (t.detach() * infinite).sum(dim, keepdim=True)
    return torch.where(all_excluded(z, dim), -math.inf, v)


def linear_energy(z: Tensor, dim: int) -> Tensor:
    """The free energy at β = 0: the gradient of the mean (the uniform code), at +∞ where there is a choice."""
    several = (z != -math.inf).sum(dim, keepdim=True) > 1
    return soft_value(z, 0.0, dim) + torch.where(several, math.inf, 0.0)


def hard_code(z: Tensor, dim: int) -> Tensor:
    # masked_fill keeps the result attached to z (with gradient 0), so that a backward pass finds its way.
    zero = z.masked_fill(torch.ones_like(z, dtype=torch.bool), 0.0)
    one_hot = zero.scatter(dim, z.argmax(dim, keepdim=True), 1.0)
    return torch.where(all_excluded(z, dim), 0.0, one_hot)


def first_maximum(z: Tensor, dim: int) -> Tensor:
    maximum = z.gather(dim, z.argmax(dim, keepdim=True))
    return torch.where(maximum == -math.inf, -math.inf, maximum)  # all excluded: no gradient


def shared_infinity(z: Tensor, dim: int) -> Tensor:
    """+∞ where a score is, with a gradient that the scores of +∞ share."""
    is_infinite = z == math.inf
    return torch.where(is_infinite, z, 0.0).div(is_infinite.sum(dim, keepdim=True).clamp(min=1)).sum(dim, keepdim=True)


def all_excluded(z: Tensor, dim: int) -> Tensor:
    return (z == -math.inf).all(dim, keepdim=True)
