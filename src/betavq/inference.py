"""β-VQ inference: select among pieces by their scores, for every hardness β from 0 to 1.

One problem has three read-outs, with η = β/(1−β): the code t = softmax(ηz) that solves it, the value ⟨t, z⟩ and the
free energy log Σ exp(ηz_r) / η. They are tied by ``free_energy = value + entropy(code) / η``.

Numbers are always checked. A tensor's values are read only in plain eager mode and on the CPU, not on accelerators
nor under compile, export or ``torch.func``: a β outside [0, 1] is not noticed there, and its results mean nothing.

Source: Balestriero & Baraniuk (2018), "From Hard to Soft", arXiv 1810.09274, β-VQ inference.
"""

from __future__ import annotations

import math
from typing import overload

import torch
from torch import Tensor

from ._checks import (
    check_beta,
    check_broadcast,
    check_dim,
    check_floating,
    check_number_or_tensor,
)
from ._free_energy import hard_energy, soft_energy
from ._hardness import Hardness, compute_dtype, hardness, odds
from ._selection import first_maximum, hard_code, soft_code, soft_value

__all__ = ["beta_from_eta", "code", "eta_from_beta", "free_energy", "value"]


@overload
def eta_from_beta(beta: float) -> float: ...
@overload
def eta_from_beta(beta: Tensor) -> Tensor: ...
def eta_from_beta(beta: float | Tensor) -> float | Tensor:
    r"""Inverse temperature :math:`\eta = \beta / (1 - \beta)`: 0 at β = 0, 1 at β = ½, ∞ at β = 1.

    The swish literature calls this number "β".

    Args:
        beta: hardness in [0, 1]; a number or a floating tensor of any shape.

    Returns:
        η in [0, ∞]: a float for a number, for a tensor a tensor of its shape and dtype, differentiable (at β = 1,
        where the derivative is ∞, it is returned as 0).

    Raises:
        ValueError: ``beta`` outside [0, 1] or NaN.
        TypeError: ``beta`` not a number or floating tensor.
    """
    beta = check_beta(beta)
    if isinstance(beta, Tensor):
        eta, at_one = odds(beta)
        return torch.where(at_one, math.inf, eta)
    return math.inf if beta == 1 else beta / (1 - beta)


@overload
def beta_from_eta(eta: float) -> float: ...
@overload
def beta_from_eta(eta: Tensor) -> Tensor: ...
def beta_from_eta(eta: float | Tensor) -> float | Tensor:
    r"""Hardness :math:`\beta = \eta / (1 + \eta)`, the inverse of :func:`eta_from_beta`; 1 at η = ∞.

    Args:
        eta: inverse temperature in [0, ∞]; a number or a floating tensor of any shape.

    Returns:
        β in [0, 1]: a float for a number, for a tensor a tensor of its shape and dtype, differentiable (0 at η = ∞).

    Raises:
        ValueError: ``eta`` negative or NaN.
        TypeError: ``eta`` not a number or floating tensor.
    """
    eta = check_number_or_tensor("eta", eta, 0.0, math.inf, "in [0, inf]")
    if isinstance(eta, Tensor):
        # The quotient's derivative is a difference, of which nothing is left where η is large.
        large = eta > 1
        small = torch.where(large, 0.0, eta)
        return torch.where(large, 1 - 1 / (1 + torch.where(large, eta, 1.0)), small / (1 + small))
    return 1.0 if math.isinf(eta) else eta / (1 + eta)


def code(scores: Tensor, beta: float | Tensor, dim: int = -1) -> Tensor:
    r"""Select among pieces: the β-VQ code.

    Solves, along ``dim``, the entropy-regularised selection problem

    .. math:: t = \arg\max_{t \in \Delta_R}\; \beta \langle t, z \rangle + (1 - \beta) H(t)
                = \mathrm{softmax}(\eta z), \qquad \eta = \beta / (1 - \beta):

    the one-hot of the first largest score at β = 1, responsibilities at β = ½, uniform at β = 0.

    A score of −∞ excludes its piece at every β. Where scores are +∞ they share the code equally for 0 < β < 1.
    Where every piece is excluded nothing can be selected and the code is 0. At β = 1 the derivatives are 0.

    Args:
        scores: piece values z, ``(..., R, ...)``; float16, bfloat16, float32 or float64.
        beta: hardness in [0, 1]; a float, or a tensor that broadcasts against the scores without ``dim``.
        dim: the dimension of size R ≥ 1.

    Returns:
        Shape of ``scores`` (broadcast with ``beta``) and its dtype; non-negative, sums to 1 along ``dim``.

    Raises:
        ValueError: ``beta`` outside [0, 1], NaN or of a shape that does not broadcast; no such ``dim``, or R = 0.
        TypeError: ``scores`` not a floating tensor, ``beta`` not a number or floating tensor.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ inference.
    """
    z, _, (eta, _, at_one), dim = _prepare(scores, beta, dim)
    if at_one is True:
        return hard_code(z, dim).to(scores.dtype)
    t = soft_code(z, eta, dim)
    if isinstance(at_one, Tensor):
        t = torch.where(at_one, hard_code(z, dim), t)
    return t.to(scores.dtype)


