r"""The two-piece units in as few passes over memory as PyTorch's own, where nothing stands in the way.

That is plain eager mode on the CPU, finite inputs, and a β that is one number or one for each channel. All else is
left to the composite of ``units.py``, with which these agree up to rounding: derivatives of derivatives too,
forward mode, and gradients that come many at once.
The input alone is saved for the backward pass.

PyTorch has x σ(ηx) in one pass, under another name: ``aten.softplus_backward(grad, x, η, threshold)``, the gradient of
softplus, is grad · e/(1 + e) with e = exp(ηx), and grad itself where ηx exceeds the threshold. At β = ½ the unit is
``F.silu``, which is faster still and rounds once less.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .._numerics.autograd import gradients
from .._numerics.dtypes import FLOATING_DTYPES, compute_dtype, narrowed, wide_dtype, widened
from .._numerics.eager import all_finite, has_values, is_plain
from .._numerics.hardness import read_eta

swish_kernel = torch.ops.aten.softplus_backward.default
swish_kernel_out = torch.ops.aten.softplus_backward.grad_input
silu_backward = torch.ops.aten.silu_backward.default
silu_backward_out = torch.ops.aten.silu_backward.grad_input
MOST_SLOPE = 8.0  # above it ν + (1−ν) σ would lose digits where σ is nearly 1
BLOCK = 2**16  # numbers at once where there are intermediate results: they stay in the processor's cache


class Unit(NamedTuple):
    """Which unit: x [ν + (1−ν) σ(η|1−ν|x)], or x tanh(ηx) if ``odd``; and its composite form, called with (x, β).

    With a ``detached`` code the derivative in x is what multiplies x here.
    """

    composite: Callable[[Tensor, Any], Tensor]
    slope: float = 0.0
    odd: bool = False
    detached: bool = False


def fast(x: Tensor, beta: float | Tensor, unit: Unit) -> Tensor | None:
    """The unit's value, or None where the fast form does not apply."""
    if not is_plain(x):
        return None
    scale: float | Tensor | None
    if isinstance(beta, float):
        scale = scale_of_number(beta, unit.slope, x.dtype)
    else:
        scale = _scale(beta, unit.slope, x.dtype) if _fits(beta, x) else None
    # ∞ · 0 would be NaN below. With two pieces that are not 0 it is so in the backward pass alone, which looks itself.
    if scale is None or (_is_swish(unit) and not all_finite(x)):
        return None
    if not torch.is_grad_enabled() or not (x.requires_grad or (isinstance(beta, Tensor) and beta.requires_grad)):
        return number_value(x, scale, unit)
    return _apply(x, beta, scale, unit)


def _is_swish(unit: Unit) -> bool:
    return unit.slope == 0 and not unit.odd


def _fits(beta: Tensor, x: Tensor) -> bool:
    """Whether β is one number or one for each channel, leaves the shape of x as it is, and can be read."""
    if not has_values(beta, wait=False) or beta.dim() > x.dim():
        return False
    channels = beta.dim() == x.dim() and all(b in (1, n) for b, n in zip(beta.shape, x.shape, strict=True))
    return beta.numel() == 1 or (channels and beta.numel() < x.numel())


class _Limits(NamedTuple):
    """What the arithmetic of a dtype bears."""

    open: float  # the u where σ(u) is 1 to the last bit
    least: float  # the scale below which x may be so large, while ηx is small, that x · exp(ηx) overflows
    most: float  # the scale above which it may overflow itself


def _limits_of(dtype: torch.dtype, threshold: float) -> _Limits:
    largest = torch.finfo(dtype).max
    return _Limits(threshold, threshold * math.exp(threshold) / largest, largest / 1e4)


_SINGLE, _DOUBLE = _limits_of(torch.float32, 20.0), _limits_of(torch.float64, 40.0)


def limits(dtype: torch.dtype) -> _Limits:
    """The bounds of the dtype in which a unit is computed."""
    return _DOUBLE if dtype == torch.float64 else _SINGLE


def _scale(beta: float | Tensor, slope: float, dtype: torch.dtype) -> float | Tensor | None:
    """η|1−ν|, by which x is multiplied before the gate; None if an end point or an overflow needs care."""
    width, bounds = abs(1 - slope), limits(dtype)
    eta, low, high = read_eta(beta)
    if abs(slope) > MOST_SLOPE or not bounds.least < width * low <= width * high < bounds.most:
        return None
    return (width * eta).to(wide_dtype(dtype)) if isinstance(eta, Tensor) else width * eta


