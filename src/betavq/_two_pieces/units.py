"""The two-piece units of checked arguments: in the fast form where that applies, else composed of plain operators.

Public faces are ``functional.py``, which checks, and ``nn.py``, whose β has been checked when it was set and clamped.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .._numerics.autograd import is_exporting, sum_to
from .._numerics.dtypes import compute_dtype, saturation
from .._numerics.hardness import hardness
from .composite import leaky_swish, soft_abs, swish
from .fast import Unit, fast
from .few_launches import few_launches
from .in_place import overwrite, swish_in_place


def relu(input: Tensor, beta: float | Tensor, detached: bool) -> Tensor:
    """x σ(ηx); ReLU at β = 1."""
    y = _eager(input, beta, RELU_OF_DETACHED_CODE if detached else RELU)
    return composite_relu(input, beta, detached) if y is None else y


def absolute(input: Tensor, beta: float | Tensor, detached: bool) -> Tensor:
    """x tanh(ηx); |x| at β = 1."""
    y = _eager(input, beta, ABS_OF_DETACHED_CODE if detached else ABS)
    return composite_abs(input, beta, detached) if y is None else y


def leaky_relu(input: Tensor, negative_slope: float | Tensor, beta: float | Tensor, detached: bool) -> Tensor:
    """x [ν + (1−ν) σ(η|1−ν|x)] with the slope ν; leaky ReLU at β = 1."""
    y = None
    if not isinstance(negative_slope, Tensor):
        leaky = Unit(
            lambda x, b: composite_leaky_relu(x, negative_slope, b, detached), negative_slope, detached=detached
        )
        y = _eager(input, beta, leaky)
    return composite_leaky_relu(input, negative_slope, beta, detached) if y is None else y


def relu_(input: Tensor, beta: float | Tensor, detached: bool) -> Tensor:
    """:func:`relu` written over the input."""
    if isinstance(beta, float) and beta == 1:
        return F.relu_(input)
    y = swish_in_place(input, beta, RELU_OF_DETACHED_CODE if detached else RELU)
    return overwrite(input, lambda x: relu(x, beta, detached), beta) if y is None else y


def leaky_relu_(input: Tensor, negative_slope: float | Tensor, beta: float | Tensor, detached: bool) -> Tensor:
    """:func:`leaky_relu` written over the input."""
    if isinstance(beta, float) and beta == 1 and isinstance(negative_slope, float) and negative_slope > 0:
        return F.leaky_relu_(input, negative_slope)  # PyTorch has no derivative of it for other slopes
    return overwrite(input, lambda x: leaky_relu(x, negative_slope, beta, detached), beta, negative_slope)


def _eager(x: Tensor, beta: float | Tensor, unit: Unit) -> Tensor | None:
    """The unit in the form of its device, or None where neither applies."""
    y = fast(x, beta, unit)
    return few_launches(x, beta, unit) if y is None else y


def composite_relu(input: Tensor, beta: float | Tensor, detached: bool = False) -> Tensor:
    """ReLU's unit of plain operators, or of those that a compiler fuses."""
    if torch.compiler.is_compiling() and not is_exporting():
        return _compiled_relu(input, beta, detached)
    soft = functools.partial(swish, detached=detached)
    return _soften(input, beta, soft=soft, linear=lambda x: x * 0.5, hard=F.relu)


def _compiled_relu(input: Tensor, beta: float | Tensor, detached: bool) -> Tensor:
    x = input.to(compute_dtype(input))
    eta, at_zero, at_one = hardness(beta, x)
    if at_one is True or at_zero is True:
        return F.relu(input) if at_one is True else (x * 0.5).to(input.dtype)
    y: Tensor = _WholeSwish.apply(x, eta, detached)  # type: ignore[no-untyped-call]
    return (torch.where(at_one, F.relu(x), y) if isinstance(at_one, Tensor) else y).to(input.dtype)


