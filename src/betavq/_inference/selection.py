"""Codes and values of checked scores along one dimension, which is kept with size 1 where it is summed over.

No result and no gradient is NaN unless a score is. ``sparse`` tells the entropy: under the quadratic one it is the
code, found beforehand (``sparsemax.py``), and ``None`` under Shannon's.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .._numerics.autograd import Derived, apply, sum_to, times
from .gaps import gaps
from .sparsemax import half_slope, sparse_code


class Weights(NamedTuple):
    """Pieces against the first maximum z_m."""

    weights: Tensor  # exp(η(z − z_m)); 0 for pieces that are excluded, or beaten by a +∞
    exponents: Tensor  # η(z − z_m)
    half_gap: Tensor  # (z − z_m)/2
    first: Tensor  # the index m


def weigh(z: Tensor, eta: float | Tensor, dim: int) -> Weights:
    """The weight of each piece before they are normalised, 1 for the first maximum."""
    half, first, excluded = gaps(z, eta, dim)
    u = torch.where(excluded, 0.0, times(half, 2 * eta))
    w = torch.where(excluded, 0.0, torch.exp(u))
    return Weights(w, u, half, first)


def soft_code(z: Tensor, eta: float | Tensor, sparse: Tensor | None, dim: int) -> Tensor:
    """softmax(ηz) or sparsemax(ηz) over the pieces on offer; 0 where there is none."""
    if sparse is None:
        return normalised(weigh(z, eta, dim).weights, dim)
    return sparse_code(z, as_tensor(eta, z), sparse, dim)


def normalised(w: Tensor, dim: int) -> Tensor:
    """The code of weights; 0 where all are."""
    total = w.sum(dim, keepdim=True)
    return w / torch.where(total == 0, 1.0, total)


def soft_value(z: Tensor, eta: float | Tensor, sparse: Tensor | None, dim: int) -> Tensor:
    """⟨t, z⟩ for the soft code t, with derivatives by hand; −∞ where no piece is on offer."""
    return apply(_SoftValue, z, as_tensor(eta, z), sparse, dim)


def as_tensor(eta: float | Tensor, z: Tensor) -> Tensor:
    """η as a tensor of the dtype and device of the scores."""
    return eta if isinstance(eta, Tensor) else torch.full((), eta, dtype=z.dtype, device=z.device)


class _SoftValue(Derived):
    """⟨t, z⟩, with derivatives which overflow only where the truth does.

    A code of ηz has ∂v/∂z = t + η ∂t/∂η and ∂v/∂η = ⟨∂t/∂η, z⟩: under Shannon entropy t_r (1 + η(z_r − v)) and
    Var_t(z), under the quadratic one t_r + η(z_r − mean) and Σ (z_r − mean)² over the support.
    """

    saved = 3

    @staticmethod
    def forward(z: Tensor, eta: Tensor, sparse: Tensor | None, dim: int) -> Tensor:
        t = soft_code(z, eta, None, dim) if sparse is None else sparse
        v = (t * torch.where(t == 0, 0.0, z)).sum(dim, keepdim=True)
        return torch.where(all_excluded(z, dim), -math.inf, v)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (z, eta, sparse), (dim,) = ctx.saved_tensors, ctx.options
        (grad,) = grad_outputs
        t, pull, half_spread = _code_pull_and_half_spread(z, eta, sparse, dim)
        in_z, in_eta = ctx.needs_input_grad[:2]
        return (
            grad * (t + 2 * eta * pull) if in_z else None,
            sum_to(4 * (grad * pull * half_spread), eta.shape) if in_eta else None,
            None,
            None,
        )

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Any) -> Tensor:
        (z, eta, sparse), (dim,) = ctx.saved_tensors, ctx.options
        z_dot, eta_dot, *_ = grad_inputs
        t, pull, half_spread = _code_pull_and_half_spread(z, eta, sparse, dim)
        tangent = (t + 2 * eta * pull) * z_dot + 4 * (eta_dot * pull * half_spread)
        total: Tensor = tangent.sum(dim, keepdim=True)
        return total


def _code_pull_and_half_spread(
    z: Tensor, eta: Tensor, sparse: Tensor | None, dim: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The code, half of ∂t/∂η, and (z − centre)/2 where that matters: not without a share, nor in infinite rows.

    All are taken from the first maximum: of large scores only the differences count, here and in derivatives.
    """
    if sparse is not None:
        pull = half_slope(z, eta, sparse, dim)
        return sparse_code(z, eta, sparse, dim), pull, pull
    w, _, half_gap, _ = weigh(z, eta, dim)
    t = normalised(w, dim)
    half_gap = torch.where(w == 0, 0.0, half_gap)
    half_spread = torch.where(w == 0, 0.0, half_gap - (t * half_gap).sum(dim, keepdim=True))
    return t, t * half_spread, half_spread


def read_out(t: Tensor, readout: Tensor, dim: int) -> Tensor:
    """⟨t, readout⟩. A piece without share does not count; an infinite read-out has no derivative but its own."""
    counted = torch.where(t == 0, 0.0, readout)
    t = torch.where(counted.isinf(), t.detach(), t)
    return (t * counted).sum(dim, keepdim=True)


def hard_code(z: Tensor, dim: int) -> Tensor:
    """The one-hot of the first maximum; 0 where no piece is on offer, NaN where a score is."""
    # masked_fill keeps the result attached to z (with gradient 0), so that a backward pass finds its way.
    zero = z.masked_fill(torch.ones_like(z, dtype=torch.bool), 0.0)
    first = z.argmax(dim, keepdim=True)  # of a NaN, where there is one
    maximum = z.gather(dim, first)
    no_code = torch.where(maximum.isnan(), math.nan, 0.0).to(z.dtype)
    return torch.where((maximum == -math.inf) | maximum.isnan(), no_code, zero.scatter(dim, first, 1.0))


def first_maximum(z: Tensor, dim: int) -> Tensor:
    """The largest score, whose gradient goes to the first that attains it."""
    maximum = z.gather(dim, z.argmax(dim, keepdim=True))
    return torch.where(maximum == -math.inf, -math.inf, maximum)  # all excluded: no gradient


def all_excluded(z: Tensor, dim: int) -> Tensor:
    """Whether no piece is on offer."""
    return (z == -math.inf).all(dim, keepdim=True)
