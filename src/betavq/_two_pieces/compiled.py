r"""x σ(ηx) for torch.compile, as operators that fuse into one loop each way and need x alone for the way back.

``units.py`` otherwise selects saturated and infinite numbers by a mask, which a compiler keeps for the backward
pass, and reads and writes slowly. Here every number goes through the same operators, none of which makes NaN of ∞.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .._numerics.autograd import sum_to


def whole_swish(x: Tensor, eta: float | Tensor, detached: bool) -> Tensor:
    """x σ(ηx) for any x, infinite ones included, and 0 ≤ η < ∞, a positive number or a tensor that broadcasts."""
    result: Tensor = _WholeSwish.apply(x, eta, detached)  # type: ignore[no-untyped-call]
    return result


class _WholeSwish(torch.autograd.Function):
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
