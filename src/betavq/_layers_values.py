"""Values of the pieces of a whole layer, arranged for speed and memory: what :mod:`betavq.inference` does in general.

On a CPU a sum or maximum over a short last dimension is slow, and so are selections by ``torch.where``: pieces are
taken one at a time, or lie along the last dimension but one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._autograd import apply
from ._hardness import compute_dtype, saturation


def soft_value(z: Tensor, eta: float) -> Tensor:
    """⟨t, z⟩ for the soft code t of scores (..., R, K), as plain operators that are fast in this layout.

    With u = η(z − max z), clamped where the code is 0 in any case, no result and no gradient is NaN unless a score is.
    """
    scores = z.to(compute_dtype(z))
    largest = torch.finfo(scores.dtype).max
    maximum = scores.detach().amax(-2, keepdim=True)
    lowest = -1.25 * saturation(scores.dtype)  # exp of it is 0
    u = ((scores - maximum.clamp(-largest, largest)) * eta).clamp(lowest, 0.0)
    below = (torch.softmax(u, -2) * u).sum(-2) / eta
    return (maximum.squeeze(-2) + below).to(z.dtype)


def running_maximum(x: Tensor, slopes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """The largest score (N, K) of inputs (N, D), and its first index in the smallest integer type, piece by piece."""
    num_pieces = slopes.shape[1]
    dtype = torch.uint8 if num_pieces <= 256 else torch.int32
    maximum = torch.addmm(offsets[:, 0], x, slopes[:, 0].t())
    first = torch.zeros_like(maximum, dtype=dtype)
    for r in range(1, num_pieces):
        z = torch.addmm(offsets[:, r], x, slopes[:, r].t())
        first = torch.maximum(first, (z > maximum).to(dtype) * r)
        maximum = torch.maximum(maximum, z)
    return maximum, first


def hard_value(x: Tensor, slopes: Tensor, offsets: Tensor) -> Tensor:
    """The largest score (N, K) of inputs (N, D); its derivatives go to the first piece that attains it."""
    maximum: Tensor
    maximum, _ = apply(_Maximum, _MaximumWithJvp, x, slopes, offsets)
    return maximum


class _Maximum(torch.autograd.Function):
    """:func:`running_maximum` with derivatives that go to the first maximum, one piece at a time."""

    generate_vmap_rule = True

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
        grad_x, grads_slopes, grads_offsets = None, [], []
        for r in range(slopes.shape[1]):
            grad = grad_outputs[0] * (first == r)
            if in_x:
                of_piece = grad @ slopes[:, r]
                grad_x = of_piece if grad_x is None else grad_x + of_piece
            if in_slopes:
                grads_slopes.append(grad.t() @ x)
            if in_offsets:
                grads_offsets.append(grad.sum(0))
        return (
            grad_x,
            torch.stack(grads_slopes, 1) if in_slopes else None,
            torch.stack(grads_offsets, 1) if in_offsets else None,
        )


class _MaximumWithJvp(_Maximum):
    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> tuple[Tensor, None]:
        x, slopes, first = ctx.saved_tensors
        x_dot, slopes_dot, offsets_dot = grad_inputs
        tangents = []
        for r in range(slopes.shape[1]):
            z_dot = x_dot @ slopes[:, r].t() + x @ slopes_dot[:, r].t() + offsets_dot[:, r]
            tangents.append(z_dot * (first == r))
        return sum(tangents[1:], start=tangents[0]), None
