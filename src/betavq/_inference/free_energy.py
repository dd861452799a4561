r"""The free energy of checked scores, with derivatives that overflow only where the truth does.

With t the code, H(t) its entropy, m the first maximum and s = 1 − t_m,

.. math:: F = z_m + \frac{E}{η}, \quad \frac{∂F}{∂z} = t, \quad \frac{∂F}{∂η} = -\frac{H(t)}{η^2}; \qquad
          E = \log \sum_r e^{η(z_r - z_m)} \text{ or } \tfrac12 \Big(s^2 + \sum_{r≠m} t_r^2\Big)

under Shannon and under quadratic entropy.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .._numerics.autograd import Derived, apply, sum_to, times
from .selection import as_tensor, first_maximum, normalised, soft_code, weigh
from .sparsemax import quadratic_entropy, sparse_code, sparse_excess


def soft_energy(z: Tensor, eta: float | Tensor, sparse: Tensor | None, dim: int) -> Tensor:
    """F for finite η; at η = 0 it is +∞ where there is a choice, with the uniform code as gradient."""
    return apply(_FreeEnergy, z, as_tensor(eta, z), sparse, dim)


def hard_energy(z: Tensor, beta_minus_one: Tensor, *, quadratic: bool, dim: int) -> Tensor:
    """The maximum, and its one-sided derivative in β: −H of the code that k tied maxima share evenly.

    That is log k or (1 − 1/k)/2; ``beta_minus_one`` is 0 in value.
    """
    top = first_maximum(z, dim)
    ties = torch.where(top.isfinite(), (z == top).sum(dim, keepdim=True), 1).to(z.dtype)
    # Subtracted: adding 0 would turn −0 into 0.
    return top - times((1 - 1 / ties) / 2 if quadratic else ties.log(), beta_minus_one)


def _log_sum(w: Tensor, first: Tensor, dim: int) -> Tensor:
    """log Σ w as log1p of the weights beside the first maximum's 1: exact where the others are small."""
    return torch.log1p(w.scatter(dim, first, 0.0).sum(dim, keepdim=True))


def _excess(z: Tensor, eta: Tensor, sparse: Tensor | None, dim: int) -> Tensor:
    """E = η (F − z_m)."""
    if sparse is not None:
        return sparse_excess(sparse, z.argmax(dim, keepdim=True), dim)
    w, _, _, first = weigh(z, eta, dim)
    return _log_sum(w, first, dim)


def _entropy(z: Tensor, eta: Tensor, sparse: Tensor | None, dim: int) -> Tensor:
    """H(t) of the code t."""
    if sparse is not None:
        return quadratic_entropy(sparse_code(z, eta, sparse, dim), z.argmax(dim, keepdim=True), dim)
    w, u, _, first = weigh(z, eta, dim)
    return _log_sum(w, first, dim) - (normalised(w, dim) * torch.where(w == 0, 0.0, u)).sum(dim, keepdim=True)


class _FreeEnergy(Derived):
    saved = 3

    @staticmethod
    def forward(z: Tensor, eta: Tensor, sparse: Tensor | None, dim: int) -> Tensor:
        excess = _excess(z, eta, sparse, dim)
        energy = first_maximum(z, dim) + excess / torch.where(eta == 0, 1.0, eta)
        return torch.where((eta == 0) & (excess > 0), math.inf, energy)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (z, eta, sparse), (dim,) = ctx.saved_tensors, ctx.options
        (grad,) = grad_outputs
        in_z, in_eta = ctx.needs_input_grad[:2]
        return (
            grad * soft_code(z, eta, sparse, dim) if in_z else None,
            sum_to(_times_slope(grad, z, eta, sparse, dim), eta.shape) if in_eta else None,
            None,
            None,
        )

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Any) -> Tensor:
        (z, eta, sparse), (dim,) = ctx.saved_tensors, ctx.options
        z_dot, eta_dot, *_ = grad_inputs
        moved: Tensor = (z_dot * soft_code(z, eta, sparse, dim)).sum(dim, keepdim=True)
        return moved + _times_slope(eta_dot, z, eta, sparse, dim)


def _times_slope(grad: Tensor, z: Tensor, eta: Tensor, sparse: Tensor | None, dim: int) -> Tensor:
    """grad · ∂F/∂η, from left to right: a factor 0 comes before the quotients that may be ∞. 0 at η = 0 and F = ±∞."""
    counted = (eta != 0) & ~z.detach().amax(dim, keepdim=True).isinf()
    safe = torch.where(counted, eta, 1.0)
    return torch.where(counted, -(grad * _entropy(z, eta, sparse, dim)) / safe / safe, 0.0)
