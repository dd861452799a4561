r"""The free energy of checked scores, with derivatives that overflow only where the truth does.

With t the code, H(t) its entropy and m the first maximum,

.. math:: F = z_m + \frac{1}{η} \log \sum_r e^{η(z_r - z_m)}, \quad
          \frac{∂F}{∂z} = t, \quad \frac{∂F}{∂η} = -\frac{H(t)}{η^2}.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ._autograd import apply, sum_to, times
from ._selection import as_tensor, first_maximum, normalised, soft_code, weigh


def soft_energy(z: Tensor, eta: float | Tensor, dim: int) -> Tensor:
    """F for finite η; at η = 0 it is +∞ where there is a choice, with the uniform code as gradient."""
    return apply(_FreeEnergy, _FreeEnergyWithJvp, z, as_tensor(eta, z), dim)


def hard_energy(z: Tensor, beta_minus_one: Tensor, dim: int) -> Tensor:
    """The maximum, and the one-sided derivative −log k in β for k tied maxima; ``beta_minus_one`` is 0 in value."""
    top = first_maximum(z, dim)
    ties = torch.where(top.isfinite(), (z == top).sum(dim, keepdim=True), 1).to(z.dtype)
    # Subtracted: adding 0 would turn −0 into 0.
    return top - times(ties.log(), beta_minus_one)


def _log_sum(w: Tensor, first: Tensor, dim: int) -> Tensor:
    """log Σ w as log1p of the weights beside the first maximum's 1: exact where the others are small."""
    return torch.log1p(w.scatter(dim, first, 0.0).sum(dim, keepdim=True))


class _FreeEnergy(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, eta: Tensor, dim: int) -> Tensor:
        w, _, _, first = weigh(z, eta, dim)
        log_sum = _log_sum(w, first, dim)
        energy = first_maximum(z, dim) + log_sum / torch.where(eta == 0, 1.0, eta)
        return torch.where((eta == 0) & (log_sum > 0), math.inf, energy)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: Tensor) -> None:  # noqa: ARG004
        z, eta, ctx.dim = inputs
        ctx.save_for_backward(z, eta)
        ctx.save_for_forward(z, eta)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        z, eta = ctx.saved_tensors
        (grad,) = grad_outputs
        in_z, in_eta = ctx.needs_input_grad[:2]
        return (
            grad * soft_code(z, eta, ctx.dim) if in_z else None,
            sum_to(_times_slope(grad, z, eta, ctx.dim), eta.shape) if in_eta else None,
            None,
        )


class _FreeEnergyWithJvp(_FreeEnergy):
    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Tensor:
        z, eta = ctx.saved_tensors
        z_dot, eta_dot, _ = grad_inputs
        moved: Tensor = (z_dot * soft_code(z, eta, ctx.dim)).sum(ctx.dim, keepdim=True)
        return moved + _times_slope(eta_dot, z, eta, ctx.dim)


def _times_slope(grad: Tensor, z: Tensor, eta: Tensor, dim: int) -> Tensor:
    """grad · ∂F/∂η, from left to right: a factor 0 comes before the quotients that may be ∞. 0 at η = 0 and F = ±∞."""
    w, u, _, first = weigh(z, eta, dim)
    entropy = _log_sum(w, first, dim) - (normalised(w, dim) * torch.where(w == 0, 0.0, u)).sum(dim, keepdim=True)
    counted = (eta != 0) & ~torch.isinf(z.gather(dim, first))
    safe = torch.where(counted, eta, 1.0)
    return torch.where(counted, -(grad * entropy) / safe / safe, 0.0)
