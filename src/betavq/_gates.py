r"""An input times a gated slope, with derivatives that overflow only where the truth does.

.. math:: y = x \, (a + b \, [\varphi(u) - c]), \qquad u = s x, \qquad \varphi = \sigma \text{ or } \tanh,

has ∂y/∂x = a + b (φ − c + u φ') and ∂y/∂s = b x² φ'. Plain autograd multiplies by x before it multiplies by s: at
large x that is ∞, and at s = 0 then NaN.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def _gate(u: Tensor, function: str) -> Tensor:
    return torch.tanh(u) if function == "tanh" else torch.sigmoid(u)


def _gate_slope(u: Tensor, function: str) -> Tensor:
    if function == "tanh":
        return 4 * torch.sigmoid(2 * u) * torch.sigmoid(-2 * u)
    return torch.sigmoid(u) * torch.sigmoid(-u)


class _Gated(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, s: Tensor, a: Tensor, b: Tensor, c: Tensor, function: str) -> Tensor:
        return x * (a + b * (_gate(x * s, function) - c))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        *tensors, ctx.function = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, s, a, b, c = ctx.saved_tensors
        (grad,) = grad_outputs
        u = x * s
        gate, slope = _gate(u, ctx.function) - c, _gate_slope(u, ctx.function)
        needs_x, needs_s, needs_a, needs_b, *_ = ctx.needs_input_grad
        return (
            (grad * (a + b * (gate + u * slope))).sum_to_size(x.shape) if needs_x else None,
            (grad * (b * (x * slope)) * x).sum_to_size(s.shape) if needs_s else None,
            (grad * x).sum_to_size(a.shape) if needs_a else None,
            (grad * (x * gate)).sum_to_size(b.shape) if needs_b else None,
            None,
            None,
        )


class _GatedInForwardMode(_Gated):
    """The same for forward-mode derivatives too; torch.compile refuses a Function that has them."""

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Tensor:
        x, s, a, b, c = ctx.saved_tensors
        u = x * s
        gate, slope = _gate(u, ctx.function) - c, _gate_slope(u, ctx.function)
        x_dot, s_dot, a_dot, b_dot, *_ = grad_inputs
        tangent: Tensor = x_dot * (a + b * (gate + u * slope)) + s_dot * (b * (x * slope)) * x
        tangent += a_dot * x + b_dot * (x * gate)
        return tangent


def gated(
    x: Tensor,
    scale: float | Tensor,
    function: str,
    *,
    start: float | Tensor = 0.0,
    rise: float | Tensor = 1.0,
    centre: float | Tensor = 0.0,
) -> Tensor:
    """x · (start + rise · (φ(scale · x) − centre)) with φ the sigmoid or tanh; ``scale`` · x must not overflow."""
    tensors = (
        t if isinstance(t, Tensor) else torch.full((), t, dtype=x.dtype, device=x.device)
        for t in (scale, start, rise, centre)
    )
    implementation = _Gated if torch.compiler.is_compiling() else _GatedInForwardMode
    result: Tensor = implementation.apply(x, *tensors, function)  # type: ignore[no-untyped-call]
    return result
