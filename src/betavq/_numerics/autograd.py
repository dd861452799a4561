"""What the hand-written derivatives share: how a Function is called or left, and sums that keep ∞ − ∞ from NaN."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class Derived(torch.autograd.Function):
    """A Function whose derivatives are written by hand: ``backward``, and ``tangent`` for forward mode.

    Its first ``saved`` inputs are tensors (or None) that the derivatives want, ``ctx.saved_tensors`` there; of those
    behind them ``ctx.options`` are what is no tensor. It is called by :func:`apply`.
    """

    generate_vmap_rule = True
    saved = 0
    with_jvp: type[torch.autograd.Function]
    tangent: Callable[..., Any]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "tangent" not in vars(cls):  # the form with forward mode, of which all is said
            return
        saved = cls.saved

        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:  # noqa: ARG001
            ctx.save_for_backward(*inputs[:saved])
            ctx.save_for_forward(*inputs[:saved])
            ctx.options = [given for given in inputs[saved:] if not isinstance(given, Tensor | None)]

        if "setup_context" not in vars(cls):
            cls.setup_context = staticmethod(setup_context)  # type: ignore[method-assign]
        # torch.compile refuses a Function that has forward-mode derivatives.
        cls.with_jvp = types.new_class(
            cls.__name__, (cls,), exec_body=lambda body: body.update(jvp=vars(cls)["tangent"])
        )


def apply(function: type[Derived], *arguments: Any) -> Tensor:
    """Call a Function in the form that the moment allows.

    An exported graph holds operators alone: there the forward pass runs bare, and what trains the graph derives it
    anew.
    """
    result: Tensor
    if is_exporting():
        result = function.forward(*arguments)
    else:
        form = function if torch.compiler.is_compiling() else function.with_jvp
        result = form.apply(*arguments)  # type: ignore[no-untyped-call]
    return result


def is_exporting() -> bool:
    """Whether torch.export is at work, of which torch 2.6 cannot tell, or torch.jit.trace."""
    told = getattr(torch.compiler, "is_exporting", torch.jit.is_tracing)  # type: ignore[attr-defined]
    return bool(told() or torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


def gradients(
    function: Callable[[Tensor, Any], Tensor], x: Tensor, beta: float | Tensor, grad: Tensor, needs: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """A backward pass by autograd: what ``needs`` says of grad · ∂f/∂x and grad · ∂f/∂β, for f(x, β).

    The gradients can be derived again if grad mode is on.
    """
    with torch.enable_grad():
        # Of aliases: x may itself depend on β, as in a second layer, and that is no part of ∂f/∂β.
        x, beta = x.view_as(x), beta.view_as(beta) if isinstance(beta, Tensor) else beta
        y = function(x, beta)
    wanted = [tensor for tensor, is_needed in zip((x, beta), needs, strict=True) if is_needed]
    found = iter(torch.autograd.grad(y, wanted, grad, create_graph=torch.is_grad_enabled()))  # type: ignore[arg-type]
    return next(found) if needs[0] else None, next(found) if needs[1] else None


def sum_to(terms: Tensor, shape: torch.Size) -> Tensor:
    """``terms.sum_to_size(shape)``, the terms clamped so that no partial sum overflows.

    Otherwise terms of opposite sign that overflow would add up to NaN. A single term may still be infinite.
    """
    if terms.shape == shape:
        return terms
    in_each_sum = max(1, terms.numel()) / max(1, math.prod(shape))
    largest = torch.finfo(terms.dtype).max / in_each_sum
    return terms.clamp(-largest, largest).sum_to_size(shape)


def times(tensor: Tensor, factor: float | Tensor) -> Tensor:
    """``tensor`` · ``factor``, which broadcasts to its shape; the factor's gradient is summed by :func:`sum_to`."""
    if not isinstance(factor, Tensor) or factor.shape == tensor.shape:
        return tensor * factor
    return apply(_Times, tensor, factor)


class _Times(Derived):
    saved = 2

    @staticmethod
    def forward(tensor: Tensor, factor: Tensor) -> Tensor:
        return tensor * factor

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None]:
        (tensor, factor), (grad,) = ctx.saved_tensors, grad_outputs
        in_tensor, in_factor = ctx.needs_input_grad
        return (
            times(grad, factor) if in_tensor else None,
            sum_to(grad * tensor, factor.shape) if in_factor else None,
        )

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Any) -> Tensor:
        tensor, factor = ctx.saved_tensors
        tensor_dot, factor_dot = grad_inputs
        tangent: Tensor = tensor_dot * factor + tensor * factor_dot
        return tangent
