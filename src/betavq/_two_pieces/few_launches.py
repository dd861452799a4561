r"""The two-piece units off the CPU: in few launches over the tensor, of which the time is made, and without a read.

Infinite inputs are met by clamps in place of a look for them. x is kept finite where the gate shuts on it, and u = ηx
within ±L, where σ(u) is 0 or 1 to the last bit; so no 0 · ∞ comes up:

.. math:: y = \max(x, -M) \, σ(ηx), \qquad \frac{∂y}{∂x} = \mathrm{silu}'(u), \quad u = η \min(\max(x, -L/η), L/η).

A tensor β may be 0 or 1 here and there: at 1 max(x, 0) stands for max(x, −M), and u is L.
The composite of ``units.py`` has all else: other modes, derivatives of derivatives, and η so small that L/η overflows.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .._numerics.autograd import gradients
from .._numerics.dtypes import narrowed, wide_dtype, widened
from .._numerics.eager import has_values, is_elsewhere, is_undisturbed
from .._numerics.hardness import hardness
from .fast import Unit, number_value, scale_of_number, silu_backward_out, slope_times, times_gate

#: L: exp(−L) is 0, and so is the largest number times σ(−L).
CLOSED = {torch.float32: 104.0, torch.float64: 746.0}
MIXES_DTYPES = ("cpu", "cuda", "xpu")  # devices whose kernels cast what they read and write


def few_launches(x: Tensor, beta: float | Tensor, unit: Unit) -> Tensor | None:
    """The unit's value, or None where this form does not apply."""
    if not is_elsewhere(x):
        return None
    if isinstance(beta, Tensor):
        if beta.dim() == 0 and not beta.requires_grad and has_values(beta, wait=False):
            beta = beta.item()  # it is on the CPU: no wait, and no copy to the device
        else:
            return _of_tensor(x, beta, unit) if _is_swish(unit) and _fits(beta, x) else None
    scale = wide_scale(x, beta, unit)
    if scale is None:
        return None
    return Number.apply(x, beta, scale, unit) if _is_derived(x) else _value(x, scale, unit)  # type: ignore[no-untyped-call]


def wide_scale(x: Tensor, beta: float, unit: Unit) -> float | None:
    """η|1−ν| where it shuts the gate on the largest numbers, else None."""
    scale = scale_of_number(beta, unit.slope, x.dtype)
    return None if scale is None or scale * torch.finfo(x.dtype).max < closed(x) else scale


def closed(x: Tensor) -> float:
    """The u beyond which the gate is 0 or 1, whatever it multiplies."""
    return CLOSED[wide_dtype(x.dtype)]


def _is_swish(unit: Unit) -> bool:
    return unit.slope == 0 and not unit.odd


def _is_derived(*tensors: Tensor) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def _fits(beta: Tensor, x: Tensor) -> bool:
    """Whether β leaves the shape of x as it is."""
    sizes = zip(reversed(beta.shape), reversed(x.shape), strict=False)
    return has_values(beta, wait=True) and beta.dim() <= x.dim() and all(size in (1, whole) for size, whole in sizes)


def _value(x: Tensor, scale: float, unit: Unit) -> Tensor:
    if not _is_swish(unit):
        return number_value(x, scale, unit)
    return swish_into(torch.empty_like(x), x, scale)


def swish_into(out: Tensor, x: Tensor, scale: float) -> Tensor:
    """``out`` with x σ(ηx) in it; the two may be one tensor."""
    finite = torch.clamp(x, min=torch.finfo(x.dtype).min, out=out)  # −∞ · 0 would be NaN
    return F.silu(finite, inplace=True) if scale == 1 else times_gate(finite, finite, scale, out=finite)


