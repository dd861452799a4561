"""Values of the pieces of a whole layer, arranged for speed and memory: what :mod:`betavq.inference` does in general.

On a CPU a sum or maximum over a short last dimension is slow, and so is ``torch.where``: pieces are taken one at a
time, or lie along the last dimension but one.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .._inference import direct
from .._numerics.autograd import Derived, apply
from .._numerics.dtypes import compute_dtype, saturation
from .._numerics.eager import has_values, is_undisturbed
from .._numerics.hardness import odds, read_eta

# Below it η(z − max z) may leave the normal numbers of float32.
SMALLEST_SOFT_ETA = 1e-12


def soft_value(z: Tensor, eta: float | Tensor) -> Tensor:
    """⟨t, z⟩ for the soft code t of scores (..., R, K), as plain operators that are fast in this layout.

    With gaps z − max z, clamped to the finite numbers, and η times them clamped where the code is 0 in any case, no
    result and no gradient is NaN unless a score is. A tensor η > 0 broadcasts against (..., K).
    """
    scores = z.to(compute_dtype(z))
    if isinstance(eta, float) and is_undisturbed(scores):
        return direct.soft_value(scores, eta, None, -2).squeeze(-2).to(z.dtype)
    largest = torch.finfo(scores.dtype).max
    maximum = scores.detach().amax(-2, keepdim=True)
    lowest = -1.25 * saturation(scores.dtype)  # exp of it is 0
    gap = scores - maximum.clamp(-largest, largest)
    if isinstance(eta, Tensor):  # not divided by η, of which little would be left in the derivative where η is small
        gap = gap.clamp(-largest / 4, 0.0)
        by_piece = eta.unsqueeze(-2) if eta.dim() else eta
        below = (torch.softmax((gap * by_piece).clamp(lowest, 0.0), -2) * gap).sum(-2)
    else:
        u = (gap * eta).clamp(lowest, 0.0)
        below = (torch.softmax(u, -2) * u).sum(-2) / eta
    return (maximum.squeeze(-2) + below).to(z.dtype)


def inner_eta(beta: float | Tensor, x: Tensor) -> float | Tensor | None:
    """η for :func:`soft_value`; None where some β may be at an end or too near to 0, for :func:`betavq.value`."""
    if isinstance(beta, Tensor) and not has_values(beta, wait=False):
        return None
    eta, low, high = read_eta(beta)
    if not SMALLEST_SOFT_ETA <= low <= high < math.inf:
        return None
    # Once more for a tensor: this one has a gradient.
    return odds(beta.double())[0].to(compute_dtype(x)) if isinstance(beta, Tensor) else eta


def mean_value(x: Tensor, slopes: Tensor, offsets: Tensor) -> Tensor:
    """The mean score (..., K) of the pieces on offer: one affine function a unit, the mean of its pieces."""
    offered = offsets != -math.inf
    share = offered.to(slopes.dtype) / offered.sum(1, keepdim=True)
    slope = (slopes * share.unsqueeze(2)).sum(1)
    return F.linear(x, slope, (torch.where(offered, offsets, 0.0) * share).sum(1))


def running_maximum(x: Tensor, slopes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """The largest score (N, K) of inputs (N, D), and its first index in some integer type, without (N, K, R)."""
    num_units, num_pieces, num_inputs = slopes.shape
    if num_inputs > 16 * num_units:  # reading x costs most: all pieces at once, for N/R inputs at a time
        return _maximum_by_rows(x, slopes, offsets)
    dtype = torch.uint8 if num_pieces <= 256 else torch.int32
    maximum = torch.addmm(offsets[:, 0], x, slopes[:, 0].t())
    first = torch.zeros_like(maximum, dtype=dtype)
    for r in range(1, num_pieces):
        z = torch.addmm(offsets[:, r], x, slopes[:, r].t())
        first = torch.maximum(first, (z > maximum).to(dtype) * r)
        maximum = torch.maximum(maximum, z)
    return maximum, first


def _maximum_by_rows(x: Tensor, slopes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    maxima, firsts = [], []
    for rows in torch.split(x, max(1, x.shape[0] // slopes.shape[1])):
        z = F.linear(rows, slopes.flatten(0, 1), offsets.flatten()).view(-1, *offsets.shape)
        first = z.argmax(2, keepdim=True)
        maxima.append(z.gather(2, first).squeeze(2))
        firsts.append(first.squeeze(2))
    return torch.cat(maxima), torch.cat(firsts)


def hard_value(x: Tensor, slopes: Tensor, offsets: Tensor) -> Tensor:
    """The largest score (N, K) of inputs (N, D); its derivatives go to the first piece that attains it."""
    maximum: Tensor
    maximum, _ = apply(_Maximum, x, slopes, offsets)
    return maximum


class _Maximum(Derived):
    """:func:`running_maximum` with derivatives that go to the first maximum."""

    @staticmethod
    def forward(x: Tensor, slopes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        return running_maximum(x, slopes, offsets)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: tuple[Tensor, Tensor]) -> None:
        x, slopes, _ = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(x, slopes, output[1])
        ctx.save_for_forward(x, slopes, output[1])

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, slopes, first = ctx.saved_tensors
        in_x, in_slopes, in_offsets = ctx.needs_input_grad
        chosen = first.long().unsqueeze(2)
        by_piece = slopes.new_zeros(*first.shape, slopes.shape[1]).scatter(2, chosen, grad_outputs[0].unsqueeze(2))
        # Not flatten: the vmap behind is_grads_batched=True does not know it.
        grad = by_piece.reshape(first.shape[0], slopes.shape[0] * slopes.shape[1])
        return (
            grad @ slopes.flatten(0, 1) if in_x else None,
            (grad.t() @ x).view(slopes.shape) if in_slopes else None,
            by_piece.sum(0) if in_offsets else None,
        )

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Any) -> tuple[Tensor, None]:
        x, slopes, first = ctx.saved_tensors
        x_dot, slopes_dot, offsets_dot = grad_inputs
        z_dot = x_dot @ slopes.flatten(0, 1).t() + F.linear(x, slopes_dot.flatten(0, 1), offsets_dot.flatten())
        by_piece = z_dot.view(-1, *offsets_dot.shape)
        return by_piece.gather(2, first.long().unsqueeze(2)).squeeze(2), None