@functools.lru_cache(maxsize=256)  # a number is mostly the same at every call
def scale_of_number(beta: float, slope: float, dtype: torch.dtype) -> float | None:
    """:func:`_scale` of one number."""
    scale = _scale(beta, slope, dtype)
    return None if isinstance(scale, Tensor) else scale


#: The scale up to which no number of an input overflows when it is multiplied.
_BOUNDED = {dtype: torch.finfo(wide_dtype(dtype)).max / torch.finfo(dtype).max for dtype in FLOATING_DTYPES}


@functools.lru_cache(maxsize=256)
def _zero_dim(number: float, dtype: torch.dtype) -> Tensor:
    """``number`` as a tensor: a Python number would be made into one at every multiplication, which takes longer."""
    return torch.tensor(number, dtype=dtype, device="cpu")


def _scaled(x: Tensor, scale: float | Tensor) -> Tensor:
    """``x`` · ``scale``."""
    return x * (scale if isinstance(scale, Tensor) else _zero_dim(scale, x.dtype))


class Fast(torch.autograd.Function):
    """A unit of two pieces by one formula, which keeps its input and β alone for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float | Tensor, scale: float | Tensor, unit: Unit) -> Tensor:
        ctx.save_for_backward(x, *([beta] if isinstance(beta, Tensor) else []))
        ctx.beta, ctx.scale, ctx.unit = None if isinstance(beta, Tensor) else beta, scale, unit
        return number_value(x, scale, unit)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (grad,) = grad_outputs
        x, *betas = ctx.saved_tensors
        in_x, in_beta = ctx.needs_input_grad[:2]
        if not torch.is_grad_enabled() and is_plain(grad):  # else it is to be derived again, or many at once
            if in_beta:
                both = _both(grad, x, betas[0], ctx.scale, ctx.unit)
                if both is not None:
                    return (*both, None, None)
            else:
                slope = _in_input(grad, x, ctx.scale, ctx.unit)
                if slope is not None:
                    return slope, None, None, None
        beta = betas[0] if betas else ctx.beta
        return (*gradients(ctx.unit.composite, x, beta, grad, (in_x, in_beta)), None, None)


#: ``Fast.apply`` without its look for transforms of ``torch.func``, of which ``is_plain`` has found none.
_apply: Callable[..., Tensor] = super(torch.autograd.Function, Fast).apply


def times_gate(tensor: Tensor, u: Tensor, scale: float, out: Tensor | None = None) -> Tensor:
    """``tensor`` · σ(scale · u), in one pass."""
    threshold = limits(u.dtype).open
    result: Tensor
    if out is None:
        result = swish_kernel(tensor, u, scale, threshold)
    else:
        result = swish_kernel_out(tensor, u, scale, threshold, grad_input=out)
    return result


def number_value(x: Tensor, scale: float | Tensor, unit: Unit) -> Tensor:
    """The unit of numbers at which no 0 · ∞ comes up."""
    is_swish = _is_swish(unit)
    if is_swish and not isinstance(scale, Tensor):
        # 16-bit floats are computed in float32 by the kernels themselves.
        return F.silu(x) if scale == 1 else times_gate(x, x, scale)
    wide = widened(x)
    if is_swish:
        u = _scaled(wide, scale)
        return narrowed(times_gate(wide, u, 1.0, out=u), x.dtype)
    return narrowed(_expected_slope(wide, scale, unit).mul_(wide), x.dtype)


def _expected_slope(x: Tensor, scale: float | Tensor, unit: Unit) -> Tensor:
    """What multiplies x. The sum comes before the product, for of a sum of products much may cancel."""
    if unit.odd:
        return _scaled(x, scale).tanh_()
    gate = _scaled(x, scale).sigmoid_()
    return gate if unit.slope == 0 else gate.mul_(1 - unit.slope).add_(unit.slope)


def _in_input(grad: Tensor, x: Tensor, scale: float | Tensor, unit: Unit) -> Tensor | None:
    """grad · ∂y/∂x; None where the composite form must look, since ∞ · 0 may have come in."""
    result = slope_times(grad, x, scale, unit)
    is_safe = unit.detached or (_is_swish(unit) and isinstance(scale, float) and scale <= _BOUNDED[x.dtype])
    return result if is_safe or all_finite(result) else None


def slope_times(grad: Tensor, x: Tensor, scale: float | Tensor, unit: Unit) -> Tensor:
    """grad · ∂y/∂x."""
    is_swish = _is_swish(unit)
    if unit.detached:
        if is_swish and not isinstance(scale, Tensor):
            return times_gate(grad, x, scale)
        return narrowed(_expected_slope(widened(x), scale, unit).mul_(grad), x.dtype)
    result: Tensor
    if is_swish and not isinstance(scale, Tensor) and scale == 1:
        result = silu_backward(grad, x)
        return result
    u = _scaled(widened(x), scale)
    if unit.odd:
        gate = torch.tanh(u)
        result = torch.ops.aten.tanh_backward(u, gate).add_(gate).mul_(grad)
    else:
        result = silu_backward_out(widened(grad), u, grad_input=u)
        if unit.slope != 0:
            result = result.mul_(1 - unit.slope).add_(grad, alpha=unit.slope)
    return narrowed(result, x.dtype)


def _both(grad: Tensor, x: Tensor, beta: Tensor, scale: float | Tensor, unit: Unit) -> tuple[Tensor, Tensor] | None:
    """grad · ∂y/∂x and grad · ∂y/∂β; None where a sum overflows or takes in an infinite gradient.

    Block by block: each takes several passes with intermediate results. Of a large tensor these would go through
    memory, and the allocator would fetch and return their pages again and again.
    """
    slope, sums = torch.empty_like(x), []
    for g, part, out in _blocks((grad, x, slope), beta.shape):
        sums.append(_block(g, part, out, beta.shape, scale, unit))
    total = torch.stack(sums).double().sum(0)
    if not all_finite(total):
        return None
    # ∂y/∂β ÷ (x² σ'(u)): (1−ν)|1−ν| (1 + η)², and four times that of σ' for tanh u = 2σ(2u) − 1.
    factor = 4.0 if unit.odd else (1 - unit.slope) * abs(1 - unit.slope)
    return slope, (total * (factor / (1 - beta.double()) ** 2)).to(beta.dtype)


def _block(grad: Tensor, x: Tensor, out: Tensor, shape: torch.Size, scale: float | Tensor, unit: Unit) -> Tensor:
    """Put grad · ∂y/∂x into ``out``; return the sum of grad · x² σ'(u), with 2u for u if odd, to the shape of β."""
    dtype = compute_dtype(x)
    grad, x = widened(grad), widened(x)
    width = 2.0 if unit.odd else 1.0
    u, s = (_scaled(x, scale), width) if isinstance(scale, Tensor) else (x, width * scale)
    result = times_gate(grad, u, s, out if out.dtype == dtype else torch.empty_like(x))
    # σ(u) σ(−u) keeps its digits at either end; times x before anything else, for it may be 0 where x² is ∞.
    bend = times_gate(result, u, -s).mul_(x)
    if unit.odd:
        result = _scaled(x, scale).tanh_().mul_(grad)
    if not unit.detached:
        bent = width * width
        result = (
            result.addcmul_(bend, scale, value=bent)
            if isinstance(scale, Tensor)
            else result.add_(bend, alpha=bent * scale)
        )
    if unit.slope != 0:
        result.mul_(1 - unit.slope).add_(grad, alpha=unit.slope)
    if result is not out:
        out.copy_(result)
    terms = bend.mul_(x)
    return terms.sum().reshape(shape) if shape.numel() == 1 else terms.sum_to_size(shape)


def _blocks(tensors: tuple[Tensor, ...], shape: torch.Size) -> Iterable[tuple[Tensor, ...]]:
    """Pieces of tensors of one shape, along the first dimension unless β changes along it."""
    whole = tensors[0].shape
    if len(whole) == 0 or (len(shape) == len(whole) and shape[0] != 1):
        return [tensors]
    if shape.numel() == 1 and all(tensor.is_contiguous() for tensor in tensors):
        tensors = tuple(tensor.view(-1) for tensor in tensors)
    rows = max(1, BLOCK * tensors[0].shape[0] // max(1, whole.numel()))
    return zip(*(torch.split(tensor, rows) for tensor in tensors), strict=True)
