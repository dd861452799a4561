r"""The code under quadratic entropy: sparsemax of ηz, the point of the simplex that is closest to ηz.

With S the pieces that have a share, their *support*, and k how many they are,

.. math:: t_r = \frac{1}{k} + η (z_r - \bar z_S) \text{ on } S, \; 0 \text{ elsewhere}, \qquad
          \frac{∂t}{∂z} = η \Big(I_S - \frac{1}{k} 1_S 1_S^⊤\Big), \qquad \frac{∂t}{∂η} = z - \bar z_S \text{ on } S.

S is found by sorting and is a constant to autograd: the code is affine in the scores as long as S stays the same.

Source: Martins & Astudillo (2016), arXiv 1602.02068, sparsemax.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ._autograd import times
from ._checks import all_finite, has_values
from ._gaps import gaps


def find_support(z: Tensor, eta: float | Tensor, dim: int) -> Tensor:
    """1 for the pieces that have a share, 0 for the others, NaN in a row where a score is; a constant to autograd.

    The threshold τ, with Σ max(ηz_r − τ, 0) = 1, is the largest (Σ_A ηz_r − 1)/|A| over all sets A of pieces: every
    set gives Σ_A (ηz_r − τ) ≤ 1, and S gives 1. The best set of k pieces are the first k in order.
    """
    z, eta = z.detach(), eta.detach() if isinstance(eta, Tensor) else eta
    # A piece that lies 1 or more below the largest has no share: it can stand at −1, and no sum overflows.
    if has_values(z, wait=False) and all_finite(z):
        gap = (_half_gaps_of_finite(z, dim) * (2 * eta)).clamp(min=-1.0)
    else:
        half, _, excluded = gaps(z, eta, dim)
        gap = torch.where(excluded, -1.0, half * (2 * eta)).clamp(min=-1.0)
    in_order = gap.sort(dim, descending=True).values
    sizes = torch.arange(1, z.shape[dim] + 1, dtype=z.dtype, device=z.device).view(-1, *(1,) * (-dim - 1))
    threshold = ((in_order.cumsum(dim) - 1) / sizes).amax(dim, keepdim=True)
    # It is −1 or more unless all pieces are excluded, of which then none has a share.
    return (gap - threshold.clamp(min=-1.0)).clamp(min=0.0).sign()


def sparse_code(z: Tensor, eta: float | Tensor, support: Tensor, dim: int) -> Tensor:
    """sparsemax(ηz) over the pieces on offer; 0 where there is none."""
    return code_and_pull(z, eta, support, dim)[0]


def code_and_pull(z: Tensor, eta: float | Tensor, support: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The code, and half of ∂t/∂η: (z − mean of z over S)/2 on S."""
    finite = has_values(z, wait=False) and all_finite(z)
    half = _half_gaps_of_finite(z, dim) if finite else gaps(z, eta, dim).half
    even = support / support.sum(dim, keepdim=True).clamp(min=1.0)
    pull = support * (half - (even * half).sum(dim, keepdim=True))
    # Rounding may put a piece at the edge of the support below 0.
    return (even + times(pull, 2 * eta)).clamp(min=0.0), pull


def _half_gaps_of_finite(z: Tensor, dim: int) -> Tensor:
    """(z − max z)/2. The maximum may be a constant: what is made of the gaps does not change with a common shift."""
    half = z * 0.5
    return half - half.detach().amax(dim, keepdim=True)


def sparse_excess(t: Tensor, first: Tensor, dim: int) -> Tensor:
    """η (F − z_m) for the code t and the index m of a largest score: (s² + Σ t_r²)/2 over r ≠ m, with s = 1 − t_m."""
    others = t.scatter(dim, first, 0.0)
    return 0.5 * (others.sum(dim, keepdim=True).square() + others.square().sum(dim, keepdim=True))


def quadratic_entropy(t: Tensor, first: Tensor, dim: int) -> Tensor:
    """(1 − ‖t‖²)/2, as (s (1 + t_m) − Σ t_r²)/2 over r ≠ m, with s = 1 − t_m: exact where t is nearly one-hot."""
    others = t.scatter(dim, first, 0.0)
    rest = others.sum(dim, keepdim=True)
    return 0.5 * (rest * (1 + t.gather(dim, first)) - others.square().sum(dim, keepdim=True))
