"""x σ(ηx) written over x in one pass, and in two where a backward pass needs the numbers from before."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._numerics.eager import all_finite, is_plain
from .fast import Fast, Unit, limits, scale_of_number, swish_kernel_out


def swish_in_place(x: Tensor, beta: float | Tensor, unit: Unit) -> Tensor | None:
    """``x`` itself with its new values, or None (and ``x`` as it was) where the fast form does not apply."""
    if not isinstance(beta, float) or not is_plain(x) or x._is_view():
        return None
    scale = scale_of_number(beta, 0.0, x.dtype)
    if scale is None or not all_finite(x):
        return None
    if not torch.is_grad_enabled() or not x.requires_grad:
        result: Tensor = swish_kernel_out(x, x, scale, limits(x.dtype).open, grad_input=x)
        return result
    # The copy is made outside, where autograd sees it: derivatives of derivatives go through it.
    return _InPlace.apply(x.clone(), beta, scale, unit, x)  # type: ignore[no-untyped-call, no-any-return]


class _InPlace(Fast):
    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float, scale: float, unit: Unit, target: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        ctx.beta, ctx.scale, ctx.unit = beta, scale, unit
        ctx.mark_dirty(target)
        result: Tensor = swish_kernel_out(x, x, scale, limits(x.dtype).open, grad_input=target)
        return result

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        return (*Fast.backward(ctx, *grad_outputs), None)
