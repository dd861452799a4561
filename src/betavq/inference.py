"""β-VQ inference: select among pieces by their scores, for every hardness β from 0 to 1.

One problem has three read-outs, with η = β/(1−β) (:func:`eta_from_beta`, :func:`beta_from_eta`): the :func:`code` t
that solves max ⟨t, z⟩ + H(t)/η over the simplex, the :func:`value` ⟨t, z⟩ and the :func:`free_energy`, which is the
maximum. They are tied by ``free_energy = value + entropy(code) / η``.

The entropy H is a choice. Shannon's, −Σ t log t, makes the code softmax(ηz): every piece has a share at every β < 1.
The quadratic one, (1 − ‖t‖²)/2, makes it sparsemax(ηz): pieces that lie far enough below the best have none.

Numbers are always checked. A tensor's values are read only in plain eager mode and on the CPU, not on accelerators
nor under compile, export or ``torch.func``: a β outside [0, 1] is not noticed there, and its results mean nothing.
A NaN among the scores of a unit makes all it puts out NaN, as in ``torch.max`` and ``torch.softmax``.

Sources: Balestriero & Baraniuk (2018), "From Hard to Soft", arXiv 1810.09274, β-VQ inference; Martins & Astudillo
(2016), "From Softmax to Sparsemax", arXiv 1602.02068.
"""

from __future__ import annotations

import math
from typing import overload

import torch
from torch import Tensor

from ._inference.arguments import Entropy, check_readout, is_quadratic, prepare
from ._inference.direct import soft_code, soft_energy, soft_value
from ._inference.free_energy import hard_energy
from ._inference.selection import first_maximum, hard_code, read_out
from ._inference.sparsemax import find_sparse_code
from ._numerics.checks import check_beta, check_number_or_tensor
from ._numerics.hardness import Hardness, odds
from ._numerics.tracing import Proxy, function_step

__all__ = ["beta_from_eta", "code", "eta_from_beta", "free_energy", "value"]
__dir__ = __all__.copy


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
        η in [0, ∞], a float for a number, for a tensor a tensor of its shape and dtype, differentiable (at β = 1,
        where the derivative is ∞, it is returned as 0).

    Raises:
        ValueError: ``beta`` outside [0, 1] or NaN.
        TypeError: ``beta`` not a number or floating tensor.

    Example:
        >>> import betavq
        >>> [betavq.eta_from_beta(beta) for beta in (0.0, 0.5, 0.75, 1.0)]
        [0.0, 1.0, 3.0, inf]
    """
    if isinstance(beta, Proxy):
        return function_step(eta_from_beta, beta)
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
        β in [0, 1], a float for a number, for a tensor a tensor of its shape and dtype, differentiable (0 at η = ∞).

    Raises:
        ValueError: ``eta`` negative or NaN.
        TypeError: ``eta`` not a number or floating tensor.

    Example:
        >>> import betavq
        >>> [betavq.beta_from_eta(eta) for eta in (0.0, 1.0, 3.0, float("inf"))]
        [0.0, 0.5, 0.75, 1.0]
    """
    if isinstance(eta, Proxy):
        return function_step(beta_from_eta, eta)
    eta = check_number_or_tensor("eta", eta, 0.0, math.inf, "in [0, inf]")
    if isinstance(eta, Tensor):
        # The quotient's derivative is a difference, of which nothing is left where η is large.
        large = eta > 1
        small = torch.where(large, 0.0, eta)
        return torch.where(large, 1 - 1 / (1 + torch.where(large, eta, 1.0)), small / (1 + small))
    return 1.0 if math.isinf(eta) else eta / (1 + eta)


