r"""The library in plain formulas: what to read first, and what its tests compare the rest with.

A unit chooses among R pieces of scores z. How hard it chooses is a number β from 0 to 1, with η = β/(1−β):

.. math:: t = \arg\max_{t \in \Delta_R}\; \beta \langle t, z \rangle + (1 - \beta) H(t)
            = \mathrm{softmax}(\eta z), \quad H(t) = -\sum_r t_r \log t_r.

t is the code and ⟨t, z⟩ the unit's value. At β = 1 the code is the one-hot of the largest score and the value the
maximum; at β = ½ the code is the posterior of a Gaussian mixture; at β = 0 all pieces count the same.

Everything here is computed in float64, for finite tensors and one number β, as it is written: nothing is checked and
nothing guarded. The functions of the same names elsewhere in the library agree with these, and go on where these
stop: at infinite scores, at η that overflows, in 16 bits, for a β a channel, in the derivatives, and in speed.

Source: Balestriero & Baraniuk (2018), "From Hard to Soft", arXiv 1810.09274.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = [
    "absolute",
    "code",
    "entropy",
    "free_energy",
    "leaky_relu",
    "log_joint",
    "maso",
    "max_pool2d",
    "maxout",
    "mixture_weights",
    "relu",
    "responsibilities",
    "value",
]
__dir__ = __all__.copy


def code(scores: Tensor, beta: float, dim: int = -1) -> Tensor:
    """t = softmax(ηz); at β = 1 the one-hot of the first largest score.

    Example:
        >>> import torch
        >>> from betavq.reference import code
        >>> code(torch.tensor([0.0, 1.0, 1.0]), beta=1.0)
        tensor([0., 1., 0.], dtype=torch.float64)
    """
    z = scores.double()
    if beta == 1:
        return torch.zeros_like(z).scatter(dim, z.argmax(dim, keepdim=True), 1.0)
    return torch.softmax(beta / (1 - beta) * z, dim)


def value(scores: Tensor, beta: float, dim: int = -1) -> Tensor:
    """⟨t, z⟩: the maximum at β = 1, the mean at β = 0.

    Example:
        >>> import torch
        >>> from betavq.reference import value
        >>> value(torch.tensor([0.0, 3.0]), beta=0.0)
        tensor(1.5000, dtype=torch.float64)
    """
    return (code(scores, beta, dim) * scores.double()).sum(dim)


def entropy(code: Tensor, dim: int = -1) -> Tensor:
    """H(t) = −Σ t log t, with 0 log 0 = 0.

    Example:
        >>> import torch
        >>> from betavq.reference import entropy
        >>> entropy(torch.tensor([0.5, 0.5, 0.0]))
        tensor(0.6931)
    """
    return -torch.xlogy(code, code).sum(dim)


def free_energy(scores: Tensor, beta: float, dim: int = -1) -> Tensor:
    """log Σ exp(ηz) / η = ⟨t, z⟩ + H(t)/η for β > 0; the maximum at β = 1.

    Example:
        >>> import torch
        >>> from betavq.reference import free_energy
        >>> free_energy(torch.tensor([0.0, 0.0]), beta=0.5)
        tensor(0.6931, dtype=torch.float64)
    """
    z = scores.double()
    if beta == 1:
        return z.amax(dim)
    eta = beta / (1 - beta)
    return torch.logsumexp(eta * z, dim) / eta


# Units are named after what they are at β = 1; u is the input.


def relu(u: Tensor, beta: float) -> Tensor:
    """The value of the pieces 0 and u: u σ(ηu), known as swish.

    Example:
        >>> import torch
        >>> from betavq.reference import relu
        >>> relu(torch.tensor([-1.0, 1.0]), beta=0.5)
        tensor([-0.2689,  0.7311], dtype=torch.float64)
    """
    return value(torch.stack([0 * u, u]), beta, 0)


def leaky_relu(u: Tensor, slope: float, beta: float) -> Tensor:
    """The value of the pieces νu and u: u [ν + (1−ν) σ(η(1−ν)u)], for a slope ν ≤ 1.

    Example:
        >>> import torch
        >>> from betavq.reference import leaky_relu
        >>> leaky_relu(torch.tensor([-2.0, 2.0]), slope=0.25, beta=1.0)
        tensor([-0.5000,  2.0000], dtype=torch.float64)
    """
    return value(torch.stack([slope * u.double(), u.double()]), beta, 0)


def absolute(u: Tensor, beta: float) -> Tensor:
    """The value of the pieces −u and u: u tanh(ηu).

    Example:
        >>> import torch
        >>> from betavq.reference import absolute
        >>> absolute(torch.tensor([-2.0, 0.5]), beta=1.0)
        tensor([2.0000, 0.5000], dtype=torch.float64)
    """
    return value(torch.stack([-u, u]), beta, 0)


def maxout(u: Tensor, beta: float, dim: int = -1) -> Tensor:
    """The value of the entries along ``dim``.

    Example:
        >>> import torch
        >>> from betavq.reference import maxout
        >>> maxout(torch.tensor([[1.0, 3.0], [2.0, 2.0]]), beta=1.0)
        tensor([3., 2.], dtype=torch.float64)
    """
    return value(u, beta, dim)


def max_pool2d(u: Tensor, size: int, stride: int, beta: float) -> Tensor:
    """The value of the entries of every window of images ``(..., H, W)``.

    Example:
        >>> import torch
        >>> from betavq.reference import max_pool2d
        >>> max_pool2d(torch.arange(4.0).reshape(1, 2, 2), size=2, stride=2, beta=0.0)
        tensor([[[1.5000]]], dtype=torch.float64)
    """
    return value(u.unfold(-2, size, stride).unfold(-2, size, stride).flatten(-2), beta)


def maso(x: Tensor, slopes: Tensor, offsets: Tensor, beta: float) -> Tensor:
    """The values ``(N, K)`` of K units with scores z = ⟨A, x⟩ + B: x ``(N, D)``, A ``(K, R, D)``, B ``(K, R)``.

    Example:
        >>> import torch
        >>> from betavq.reference import maso
        >>> slopes, offsets = torch.tensor([[[1.0], [-1.0]]]), torch.zeros(1, 2)
        >>> maso(torch.tensor([[-3.0]]), slopes, offsets, beta=1.0)
        tensor([[3.]], dtype=torch.float64)
    """
    return value(torch.einsum("krd,nd->nkr", slopes.double(), x.double()) + offsets.double(), beta)


def mixture_weights(slopes: Tensor, offsets: Tensor, variance: float) -> Tensor:
    """π ∝ exp((B + ½‖A‖²)/σ²): with them, means A and variance σ² = (1−β)/β a mixture's responsibilities are codes.

    Example:
        >>> import torch
        >>> from betavq.reference import mixture_weights
        >>> slopes, offsets = torch.tensor([[[1.0], [-1.0]]]), torch.zeros(1, 2)
        >>> mixture_weights(slopes, offsets, variance=1.0)
        tensor([[0.5000, 0.5000]], dtype=torch.float64)
    """
    return torch.softmax((offsets.double() + slopes.double().square().sum(-1) / 2) / variance, -1)


def log_joint(x: Tensor, means: Tensor, weights: Tensor, variance: float | Tensor) -> Tensor:
    """log π + log N(x; μ, σ²I), ``(N, K, R)``: x ``(N, D)``, μ ``(K, R, D)``, π ``(K, R)``, σ² one or ``(R,)``.

    Example:
        >>> import torch
        >>> from betavq.reference import log_joint
        >>> log_joint(torch.zeros(1, 1), torch.zeros(1, 1, 1), torch.ones(1, 1), 1)
        tensor([[[-0.9189]]], dtype=torch.float64)
    """
    squares = (x.double()[:, None, None] - means.double()).square().sum(-1)
    spread = torch.as_tensor(variance, dtype=torch.float64)
    return weights.double().log() - squares / (2 * spread) - x.shape[1] / 2 * torch.log(2 * math.pi * spread)


def responsibilities(x: Tensor, means: Tensor, weights: Tensor, variance: float | Tensor) -> Tensor:
    """P(r | x) = π_r N(x; μ_r, σ_r²I) / Σ_s π_s N(x; μ_s, σ_s²I), ``(N, K, R)``.

    Example:
        >>> import torch
        >>> from betavq.reference import responsibilities
        >>> means, weights = torch.tensor([[[1.0], [-1.0]]]), torch.tensor([[0.5, 0.5]])
        >>> responsibilities(torch.tensor([[0.0]]), means, weights, 1.0)
        tensor([[[0.5000, 0.5000]]], dtype=torch.float64)
    """
    return torch.softmax(log_joint(x, means, weights, variance), -1)
