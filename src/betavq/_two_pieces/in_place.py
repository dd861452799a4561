"""Units written over their input: x σ(ηx) in one pass, in two where a backward pass needs the numbers from before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .._numerics.eager import all_finite, is_elsewhere, is_plain
from .fast import Fast, Unit, limits, scale_of_number, swish_kernel_out
from .few_launches import Number, swish_into, wide_scale


def swish_in_place(x: Tensor, beta: float | Tensor, unit: Unit) -> Tensor | None:
    """``x`` itself with its new values, or None (and ``x`` as it was) where the fast form does not apply."""
    if not isinstance(beta, float) or x._is_view() or (x.is_leaf and x.requires_grad):
        return None
    if is_elsewhere(x):
        scale = wide_scale(x, beta, unit)
        if scale is None:
            return None
        if not torch.is_grad_enabled() or not x.requires_grad:
            return swish_into(x, x, scale)
        return _InPlaceElsewhere.apply(x.clone(), beta, scale, unit, x)  # type: ignore[no-untyped-call, no-any-return]
    if not is_plain(x):
        return None
    scale = scale_of_number(beta, 0.0, x.dtype)
    if scale is None or not all_finite(x):
        return None
    if not torch.is_grad_enabled() or not x.requires_grad:
        result: Tensor = swish_kernel_out(x, x, scale, limits(x.dtype).open, grad_input=x)
        return result
    # The copy is made outside, where autograd sees it: derivatives of derivatives go through it.
    return _InPlace.apply(x.clone(), beta, scale, unit, x)  # type: ignore[no-untyped-call, no-any-return]


def overwrite(x: Tensor, numbers: Callable[[Tensor], Tensor], *learned: float | Tensor) -> Tensor:
    """``x`` with ``numbers(x)`` written over it; of those ``learned`` a backward pass may want gradients.

    Raises:
        ValueError: numbers of another shape.
    """
    # The backward pass needs the numbers from before, and so does a trace, which compares with a second run.
    is_learned = any(isinstance(tensor, Tensor) and tensor.requires_grad for tensor in (x, *learned))
    is_traced = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    found = numbers(x.clone() if is_traced or (is_learned and torch.is_grad_enabled()) else x)
    if not is_traced and found.shape != x.shape:
        raise ValueError(
            f"inplace must be False where the result has another shape than input, {tuple(x.shape)}, "
            f"got {tuple(found.shape)}"
        )
    return x.copy_(found)


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


class _InPlaceElsewhere(Number):
    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float, scale: float, unit: Unit, target: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        ctx.beta, ctx.scale, ctx.unit = beta, scale, unit
        ctx.mark_dirty(target)
        return swish_into(target, x, scale)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        return (*Number.backward(ctx, *grad_outputs), None)
