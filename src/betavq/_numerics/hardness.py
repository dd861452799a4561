"""How β enters the arithmetic: kept in full precision and within [0, 1], turned into η where that is finite."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .autograd import Derived, apply, is_exporting


class Hardness(NamedTuple):
    """η, with a harmless 0 where β = 1, and where β is an end point; numbers for a number β, tensors for a tensor."""

    eta: float | Tensor
    at_zero: bool | Tensor
    at_one: bool | Tensor


def hardness(beta: float | Tensor, like: Tensor) -> Hardness:
    """Split β into η = β/(1−β) and the end points; a tensor on the device and in the dtype of ``like``.

    The division comes before the cast: 1 − 1e-12 in float64 would otherwise be 1 in float32. At the other end a β
    that the cast would make 0 becomes the smallest positive η, so that η = 0 means β = 0 for numbers and tensors.
    A number (0-dim) may live on another device than ``like``, as everywhere in PyTorch.
    """
    smallest = torch.finfo(like.dtype).tiny * torch.finfo(like.dtype).eps
    if not isinstance(beta, Tensor):
        # Constants, not ``beta == 1``: under torch.compile a number may be symbolic, and a comparison is no bool then.
        if beta == 1:
            return Hardness(0.0, False, True)
        return Hardness(0.0, True, False) if beta == 0 else Hardness(max(beta / (1 - beta), smallest), False, False)
    if beta.dim() == 0:
        beta = beta.to(like.device)
    if beta.dtype != torch.float64:
        beta = beta.to(like.dtype)
    eta, at_one = odds(beta)
    eta, at_zero = eta.to(like.dtype), beta == 0
    raised = torch.where(at_zero, eta, eta.clamp(min=smallest)) - eta
    return Hardness(torch.where(at_one, eta, eta + raised.detach()), at_zero, at_one)


def read_eta(beta: float | Tensor) -> tuple[float | Tensor, float, float]:
    """η = β/(1−β) of a β whose values may be read, with the smallest and the largest; ∞ where β = 1.

    A float for one number, a tensor of one number included; else a float64 tensor, with no gradient. The bounds of no
    number at all are NaN, which no comparison admits.
    """
    if isinstance(beta, Tensor) and beta.numel() != 1:
        inside = beta.detach().double()
        etas = inside / (1 - inside)
        low, high = (bound.item() for bound in etas.aminmax()) if etas.numel() else (math.nan, math.nan)
        return etas, low, high
    number = beta.item() if isinstance(beta, Tensor) else beta
    eta = number / (1 - number) if number != 1 else math.inf
    return eta, eta, eta


def odds(beta: Tensor) -> tuple[Tensor, Tensor]:
    """η = β/(1−β) with a harmless 0 (and no gradient) where β = 1, and where that is."""
    at_one = beta == 1
    inside = torch.where(at_one, 0.0, beta)
    # The quotient's derivative multiplies by β, and 0 · ∞ would make NaN of a gradient that overflows at β = 0.
    zero = inside == 0
    return torch.where(zero, 1 / (1 - inside) - 1, torch.where(zero, 0.5, inside) / (1 - inside)), at_one


def clamp_beta(beta: Tensor) -> Tensor:
    """β clamped to [0, 1], letting every gradient through that does not point outward at an end."""
    if not beta.requires_grad:
        return beta.clamp(0.0, 1.0)
    if is_exporting():  # operators alone: the whole gradient passes, lest it stop outside [0, 1]
        return beta + (beta.clamp(0.0, 1.0) - beta).detach()
    return apply(_Clamp, beta)


class _Clamp(Derived):
    """Clamp to [0, 1]; the gradient passes unless descending it would move an end point further out.

    The gradient of ``torch.clamp`` is 0 outside [0, 1] whatever its sign: a parameter that a step carried out would
    never come back.
    """

    saved = 1

    @staticmethod
    def forward(beta: Tensor) -> Tensor:
        return beta.clamp(0.0, 1.0)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (beta,), (grad,) = ctx.saved_tensors, grad_outputs
        outward = ((beta >= 1) & (grad < 0)) | ((beta <= 0) & (grad > 0))
        return torch.where(outward, 0.0, grad)

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Tensor) -> Tensor:  # noqa: ARG004
        return grad_inputs[0].clone()
