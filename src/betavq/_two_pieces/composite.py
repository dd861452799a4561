r"""Units of two pieces as input × gated slope, with derivatives that overflow only where the truth does.

With u = η|1−ν|x, gate σ(u) and ν the slope of the first piece (0 for the ReLU),

.. math:: y = x \, [ν + (1-ν) σ(u)], \quad
          \frac{∂y}{∂x} = ν + (1-ν)(σ + uσ'), \quad
          \frac{∂y}{∂η} = (1-ν)|1-ν| \, x^2 σ', \quad
          \frac{∂y}{∂ν} = x (1 - σ - uσ');

for the absolute value y = x tanh u with u = ηx, which is ν = −1 without the cancellation. Plain autograd multiplies by
x before it multiplies by η: at large x that is ∞, and at η = 0 then NaN.

With a ``detached`` code the pieces within the gate are constants to the backward pass: the terms uσ' go from ∂y/∂x and
∂y/∂ν, and ∂y/∂η is the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._numerics.autograd import Derived, apply, sum_to


def gate_scale(eta: Tensor, v: Tensor | None) -> Tensor:
    """η|1−ν|, kept finite."""
    return eta if v is None else (eta * (1 - v).abs()).clamp(max=torch.finfo(eta.dtype).max)


def _gate(u: Tensor, odd: bool) -> Tensor:
    """σ(u) or tanh u."""
    return apply(_Gate, u, odd)


def _gate_and_slope(u: Tensor, odd: bool) -> tuple[Tensor, Tensor]:
    gate = _gate(u, odd)
    return gate, (4 * _gate(2 * u, False) * _gate(-2 * u, False) if odd else gate * _gate(-u, False))


class _Gate(Derived):
    """The gate whose derivative is σ(u) σ(−u): autograd's σ(u) (1 − σ(u)) loses all digits at u ≫ 0."""

    saved = 1

    @staticmethod
    def forward(u: Tensor, odd: bool) -> Tensor:
        return torch.tanh(u) if odd else torch.sigmoid(u)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return grad_outputs[0] * _gate_and_slope(*ctx.saved_tensors, *ctx.options)[1], None

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Any) -> Tensor:
        tangent: Tensor = grad_inputs[0] * _gate_and_slope(*ctx.saved_tensors, *ctx.options)[1]
        return tangent


class _TwoPieces(Derived):
    saved = 3

    @staticmethod
    def forward(x: Tensor, eta: Tensor, v: Tensor | None, mean: Tensor | None, odd: bool, detached: bool) -> Tensor:
        # An exported graph runs this bare: only what is detached here is constant in its derivatives.
        code_x, code_v = (x.detach(), None if v is None else v.detach()) if detached else (x, v)
        u = code_x * gate_scale(eta, code_v)
        if v is None or mean is None:
            return x * (torch.tanh(u) if odd else torch.sigmoid(u))
        # At η = 0 the same sum in a form that gives the mean slope to the last bit.
        linear = eta == 0
        start, centre = torch.where(linear, mean, v), torch.where(linear, 0.5, 0.0).to(x.dtype)
        return x * (start + (1 - v) * (torch.sigmoid(u) - centre))

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (x, eta, v), options = ctx.saved_tensors, ctx.options
        (grad,) = grad_outputs
        in_input, in_slope, slope = _first_derivatives(x, eta, v, *options)
        in_x, in_eta, in_v, *_ = ctx.needs_input_grad
        return (
            sum_to(grad * in_input, x.shape) if in_x else None,
            sum_to(_times_width(grad, x, eta, v, slope, *options), eta.shape) if in_eta else None,
            sum_to(grad * (x * in_slope), v.shape) if in_v else None,
            None,
            None,
            None,
        )

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Any) -> Tensor:
        (x, eta, v), options = ctx.saved_tensors, ctx.options
        x_dot, eta_dot, v_dot, *_ = grad_inputs
        in_input, in_slope, slope = _first_derivatives(x, eta, v, *options)
        tangent: Tensor = x_dot * in_input + _times_width(eta_dot, x, eta, v, slope, *options)
        return tangent if v is None else tangent + v_dot * (x * in_slope)


