r"""The two-piece units in as few passes over memory as PyTorch's own, where nothing stands in the way.

That is plain eager mode on the CPU, finite inputs, and a β that is one number or one for each channel. All else is
left to the composite of ``functional.py``, with which these agree up to rounding: derivatives of derivatives too,
forward mode, and gradients that come many at once.
The input alone is saved for the backward pass.

PyTorch has x σ(ηx) in one pass, under another name: ``aten.softplus_backward(grad, x, η, threshold)``, the gradient of
softplus, is grad · e/(1 + e) with e = exp(ηx), and grad itself where ηx exceeds the threshold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ._autograd import gradients, sum_to
from ._checks import all_finite, has_values, is_plain
from ._hardness import compute_dtype, read_eta

swish_kernel = torch.ops.aten.softplus_backward
MOST_SLOPE = 8.0  # above it ν + (1−ν) σ would lose digits where σ is nearly 1
BLOCK = 2**16  # numbers at once where there are intermediate results: they stay in the processor's cache


class Unit(NamedTuple):
    """Which unit: x [ν + (1−ν) σ(η|1−ν|x)], or x tanh(ηx) if ``odd``; and its composite form, called with (x, β)."""

    composite: Callable[[Tensor, Any], Tensor]
    slope: float = 0.0
    odd: bool = False


def fast(x: Tensor, beta: float | Tensor, unit: Unit) -> Tensor | None:
    """The unit's value, or None where the fast form does not apply."""
    if abs(unit.slope) > MOST_SLOPE or not is_plain(x) or not (isinstance(beta, float) or _fits(beta, x)):
        return None
    scale = _scale(beta, unit, compute_dtype(x))
    if scale is None or not all_finite(x):  # ∞ · 0 would be NaN below
        return None
    if not (x.requires_grad or (isinstance(beta, Tensor) and beta.requires_grad)) or not torch.is_grad_enabled():
        return _value(x, scale, unit)
    result: Tensor = _Fast.apply(x, beta, scale, unit)  # type: ignore[no-untyped-call]
    return result


def _fits(beta: Tensor, x: Tensor) -> bool:
    """Whether β is one number or one for each channel, leaves the shape of x as it is, and can be read."""
    if not has_values(beta, wait=False) or beta.dim() > x.dim():
        return False
    channels = beta.dim() == x.dim() and all(b in (1, n) for b, n in zip(beta.shape, x.shape, strict=True))
    return beta.numel() == 1 or (channels and beta.numel() < x.numel())


class _Limits(NamedTuple):
    """What the arithmetic of a dtype bears."""

    open: float  # where σ is 1 to the last bit
    closed: float  # where exp overflows, so that σ of the negative is exactly 0
    least: float  # the scale below which x may be so large, while ηx is small, that x · exp(ηx) overflows
    most: float  # the scale above which it may overflow itself


def _limits_of(dtype: torch.dtype, threshold: float, closed: float) -> _Limits:
    largest = torch.finfo(dtype).max
    return _Limits(threshold, closed, threshold * math.exp(threshold) / largest, largest / 1e4)


_LIMITS = {
    torch.float32: _limits_of(torch.float32, 20.0, 100.0),
    torch.float64: _limits_of(torch.float64, 40.0, 750.0),
}


def _scale(beta: float | Tensor, unit: Unit, dtype: torch.dtype) -> float | Tensor | None:
    """η|1−ν|, by which x is multiplied before the gate; None if an end point or an overflow needs care."""
    width, limits = abs(1 - unit.slope), _LIMITS[dtype]
    eta, low, high = read_eta(beta)
    if not limits.least < width * low <= width * high < limits.most:
        return None
    return (width * eta).to(dtype) if isinstance(eta, Tensor) else width * eta


class _Fast(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float | Tensor, scale: float | Tensor, unit: Unit) -> Tensor:
        ctx.save_for_backward(x, *([beta] if isinstance(beta, Tensor) else []))
        ctx.beta, ctx.scale, ctx.unit = None if isinstance(beta, Tensor) else beta, scale, unit
        return _value(x, scale, unit)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (grad,) = grad_outputs
        x, *betas = ctx.saved_tensors
        beta = betas[0] if betas else ctx.beta
        in_x, in_beta = ctx.needs_input_grad[:2]
        if torch.is_grad_enabled() or not is_plain(grad):  # to be derived again, or many at once
            return (*gradients(ctx.unit.composite, x, beta, grad, (in_x, in_beta)), None, None)
        if not in_beta:
            return _in_input(grad, x, ctx.scale, ctx.unit), None, None, None
        slope, terms = _both(grad, x, beta.shape, ctx.scale, ctx.unit)
        return slope if in_x else None, (terms * _factor(beta, ctx.unit)).to(beta.dtype), None, None


