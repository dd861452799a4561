"""What the hand-written derivatives share: how a Function is called, and sums that do not turn ∞ − ∞ into NaN."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def apply(plain: type[torch.autograd.Function], with_jvp: type[torch.autograd.Function], *arguments: Any) -> Tensor:
    """Call a Function in the form that the moment allows.

    ``with_jvp`` knows forward-mode derivatives too, but torch.compile refuses a Function that does. An exported
    graph holds operators alone: there the forward pass runs bare, and what trains the graph derives it anew.
    """
    result: Tensor
    if is_exporting():
        result = plain.forward(*arguments)
    else:
        function = plain if torch.compiler.is_compiling() else with_jvp
        result = function.apply(*arguments)  # type: ignore[no-untyped-call]
    return result


def is_exporting() -> bool:
    """Whether torch.export is at work; torch 2.6 cannot tell."""
    told = getattr(torch.compiler, "is_exporting", None)
    return told is not None and bool(told())


def sum_to(terms: Tensor, shape: torch.Size) -> Tensor:
    """``terms.sum_to_size(shape)``, the terms clamped so that no partial sum overflows.

    Otherwise terms of opposite sign that overflow would add up to NaN. A single term may still be infinite.
    """
    if terms.shape == shape:
        return terms
    largest = torch.finfo(terms.dtype).max * max(1, math.prod(shape)) / max(1, terms.numel())
    return terms.clamp(-largest, largest).sum_to_size(shape)


def spread(tensor: Tensor, shape: torch.Size) -> Tensor:
    """``tensor.expand(shape)``, the gradient summed by :func:`sum_to`."""
    return tensor if tensor.shape == shape else apply(_Spread, _SpreadWithJvp, tensor, shape)


class _Spread(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(tensor: Tensor, shape: torch.Size) -> Tensor:
        return tensor.expand(shape).clone()  # an output that is a view cannot have a derivative of its own

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, torch.Size], output: Tensor) -> None:  # noqa: ARG004
        tensor, ctx.spread_to = inputs
        ctx.spread_from = tensor.shape

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return sum_to(grad_outputs[0], ctx.spread_from), None


class _SpreadWithJvp(_Spread):
    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Tensor:
        tangent: Tensor = grad_inputs[0].expand(ctx.spread_to).clone()
        return tangent
