r"""The code under quadratic entropy: sparsemax of ηz, the point of the simplex that is closest to ηz.

With S the pieces that have a share, their *support*, and k how many they are,

.. math:: t_r = \frac{1}{k} + η (z_r - \bar z_S) \text{ on } S, \; 0 \text{ elsewhere}, \qquad
          \frac{∂t}{∂z} = η \Big(I_S - \frac{1}{k} 1_S 1_S^⊤\Big), \qquad \frac{∂t}{∂η} = z - \bar z_S \text{ on } S.

The code is found by sorting, once and as a constant to autograd; its derivatives need only know where it is not 0.

Source: Martins & Astudillo (2016), arXiv 1602.02068, sparsemax.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._numerics.autograd import Derived, apply, is_exporting, sum_to, times
from .._numerics.eager import all_finite, has_values
from .gaps import gaps


def find_sparse_code(z: Tensor, eta: float | Tensor, dim: int) -> Tensor:
    """sparsemax(ηz) over the pieces on offer, 0 where there is none; a constant, but under export.

    The threshold τ, with Σ max(ηz_r − τ, 0) = 1, is the largest (Σ_A ηz_r − 1)/|A| over all sets A of pieces: every
    set gives Σ_A (ηz_r − τ) ≤ 1, and S gives 1. The best set of k pieces are the first k in order.
    """
    constant = z.detach()
    half, excluded = _half_gaps(constant, eta, dim)
    # A piece that lies 1 or more below the largest has no share: it can stand at −1, and no sum overflows.
    gap = (half * (2 * (eta.detach() if isinstance(eta, Tensor) else eta))).clamp(min=-1.0)
    if excluded is not None:
        gap = torch.where(excluded, -1.0, gap)
    in_order = gap.sort(dim, descending=True).values
    sizes = torch.arange(1, z.shape[dim] + 1, dtype=z.dtype, device=z.device).view(-1, *(1,) * (-dim - 1))
    threshold = ((in_order.cumsum(dim) - 1) / sizes).amax(dim, keepdim=True)
    # It is −1 or more unless all pieces are excluded, of which then none has a share.
    found = (gap - threshold.clamp(min=-1.0)).clamp(min=0.0)
    if not is_exporting():
        return found
    # What trains an exported graph derives this form of the code, not the sorting.
    return (_even(found, dim) + times(half_slope(z, eta, found, dim), 2 * eta)).clamp(min=0.0)


def sparse_code(z: Tensor, eta: Tensor, found: Tensor, dim: int) -> Tensor:
    """The code that was found, with its derivatives in z and η."""
    return apply(_SparseCode, z, eta, found, dim)


def half_slope(z: Tensor, eta: float | Tensor, found: Tensor, dim: int) -> Tensor:
    """Half of ∂t/∂η: (z − mean of z over S)/2 on S, 0 elsewhere and in infinite rows; derivable in z."""
    half, _ = _half_gaps(z, eta, dim)
    return _centred(half, found, dim)


def sparse_excess(t: Tensor, first: Tensor, dim: int) -> Tensor:
    """η (F − z_m) for the code t and the index m of a largest score: (s² + Σ t_r²)/2 over r ≠ m, with s = 1 − t_m."""
    others = t.scatter(dim, first, 0.0)
    return 0.5 * (others.sum(dim, keepdim=True).square() + others.square().sum(dim, keepdim=True))


def quadratic_entropy(t: Tensor, first: Tensor, dim: int) -> Tensor:
    """(1 − ‖t‖²)/2, as (s (1 + t_m) − Σ t_r²)/2 over r ≠ m, with s = 1 − t_m: exact where t is nearly one-hot."""
    others = t.scatter(dim, first, 0.0)
    rest = others.sum(dim, keepdim=True)
    return 0.5 * (rest * (1 + t.gather(dim, first)) - others.square().sum(dim, keepdim=True))


class _SparseCode(Derived):
    saved = 3

    @staticmethod
    def forward(z: Tensor, eta: Tensor, found: Tensor, dim: int) -> Tensor:  # noqa: ARG004
        return found.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (z, eta, found), (dim,) = ctx.saved_tensors, ctx.options
        (grad,) = grad_outputs
        in_z, in_eta = ctx.needs_input_grad[:2]
        grad = _centred(grad, found, dim)
        return (
            grad * eta if in_z else None,
            sum_to(2 * (grad * half_slope(z, eta, found, dim)), eta.shape) if in_eta else None,
            None,
            None,
        )

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Any) -> Tensor:
        (z, eta, found), (dim,) = ctx.saved_tensors, ctx.options
        z_dot, eta_dot, *_ = grad_inputs
        tangent: Tensor = _centred(z_dot, found, dim) * eta + 2 * (eta_dot * half_slope(z, eta, found, dim))
        return tangent


def _half_gaps(z: Tensor, eta: float | Tensor, dim: int) -> tuple[Tensor, Tensor | None]:
    """(z − z_m)/2, and which pieces are excluded, None for none.

    The maximum may be a constant: what is made of the gaps does not change with a common shift.
    """
    if not (has_values(z, wait=False) and all_finite(z)):
        half, _, excluded = gaps(z, eta, dim)
        return half, excluded
    half = z * 0.5
    return half - half.detach().amax(dim, keepdim=True), None


def _centred(x: Tensor, found: Tensor, dim: int) -> Tensor:
    """x − its mean over S, on S; 0 elsewhere."""
    return found.sign() * (x - (_even(found, dim) * x).sum(dim, keepdim=True))


def _even(found: Tensor, dim: int) -> Tensor:
    """1/k on S: as if every piece of the support had the same share."""
    support = found.sign()
    return support / support.sum(dim, keepdim=True).clamp(min=1.0)