def code(scores: Tensor, beta: float | Tensor, dim: int = -1, *, entropy: Entropy = "shannon") -> Tensor:
    r"""Select among pieces: the β-VQ code.

    Solves, along ``dim``, the entropy-regularised selection problem

    .. math:: t = \arg\max_{t \in \Delta_R}\; \beta \langle t, z \rangle + (1 - \beta) H(t), \qquad
              \eta = \beta / (1 - \beta):

    * ``"shannon"``, :math:`H = -\sum_r t_r \log t_r`: :math:`t = \mathrm{softmax}(\eta z)`;
    * ``"quadratic"``, :math:`H = \frac12 (1 - \|t\|^2)`: :math:`t = \mathrm{sparsemax}(\eta z)`, the point of the
      simplex closest to :math:`\eta z`; of two pieces the second has the share
      :math:`\mathrm{clip}(\frac12 + \frac\eta2 (z_2 - z_1), 0, 1)`.

    Under both it is the one-hot of the first largest score at β = 1 and uniform at β = 0. Its derivative in η is
    :math:`t_r (z_r - \langle t, z \rangle)` or, under the quadratic entropy, :math:`z_r - \bar z` for the pieces that
    have a share, with :math:`\bar z` the mean of their scores. That code has a kink where a piece comes to have a
    share; the derivative there is that of the side on which it has none.

    A score of −∞ excludes its piece at every β. Where scores are +∞ they share the code equally for 0 < β < 1.
    Where every piece is excluded nothing can be selected and the code is 0. At β = 1 the derivatives are 0.

    Args:
        scores: piece values z, ``(..., R, ...)``; float16, bfloat16, float32 or float64.
        beta: hardness in [0, 1]; a float, or a tensor that broadcasts against the scores without ``dim``.
        dim: the dimension of size R ≥ 1.
        entropy: H, ``"shannon"`` or ``"quadratic"``.

    Returns:
        Shape of ``scores`` (broadcast with ``beta``) and its dtype; non-negative, sums to 1 along ``dim``.

    Raises:
        ValueError: ``beta`` outside [0, 1], NaN or of a shape that does not broadcast; no such ``dim``, or R = 0;
            another ``entropy``.
        TypeError: ``scores`` not a floating tensor, ``beta`` not a number or floating tensor.

    Sources: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ inference; Martins & Astudillo (2016),
    arXiv 1602.02068, sparsemax.

    Example:
        >>> import torch
        >>> import betavq
        >>> scores = torch.tensor([0.0, 1.0, 3.0])
        >>> betavq.code(scores, beta=0.5)  # the softmax
        tensor([0.0420, 0.1142, 0.8438])
        >>> betavq.code(scores, beta=1.0)  # one-hot
        tensor([0., 0., 1.])
        >>> betavq.code(scores, beta=0.25, entropy="quadratic")  # sparsemax
        tensor([0.0000, 0.1667, 0.8333])
    """
    if isinstance(scores, Proxy):
        return function_step(code, scores, beta, dim, entropy=entropy)
    z, _, split, dim = prepare(scores, beta, dim)
    return _code(z, split, is_quadratic(entropy), dim).to(scores.dtype)


def value(
    scores: Tensor,
    beta: float | Tensor,
    dim: int = -1,
    *,
    readout: Tensor | None = None,
    entropy: Entropy = "shannon",
) -> Tensor:
    r"""Read a value out of the β-VQ code: :math:`\langle t, z \rangle = \sum_r t_r z_r`, or another read-out.

    The maximum of the scores at β = 1, their mean at β = 0; under Shannon entropy the softmax-weighted mean at β = ½.
    Never above the maximum, and below it by at most :math:`W((R-1)/e)/\eta` with W Lambert's function or, under the
    quadratic entropy, by :math:`(1 - 1/R)/(4\eta)`. With t the :func:`code`,

    .. math:: \frac{\partial v}{\partial z} = t + \eta \frac{\partial t}{\partial \eta}, \qquad
              \frac{\partial v}{\partial \beta} = \frac{1}{(1 - \beta)^2}
              \Big\langle \frac{\partial t}{\partial \eta}, z \Big\rangle;

    at β = 1 the first is the code (the first maximum takes all), the second 0, which is its limit where the maximum
    is unique and the one-sided derivative where it is not.

    Excluded pieces (score −∞) do not count at any β. The value is +∞ where a score is, and −∞ where every piece is
    excluded; infinite scores pass the code on as gradient and nothing to ``beta``.

    A ``readout`` c is averaged in place of the scores, :math:`\langle t, c \rangle`: two constants make a sigmoid or a
    tanh, values along another dimension the answer to a query of attention. A piece that has no share in the code
    does not count, whatever its read-out; where every piece is excluded the result is 0. Infinite read-outs pass
    nothing on to ``scores`` and ``beta``.

    Args:
        scores: piece values z, ``(..., R, ...)``; float16, bfloat16, float32 or float64.
        beta: hardness in [0, 1]; a float, or a tensor that broadcasts against the scores without ``dim``.
        dim: the dimension of size R ≥ 1.
        readout: c, a floating tensor that broadcasts against the scores; the scores themselves unless given.
        entropy: H, ``"shannon"`` or ``"quadratic"``, as in :func:`code`.

    Returns:
        Shape of ``scores`` (broadcast with ``beta`` and ``readout``) without ``dim``, and the dtype of ``scores``.

    Raises:
        ValueError: ``beta`` outside [0, 1], NaN or of a shape that does not broadcast; ``readout`` of such a shape; no
            such ``dim``, or R = 0; another ``entropy``.
        TypeError: ``scores`` or ``readout`` not a floating tensor, ``beta`` not a number or floating tensor.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ inference.

    Example:
        >>> import torch
        >>> import torch.nn.functional as F
        >>> import betavq
        >>> u = torch.linspace(-3, 3, 7)
        >>> pieces = torch.stack((0 * u, u), -1)  # those of the ReLU
        >>> torch.equal(betavq.value(pieces, beta=1.0), torch.relu(u))
        True
        >>> torch.allclose(betavq.value(pieces, beta=0.5), F.silu(u))
        True
    """
    if isinstance(scores, Proxy):
        return function_step(value, scores, beta, dim, readout=readout, entropy=entropy)
    z, _, split, dim = prepare(scores, beta, dim)
    quadratic = is_quadratic(entropy)
    if readout is not None:
        check_readout(readout, z, dim)
        t = _code(z, split, quadratic, dim)
        return read_out(t, readout.to(z.dtype), dim).squeeze(dim).to(scores.dtype)
    eta, _, at_one = split
    if at_one is True:
        return first_maximum(z, dim).squeeze(dim).to(scores.dtype)
    v = soft_value(z, eta, find_sparse_code(z, eta, dim) if quadratic else None, dim)
    if isinstance(at_one, Tensor):
        v = torch.where(at_one, first_maximum(z, dim), v)
    return v.squeeze(dim).to(scores.dtype)