class Number(torch.autograd.Function):
    """A unit whose β is a number."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float, scale: float, unit: Unit) -> Tensor:
        ctx.save_for_backward(x)
        ctx.beta, ctx.scale, ctx.unit = beta, scale, unit
        return _value(x, scale, unit)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, None, None, None]:
        (x,), (grad,) = ctx.saved_tensors, grad_outputs
        if torch.is_grad_enabled() or not is_undisturbed(grad):  # to be derived again, or many at once
            return gradients(ctx.unit.composite, x, ctx.beta, grad, (True, False))[0], None, None, None
        scale, unit = ctx.scale, ctx.unit
        if unit.detached and _is_swish(unit):
            return times_gate(grad, x, scale), None, None, None
        limit = min(closed(x) / scale, torch.finfo(x.dtype).max)
        u = x.clamp(-limit, limit)
        if _is_swish(unit) and scale != 1 and x.dtype != wide_dtype(x.dtype) and x.device.type in MIXES_DTYPES:
            # In 16 bits u would lose digits: it alone is float32. A tensor of one dimension makes it so.
            u = u * torch.full((1,), scale, dtype=torch.float32, device=x.device)
            return silu_backward_out(grad, u, grad_input=torch.empty_like(x)), None, None, None
        return slope_times(grad, u, scale, unit), None, None, None


class _Bounds(NamedTuple):
    """What a tensor β makes of the formulas, number by number."""

    eta: Tensor  # 1 where β = 1
    low: Tensor  # u = η · clamp(x, low, high)
    high: Tensor
    floor: Tensor  # under x, where the gate multiplies it
    at_one: Tensor


def _bounds(beta: Tensor, x: Tensor) -> _Bounds:
    eta, at_zero, at_one = hardness(beta.detach(), x)
    eta = torch.where(at_one, 1.0, eta)  # type: ignore[arg-type]
    largest = torch.finfo(x.dtype).max
    high = (closed(x) / eta).clamp(max=largest)
    floor = torch.full_like(eta, -largest).masked_fill(at_zero, -math.inf).masked_fill(at_one, 0.0)  # type: ignore[arg-type]
    return _Bounds(eta, torch.where(at_one, high, -high), high, floor, at_one)  # type: ignore[arg-type]


def _of_tensor(x: Tensor, beta: Tensor, unit: Unit) -> Tensor:
    result: Tensor = _Tensor.apply(x, beta, unit) if _is_derived(x, beta) else _tensor_value(x, beta)  # type: ignore[no-untyped-call]
    return result


def _tensor_value(x: Tensor, beta: Tensor) -> Tensor:
    wide = widened(x)
    bounds = _bounds(beta, wide)
    u = torch.clamp(wide, bounds.low, bounds.high).mul_(bounds.eta)
    factor = torch.clamp(wide, min=bounds.floor)
    return narrowed(times_gate(factor, u, 1.0, out=factor), x.dtype)


class _Tensor(torch.autograd.Function):
    """x σ(ηx) whose β is a tensor, learned or not."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: Tensor, unit: Unit) -> Tensor:
        ctx.save_for_backward(x, beta)
        ctx.unit = unit
        return _tensor_value(x, beta)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (x, beta), (grad,) = ctx.saved_tensors, grad_outputs
        in_x, in_beta, _ = ctx.needs_input_grad
        if torch.is_grad_enabled() or not is_undisturbed(grad):
            return (*gradients(ctx.unit.composite, x, beta, grad, (in_x, in_beta)), None)
        wide, upstream = widened(x), widened(grad)
        bounds = _bounds(beta, wide)
        u = torch.clamp(wide, bounds.low, bounds.high).mul_(bounds.eta)
        beta_grad = _in_beta(upstream, wide, u, beta) if in_beta else None
        if not in_x:
            return None, beta_grad, None
        if ctx.unit.detached:
            slope = times_gate(upstream, u, 1.0, out=u)
        else:
            slope = silu_backward_out(upstream, u, grad_input=u)
        # At β = 1 what is not above 0 has the slope 0; elsewhere no number is below NaN.
        shut = torch.where(bounds.at_one, 0.0, math.nan).to(wide.dtype)
        return narrowed(slope.masked_fill_(wide <= shut, 0.0), x.dtype), beta_grad, None


def _in_beta(grad: Tensor, x: Tensor, u: Tensor, beta: Tensor) -> Tensor:
    """Σ grad · x² σ(u) σ(−u) / (1−β)², to which infinite x add nothing; 0 at β = 1, where σ(−u) is 0."""
    finite = torch.nan_to_num(x, math.nan, 0.0, 0.0)
    bend = times_gate(grad, u, 1.0)
    # Times x before anything else, for it may be 0 where x² is ∞.
    bend = times_gate(bend, u, -1.0, out=bend).mul_(finite)
    if beta.numel() == 1 and bend.is_contiguous() and finite.is_contiguous():
        total = torch.dot(bend.view(-1), finite.view(-1)).view(beta.shape)
    else:
        total = bend.mul_(finite).sum_to_size(beta.shape)
    inside = torch.where(beta == 1, 0.0, beta).to(total.dtype)
    return (total / (1 - inside) ** 2).to(beta.dtype)