def value(scores: Tensor, beta: float | Tensor, dim: int = -1) -> Tensor:
    r"""Read the value out of the β-VQ code: :math:`\langle t, z \rangle = \sum_r t_r z_r`.

    The maximum at β = 1, the softmax-weighted mean at β = ½, the mean at β = 0. Never above the maximum, and below
    it by at most :math:`W((R-1)/e)/\eta` with W Lambert's function. With t the :func:`code`,

    .. math:: \partial v / \partial z_r = t_r \, (1 + \eta (z_r - v)), \qquad
              \partial v / \partial \beta = \mathrm{Var}_t(z) / (1 - \beta)^2;

    at β = 1 the first is the code (the first maximum takes all), the second 0, which is its limit where the maximum
    is unique and the one-sided derivative where it is not.

    Excluded pieces (score −∞) do not count at any β. The value is +∞ where a score is, and −∞ where every piece is
    excluded; infinite scores pass the code on as gradient and nothing to ``beta``.

    Args:
        scores: piece values z, ``(..., R, ...)``; float16, bfloat16, float32 or float64.
        beta: hardness in [0, 1]; a float, or a tensor that broadcasts against the scores without ``dim``.
        dim: the dimension of size R ≥ 1.

    Returns:
        Shape of ``scores`` without ``dim`` (broadcast with ``beta``) and its dtype.

    Raises:
        ValueError: ``beta`` outside [0, 1], NaN or of a shape that does not broadcast; no such ``dim``, or R = 0.
        TypeError: ``scores`` not a floating tensor, ``beta`` not a number or floating tensor.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ inference.
    """
    z, _, (eta, _, at_one), dim = _prepare(scores, beta, dim)
    if at_one is True:
        return first_maximum(z, dim).squeeze(dim).to(scores.dtype)
    v = soft_value(z, eta, dim)
    if isinstance(at_one, Tensor):
        v = torch.where(at_one, first_maximum(z, dim), v)
    return v.squeeze(dim).to(scores.dtype)


def free_energy(scores: Tensor, beta: float | Tensor, dim: int = -1) -> Tensor:
    r"""The log-partition, optimal value of the β-VQ problem in units of the score:

    .. math:: F = \max_{t \in \Delta_R} \langle t, z \rangle + \tfrac{1}{\eta} H(t)
                = \tfrac{1}{\eta} \log \sum_r e^{\eta z_r}, \qquad \eta = \beta / (1 - \beta).

    The maximum at β = 1; +∞ at β = 0 unless a single piece is admissible, whose score it then is. Never below the
    maximum. Its gradient in the scores is the :func:`code`, and that in β is −H(t)/β²: −log k at β = 1 where k maxima
    are tied, and at β = 0, where it is −∞, returned as 0.

    Excluded pieces (score −∞) do not count at any β. F is +∞ where a score is, and −∞ where every piece is excluded.

    Args:
        scores: piece values z, ``(..., R, ...)``; float16, bfloat16, float32 or float64.
        beta: hardness in [0, 1]; a float, or a tensor that broadcasts against the scores without ``dim``.
        dim: the dimension of size R ≥ 1.

    Returns:
        Shape of ``scores`` without ``dim`` (broadcast with ``beta``) and its dtype.

    Raises:
        ValueError: ``beta`` outside [0, 1], NaN or of a shape that does not broadcast; no such ``dim``, or R = 0.
        TypeError: ``scores`` not a floating tensor, ``beta`` not a number or floating tensor.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ inference; the log-partition of its mixture.
    """
    z, beta, (eta, _, at_one), dim = _prepare(scores, beta, dim)
    if at_one is True:
        return first_maximum(z, dim).squeeze(dim).to(scores.dtype)
    energy = soft_energy(z, eta, dim)
    if isinstance(beta, Tensor) and isinstance(at_one, Tensor):
        beta_minus_one = torch.where(at_one, beta - 1, 0.0).to(z)
        energy = torch.where(at_one, hard_energy(z, beta_minus_one, dim), energy)
    return energy.squeeze(dim).to(scores.dtype)


def _prepare(scores: Tensor, beta: float | Tensor, dim: int) -> tuple[Tensor, float | Tensor, Hardness, int]:
    """Check; return scores in the dtype to compute in, β aligned with them, its split, and ``dim`` from the end."""
    check_floating("scores", scores)
    beta = check_beta(beta)
    dim = check_dim(scores, dim)
    z = scores.to(compute_dtype(scores))
    if isinstance(beta, Tensor):
        rows = scores.shape[:dim] + scores.shape[scores.dim() + dim + 1 :]
        check_broadcast("beta", beta, rows, "the shape of scores without dim")
        if beta.dim() > -dim - 1:  # it reaches past ``dim``: give it a dimension of size 1 there
            beta = beta.unsqueeze(dim)
        z = torch.broadcast_tensors(z, beta)[0]  # type: ignore[no-untyped-call]
    return z, beta, hardness(beta, z), dim