class _WholeSwish(torch.autograd.Function):
    """x σ(ηx) for any x, infinite ones included, and 0 ≤ η < ∞, a positive number or a tensor that broadcasts.

    For torch.compile: as operators that fuse into one loop each way and need x alone for the way back. :func:`_soften`
    selects saturated and infinite numbers by a mask, which a compiler keeps for the backward pass, and reads and
    writes slowly. Here every number goes through the same operators, none of which makes NaN of ∞.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, eta: float | Tensor, detached: bool) -> Tensor:  # noqa: ARG004
        factor = x.clamp(min=torch.finfo(x.dtype).min)  # −∞ · 0 would be NaN
        if isinstance(eta, Tensor):
            factor = torch.where(eta == 0, x, factor)
        return factor / (1 + torch.exp(-_argument(x, eta)))  # rounds once less than a product with the gate

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        x, eta, ctx.detached = inputs
        ctx.eta = None if isinstance(eta, Tensor) else eta
        ctx.save_for_backward(x, *([eta] if isinstance(eta, Tensor) else []))

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (grad,) = grad_outputs
        x, *etas = ctx.saved_tensors
        eta = etas[0] if etas else ctx.eta
        in_x, in_eta, _ = ctx.needs_input_grad
        u = _argument(x.detach() if ctx.detached else x, eta)
        gate = torch.sigmoid(u)
        slope = gate
        if not ctx.detached:  # beyond the limit the gate is 0 or 1; a clamp of u takes more instructions
            limit = 200.0 if x.dtype == torch.float32 else 1000.0
            slope = torch.where(u.abs() > limit, gate, gate * (1 + u * (1 - gate)))
        in_input = sum_to(grad * slope, x.shape) if in_x else None
        if not in_eta:
            return in_input, None, None
        finite = torch.where(x.abs() == math.inf, 0.0, x)  # isinf does not fuse
        code_x = finite.detach() if ctx.detached else finite
        terms = grad * (finite * (gate * torch.sigmoid(-u))) * code_x
        return in_input, sum_to(terms, eta.shape), None


def _argument(x: Tensor, eta: float | Tensor) -> Tensor:
    """ηx, with 0 · ∞ = 0."""
    return x * eta if not isinstance(eta, Tensor) else torch.where(eta == 0, 0.0, x * eta)


def composite_abs(input: Tensor, beta: float | Tensor, detached: bool = False) -> Tensor:
    """The same for the absolute value."""
    return _soften(input, beta, soft=functools.partial(soft_abs, detached=detached), linear=_zero, hard=torch.abs)


def composite_leaky_relu(
    input: Tensor, negative_slope: float | Tensor, beta: float | Tensor, detached: bool = False
) -> Tensor:
    """The same for the leaky ReLU, whose slope may be a tensor."""
    mean = (1 + negative_slope) / 2
    v, m = _like(input, negative_slope), _like(input, mean)
    return _soften(
        input,
        beta,
        negative_slope if isinstance(negative_slope, float) else v,
        soft=lambda x, eta: leaky_swish(x, eta, v, m, detached),
        linear=lambda x: _times(x, m),
        hard=lambda x: _leaky_relu(x, negative_slope if isinstance(negative_slope, float) else v),
    )


RELU, ABS = Unit(composite_relu), Unit(composite_abs, odd=True)
RELU_OF_DETACHED_CODE = Unit(functools.partial(composite_relu, detached=True), detached=True)
ABS_OF_DETACHED_CODE = Unit(functools.partial(composite_abs, detached=True), odd=True, detached=True)


def _soften(
    input: Tensor,
    beta: float | Tensor,
    slope: float | Tensor = 0.0,
    *,
    soft: Callable[[Tensor, Tensor], Tensor],
    linear: Callable[[Tensor], Tensor],
    hard: Callable[[Tensor], Tensor],
) -> Tensor:
    """``soft(x, η)`` where its gate is not saturated, else ``hard(x)``, or ``linear(x)`` where β = 0.

    Each branch sees a harmless 0 where it is not selected (the double ``where``), for 0 · ∞ in a branch that is not
    taken would still make its gradient NaN.
    """
    x = input.to(compute_dtype(input))
    eta, at_zero, at_one = hardness(beta, x)
    if at_one is True:
        return hard(x if isinstance(slope, Tensor) else input).to(input.dtype)
    if at_zero is True:
        return linear(x).to(input.dtype)
    limit = _limit(eta, slope, x.dtype)
    eta = _like(input, eta)
    saturated = (x.abs() > limit) | at_one
    inner = soft(torch.where(saturated, 0.0, x), eta)
    if isinstance(at_zero, bool):
        outer = hard(x)
    else:
        outer = torch.where(at_zero, linear(torch.where(at_zero, x, 0.0)), hard(torch.where(at_zero, 0.0, x)))
    return torch.where(saturated, outer, inner).to(input.dtype)


def _limit(eta: float | Tensor, slope: float | Tensor, dtype: torch.dtype) -> float | Tensor:
    """Where the gate is saturated; a number where it can be, of which torch.compile makes a better loop."""
    largest = torch.finfo(dtype).max
    if isinstance(eta, Tensor) or isinstance(slope, Tensor):
        width = (1 - slope).abs() if isinstance(slope, Tensor) else abs(1 - slope)
        limit: Any = saturation(dtype) / (eta * width)
        return limit.detach().clamp(max=largest)  # type: ignore[no-any-return]
    scale = eta * abs(1 - slope)
    return min(saturation(dtype) / scale, largest) if scale > 0 else largest


def _like(input: Tensor, number: float | Tensor) -> Tensor:
    """``number`` as a tensor in the dtype in which ``input`` is computed; a 0-dim one on its device."""
    dtype = compute_dtype(input)
    if not isinstance(number, Tensor):
        return torch.full((), number, dtype=dtype, device=input.device)
    return number.to(dtype) if number.dim() > 0 else number.to(input.device, dtype)


def _zero(x: Tensor) -> Tensor:
    return torch.where(torch.isnan(x), x, 0.0)


def _times(x: Tensor, slope: Tensor) -> Tensor:
    """x · slope, with ±∞ · 0 = 0."""
    return torch.where(torch.isinf(x) & (slope == 0), 0.0, x) * slope


def _leaky_relu(x: Tensor, slope: float | Tensor) -> Tensor:
    """``F.leaky_relu``, with −∞ · 0 = 0, for a slope that may be a tensor."""
    if isinstance(slope, Tensor):
        positive = x > 0
        return torch.where(positive, x, _times(torch.where(positive, 0.0, x), slope))
    if slope == 0:
        x = torch.where(x == -math.inf, 0.0, x)
    return F.leaky_relu(x, slope)