def _first_derivatives(
    x: Tensor, eta: Tensor, v: Tensor | None, odd: bool, detached: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """∂y/∂x, ∂y/∂ν divided by x, and the gate's derivative."""
    u = x.detach() * gate_scale(eta, None if v is None else v.detach()) if detached else x * gate_scale(eta, v)
    gate, slope = _gate_and_slope(u, odd)
    moved = gate if detached else gate + u * slope
    return moved if v is None else v + (1 - v) * moved, moved if v is None else 1 - moved, slope


def _times_width(
    grad: Tensor, x: Tensor, eta: Tensor, v: Tensor | None, slope: Tensor, odd: bool, detached: bool
) -> Tensor:
    """grad · ∂y/∂η."""
    if v is None:
        return _bend(grad, x, eta, slope, odd, detached)
    code_v = v.detach() if detached else v
    return _bend(grad * (1 - v), x, gate_scale(eta, code_v), slope, odd, detached) * (1 - code_v).abs()


def _bend(grad: Tensor, x: Tensor, eta: Tensor, slope: Tensor, odd: bool, detached: bool) -> Tensor:
    """grad · x² σ'(ηx), from left to right: a factor 0 comes before the products that may be ∞."""
    return apply(_Bend, grad, x, eta, slope, odd, detached)


class _Bend(Derived):
    """Its derivatives in x and η are spelt out for the same reason as the first ones; ``slope`` is σ'(ηx) at hand."""

    saved = 3

    @staticmethod
    def forward(grad: Tensor, x: Tensor, eta: Tensor, slope: Tensor, odd: bool, detached: bool) -> Tensor:  # noqa: ARG004
        return grad * (x * slope) * x

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (grad, x, eta), options = ctx.saved_tensors, ctx.options
        (upstream,) = grad_outputs
        in_input, in_eta, slope, code_x = _bend_derivatives(x, eta, *options)
        in_grad, in_x, in_scale, *_ = ctx.needs_input_grad
        return (
            sum_to(_bend(upstream, x, eta, slope, *options), grad.shape) if in_grad else None,
            sum_to(upstream * grad * in_input * code_x, x.shape) if in_x else None,
            sum_to(upstream * grad * in_eta * x * code_x, eta.shape) if in_scale else None,
            None,
            None,
            None,
        )

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Any) -> Tensor:
        (grad, x, eta), options = ctx.saved_tensors, ctx.options
        grad_dot, x_dot, eta_dot, *_ = grad_inputs
        in_input, in_eta, slope, code_x = _bend_derivatives(x, eta, *options)
        tangent: Tensor = grad * x_dot * in_input * code_x + grad * eta_dot * in_eta * x * code_x
        return tangent + _bend(grad_dot, x, eta, slope, *options)


def _bend_derivatives(x: Tensor, eta: Tensor, odd: bool, detached: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """∂(x²σ'(ηx))/∂x divided by x, ∂(x²σ'(ηx))/∂η divided by x², σ', and the x that belongs to the code.

    That is one of the two factors x and the x within σ': constants, if the code is detached.
    """
    code_x = x.detach() if detached else x
    u = code_x * eta
    _, slope = _gate_and_slope(u, odd)
    second = -slope * (2 * _gate(u, True) if odd else _gate(u / 2, True))
    return slope if detached else 2 * slope + u * second, code_x * second, slope, code_x


def _two_pieces(x: Tensor, eta: Tensor, v: Tensor | None, mean: Tensor | None, odd: bool, detached: bool) -> Tensor:
    return apply(_TwoPieces, x, eta, v, mean, odd, detached)


def swish(x: Tensor, eta: Tensor, detached: bool) -> Tensor:
    """x σ(ηx); ηx must not overflow."""
    return _two_pieces(x, eta, None, None, False, detached)


def leaky_swish(x: Tensor, eta: Tensor, v: Tensor, mean: Tensor, detached: bool) -> Tensor:
    """x [ν + (1−ν) σ(η|1−ν|x)], at η = 0 x · ``mean``; ηx must not overflow."""
    return _two_pieces(x, eta, v, mean, False, detached)


def soft_abs(x: Tensor, eta: Tensor, detached: bool) -> Tensor:
    """x tanh(ηx); ηx must not overflow."""
    return _two_pieces(x, eta, None, None, True, detached)
