r"""Units of two pieces as input × gated slope, with derivatives that overflow only where the truth does.

With u = η|1−ν|x, gate σ(u) and ν the slope of the first piece (0 for the ReLU),

.. math:: y = x \, [ν + (1-ν) σ(u)], \quad
          \frac{∂y}{∂x} = ν + (1-ν)(σ + uσ'), \quad
          \frac{∂y}{∂η} = (1-ν)|1-ν| \, x^2 σ', \quad
          \frac{∂y}{∂ν} = x (1 - σ - uσ');

for the absolute value y = x tanh u with u = ηx, which is ν = −1 without the cancellation. Plain autograd multiplies by
x before it multiplies by η: at large x that is ∞, and at η = 0 then NaN.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor


class _Derivatives(NamedTuple):
    gate: Tensor  # σ(u) or tanh(u)
    in_input: Tensor
    curvature: Tensor  # x · the gate's derivative
    in_slope: Tensor  # ∂y/∂ν divided by x


def _derivatives(x: Tensor, eta: Tensor, v: Tensor | None, *, odd: bool) -> _Derivatives:
    u = x * gate_scale(eta, v)
    if odd:
        gate, slope = torch.tanh(u), 4 * torch.sigmoid(2 * u) * torch.sigmoid(-2 * u)
    else:
        gate, slope = torch.sigmoid(u), torch.sigmoid(u) * torch.sigmoid(-u)
    moved = gate + u * slope
    return _Derivatives(gate, moved if v is None else v + (1 - v) * moved, x * slope, 1 - moved)


def gate_scale(eta: Tensor, v: Tensor | None) -> Tensor:
    """η|1−ν|, kept finite."""
    return eta if v is None else (eta * (1 - v).abs()).clamp(max=torch.finfo(eta.dtype).max)


class _TwoPieces(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, eta: Tensor, v: Tensor | None, mean: Tensor | None, odd: bool) -> Tensor:
        u = x * gate_scale(eta, v)
        if v is None or mean is None:
            return x * (torch.tanh(u) if odd else torch.sigmoid(u))
        # At η = 0 the same sum in a form that gives the mean slope to the last bit.
        linear = eta == 0
        start, centre = torch.where(linear, mean, v), torch.where(linear, 0.5, 0.0).to(x.dtype)
        return x * (start + (1 - v) * (torch.sigmoid(u) - centre))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        x, eta, v, _, ctx.odd = inputs
        ctx.save_for_backward(x, eta, v)
        ctx.save_for_forward(x, eta, v)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, eta, v = ctx.saved_tensors
        (grad,) = grad_outputs
        d = _derivatives(x, eta, v, odd=ctx.odd)
        in_x, in_eta, in_v, *_ = ctx.needs_input_grad
        return (
            (grad * d.in_input).sum_to_size(x.shape) if in_x else None,
            _times_width(grad, d.curvature, x, v).sum_to_size(eta.shape) if in_eta else None,
            (grad * (x * d.in_slope)).sum_to_size(v.shape) if in_v else None,
            None,
            None,
        )


def _times_width(grad: Tensor, curvature: Tensor, x: Tensor, v: Tensor | None) -> Tensor:
    """grad · ∂y/∂η, from left to right: a factor 0 comes before the products that may be ∞."""
    if v is None:
        return grad * curvature * x
    return grad * (1 - v) * curvature * x * (1 - v).abs()


class _TwoPiecesInForwardMode(_TwoPieces):
    """The same for forward-mode derivatives too; torch.compile refuses a Function that has them."""

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Tensor:
        x, eta, v = ctx.saved_tensors
        x_dot, eta_dot, v_dot, *_ = grad_inputs
        d = _derivatives(x, eta, v, odd=ctx.odd)
        tangent: Tensor = x_dot * d.in_input + _times_width(eta_dot, d.curvature, x, v)
        return tangent if v is None else tangent + v_dot * (x * d.in_slope)


def _apply(*arguments: Any) -> Tensor:
    implementation = _TwoPieces if torch.compiler.is_compiling() else _TwoPiecesInForwardMode
    result: Tensor = implementation.apply(*arguments)  # type: ignore[no-untyped-call]
    return result


def swish(x: Tensor, eta: Tensor) -> Tensor:
    """x σ(ηx); ηx must not overflow."""
    return _apply(x, eta, None, None, False)


def leaky_swish(x: Tensor, eta: Tensor, v: Tensor, mean: Tensor) -> Tensor:
    """x [ν + (1−ν) σ(η|1−ν|x)], at η = 0 x · ``mean``; ηx must not overflow."""
    return _apply(x, eta, v, mean.detach(), False)


def soft_abs(x: Tensor, eta: Tensor) -> Tensor:
    """x tanh(ηx); ηx must not overflow."""
    return _apply(x, eta, None, None, True)