def _value(x: Tensor, scale: float | Tensor, unit: Unit) -> Tensor:
    wide = x.to(compute_dtype(x))
    if unit.odd:
        return (wide * scale).tanh_().mul_(wide).to(x.dtype)
    if unit.slope == 0 and not isinstance(scale, Tensor):  # the kernel computes 16-bit floats in float32 by itself
        y: Tensor = swish_kernel(x, x, scale, _LIMITS[wide.dtype].open)
        return y
    gate = (wide * scale).sigmoid_()
    if unit.slope != 0:  # x times the sum, not a sum of products: of these much may cancel
        gate.mul_(1 - unit.slope).add_(unit.slope)
    return gate.mul_(wide).to(x.dtype)


def _in_input(grad: Tensor, x: Tensor, scale: float | Tensor, unit: Unit) -> Tensor:
    """grad · ∂y/∂x; the gate's argument is clamped where its derivative is 0 anyway, lest ∞ · 0 make NaN of it."""
    wide = compute_dtype(x)
    limit = _LIMITS[wide].closed
    u = (x.to(wide) * scale).clamp_(-limit, limit)
    if unit.odd:
        gate = torch.tanh(u)
        result: Tensor = torch.ops.aten.tanh_backward(u, gate).add_(gate).mul_(grad)
    else:
        result = torch.ops.aten.silu_backward.grad_input(grad.to(wide), u, grad_input=u)
        if unit.slope != 0:
            result = result.mul_(1 - unit.slope).add_(grad, alpha=unit.slope)
    return result.to(x.dtype)


def _in_beta(grad: Tensor, x: Tensor, scale: float | Tensor, unit: Unit) -> Tensor:
    """grad · x² σ'(u), of which ∂y/∂β is a multiple."""
    wide = x.to(compute_dtype(x))
    u = wide.abs().mul_(-2 * scale if unit.odd else -scale).sigmoid_()  # of −|u|: it keeps its digits, and so 1 − it
    bend: Tensor = torch.ops.aten.sigmoid_backward(wide, u)  # x σ'(u): a σ' of 0 comes before x², which may be ∞
    return bend.mul_(grad).mul_(wide)  # grad · x² where x² alone may overflow


def _factor(beta: Tensor, unit: Unit) -> Tensor:
    """∂y/∂β ÷ (x² σ'(u)): (1−ν)|1−ν| (1 + η)², and four times that of σ' for tanh u = 2σ(2u) − 1."""
    return (4.0 if unit.odd else (1 - unit.slope) * abs(1 - unit.slope)) / (1 - beta.double()) ** 2


def _both(grad: Tensor, x: Tensor, shape: torch.Size, scale: float | Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
    """grad · ∂y/∂x, and the sum of :func:`_in_beta` to the shape of β in float64, block by block.

    Each takes several passes with intermediate results. Of a large tensor these would go through memory, and the
    allocator would fetch and return their pages again and again.
    """
    slope = torch.empty_like(x)
    sums = []
    for g, part, out in _blocks((grad, x, slope), shape):
        out.copy_(_in_input(g, part, scale, unit))
        sums.append(_summed(_in_beta(g, part, scale, unit), shape))
    return slope, torch.stack(sums).double().sum(0)


def _blocks(tensors: tuple[Tensor, ...], shape: torch.Size) -> Iterable[tuple[Tensor, ...]]:
    """Pieces of tensors of one shape, along the first dimension unless β changes along it."""
    whole = tensors[0].shape
    if len(whole) == 0 or (len(shape) == len(whole) and shape[0] != 1):
        return [tensors]
    if shape.numel() == 1 and all(tensor.is_contiguous() for tensor in tensors):
        tensors = tuple(tensor.view(-1) for tensor in tensors)
    rows = max(1, BLOCK * tensors[0].shape[0] // max(1, whole.numel()))
    return zip(*(torch.split(tensor, rows) for tensor in tensors), strict=True)


def _summed(terms: Tensor, shape: torch.Size) -> Tensor:
    total = terms.sum().reshape(shape) if shape.numel() == 1 else terms.sum_to_size(shape)
    whole = torch.Size([]) if shape.numel() == 1 else shape
    return total if math.isfinite(total.sum().item()) else sum_to(terms, whole).reshape(shape)