def free_energy(scores: Tensor, beta: float | Tensor, dim: int = -1, *, entropy: Entropy = "shannon") -> Tensor:
    r"""The optimal value of the β-VQ problem in units of the score, which is the problem's own divided by β:

    .. math:: F = \max_{t \in \Delta_R} \langle t, z \rangle + \tfrac{1}{\eta} H(t), \qquad
              \eta = \beta / (1 - \beta).

    Under Shannon entropy it is the log-partition :math:`\frac1\eta \log \sum_r e^{\eta z_r}`; under the quadratic one
    a maximum with its corners rounded by parabolas, which is the maximum itself where one score exceeds the others by
    :math:`1/\eta`.

    The maximum at β = 1; +∞ at β = 0 unless a single piece is admissible, whose score it then is. Never below the
    maximum. Its gradient in the scores is the :func:`code`, and that in β is −H(t)/β²: −log k or, under the quadratic
    entropy, −(1 − 1/k)/2 at β = 1 where k maxima are tied, and at β = 0, where it is −∞, returned as 0.

    Excluded pieces (score −∞) do not count at any β. F is +∞ where a score is, and −∞ where every piece is excluded.

    Args:
        scores: piece values z, ``(..., R, ...)``; float16, bfloat16, float32 or float64.
        beta: hardness in [0, 1]; a float, or a tensor that broadcasts against the scores without ``dim``.
        dim: the dimension of size R ≥ 1.
        entropy: H, ``"shannon"`` or ``"quadratic"``, as in :func:`code`.

    Returns:
        Shape of ``scores`` without ``dim`` (broadcast with ``beta``) and its dtype.

    Raises:
        ValueError: ``beta`` outside [0, 1], NaN or of a shape that does not broadcast; no such ``dim``, or R = 0;
            another ``entropy``.
        TypeError: ``scores`` not a floating tensor, ``beta`` not a number or floating tensor.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ inference; the log-partition of its mixture.

    Example:
        >>> import torch
        >>> import betavq
        >>> scores = torch.tensor([0.0, 1.0, 3.0])
        >>> torch.allclose(betavq.free_energy(scores, beta=0.5), scores.logsumexp(0))
        True
        >>> betavq.free_energy(scores, beta=torch.tensor([0.25, 0.5, 1.0]))
        tensor([4.8959, 3.1698, 3.0000])
    """
    if isinstance(scores, Proxy):
        return function_step(free_energy, scores, beta, dim, entropy=entropy)
    z, beta, (eta, _, at_one), dim = prepare(scores, beta, dim)
    quadratic = is_quadratic(entropy)
    if at_one is True:
        return first_maximum(z, dim).squeeze(dim).to(scores.dtype)
    energy = soft_energy(z, eta, find_sparse_code(z, eta, dim) if quadratic else None, dim)
    if isinstance(beta, Tensor) and isinstance(at_one, Tensor):
        beta_minus_one = torch.where(at_one, beta - 1, 0.0).to(z)
        energy = torch.where(at_one, hard_energy(z, beta_minus_one, quadratic=quadratic, dim=dim), energy)
    return energy.squeeze(dim).to(scores.dtype)


def _code(z: Tensor, split: Hardness, quadratic: bool, dim: int) -> Tensor:
    """The code of what :func:`prepare` returns."""
    eta, _, at_one = split
    if at_one is True:
        return hard_code(z, dim)
    t = soft_code(z, eta, find_sparse_code(z, eta, dim) if quadratic else None, dim)
    return torch.where(at_one, hard_code(z, dim), t) if isinstance(at_one, Tensor) else t
