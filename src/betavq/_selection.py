"""Codes and values of checked scores along one dimension, which is kept with size 1 where it is summed over.

Infinite scores are taken care of here: −∞ excludes a piece, +∞ beats every finite score unless η = 0. No result and
no gradient is NaN unless a score is.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def weights(z: Tensor, eta: float | Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """exp(η(z − max z)) along ``dim``, and the index of the first maximum.

    Halved scores keep the difference from overflowing. Pieces that are excluded, or beaten by a +∞, get 0.
    """
    any_infinite = (z == math.inf).any(dim, keepdim=True)
    excluded = (z == -math.inf) | (any_infinite & (z != math.inf) & (eta > 0))
    half = torch.where(torch.isinf(z), 0.0, z * 0.5)
    first = torch.where(excluded, -math.inf, half).argmax(dim, keepdim=True)
    gap = torch.where(any_infinite, 0.0, half - half.gather(dim, first))
    u = 2 * eta * gap
    return torch.where(excluded, 0.0, torch.exp(torch.where(excluded, 0.0, u))), first


def soft_code(z: Tensor, eta: float | Tensor, dim: int) -> Tensor:
    w, _ = weights(z, eta, dim)
    total = w.sum(dim, keepdim=True)
    return w / torch.where(total == 0, 1.0, total)


def soft_value(z: Tensor, eta: float | Tensor, dim: int) -> Tensor:
    if not isinstance(eta, Tensor):
        eta = torch.full((), eta, dtype=z.dtype, device=z.device)
    implementation = _SoftValue if torch.compiler.is_compiling() else _SoftValueInForwardMode
    v: Tensor = implementation.apply(z, eta, dim)  # type: ignore[no-untyped-call]
    return v


class _SoftValue(torch.autograd.Function):
    """⟨t, z⟩ with ∂/∂z_r = t_r (1 + η(z_r − v)) and ∂/∂η = Var_t(z), which overflow only where the truth does."""

    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, eta: Tensor, dim: int) -> Tensor:
        return _expectation(soft_code(z, eta, dim), z, dim)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: Tensor) -> None:  # noqa: ARG004
        z, eta, ctx.dim = inputs
        ctx.save_for_backward(z, eta)
        ctx.save_for_forward(z, eta)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        z, eta = ctx.saved_tensors
        (grad,) = grad_outputs
        t, half_spread = _code_and_half_spread(z, eta, ctx.dim)
        in_z, in_eta = ctx.needs_input_grad[:2]
        return (
            grad * t * (1 + 2 * eta * half_spread) if in_z else None,
            (4 * (grad * t * half_spread * half_spread)).sum_to_size(eta.shape) if in_eta else None,
            None,
        )


class _SoftValueInForwardMode(_SoftValue):
    """The same for forward-mode derivatives too; torch.compile refuses a Function that has them."""

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Tensor:
        z, eta = ctx.saved_tensors
        z_dot, eta_dot, _ = grad_inputs
        t, half_spread = _code_and_half_spread(z, eta, ctx.dim)
        tangent = t * (1 + 2 * eta * half_spread) * z_dot + 4 * (eta_dot * t * half_spread * half_spread)
        total: Tensor = tangent.sum(ctx.dim, keepdim=True)
        return total


def _expectation(t: Tensor, z: Tensor, dim: int) -> Tensor:
    v = (t * torch.where(t == 0, 0.0, z)).sum(dim, keepdim=True)
    return torch.where(all_excluded(z, dim), -math.inf, v)


def _code_and_half_spread(z: Tensor, eta: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The code, and (z − v)/2 where that matters: not for pieces without share, nor where v is infinite."""
    t = soft_code(z, eta, dim)
    v = _expectation(t, torch.where(torch.isinf(z), 0.0, z), dim)
    ignored = (t == 0) | (z == math.inf).any(dim, keepdim=True)
    return t, torch.where(ignored, 0.0, z * 0.5 - v * 0.5)


def linear_energy(z: Tensor, dim: int) -> Tensor:
    """The free energy at β = 0: the gradient of the mean (the uniform code), at +∞ where there is a choice."""
    several = (z != -math.inf).sum(dim, keepdim=True) > 1
    return soft_value(z, 0.0, dim) + torch.where(several, math.inf, 0.0)


def hard_code(z: Tensor, dim: int) -> Tensor:
    # masked_fill keeps the result attached to z (with gradient 0), so that a backward pass finds its way.
    zero = z.masked_fill(torch.ones_like(z, dtype=torch.bool), 0.0)
    one_hot = zero.scatter(dim, z.argmax(dim, keepdim=True), 1.0)
    return torch.where(all_excluded(z, dim), 0.0, one_hot)


def first_maximum(z: Tensor, dim: int) -> Tensor:
    maximum = z.gather(dim, z.argmax(dim, keepdim=True))
    return torch.where(maximum == -math.inf, -math.inf, maximum)  # all excluded: no gradient


def shared_infinity(z: Tensor, dim: int) -> Tensor:
    """+∞ where a score is, with a gradient that the scores of +∞ share."""
    is_infinite = z == math.inf
    return torch.where(is_infinite, z, 0.0).div(is_infinite.sum(dim, keepdim=True).clamp(min=1)).sum(dim, keepdim=True)


def all_excluded(z: Tensor, dim: int) -> Tensor:
    return (z == -math.inf).all(dim, keepdim=True)
