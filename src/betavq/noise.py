r"""Selection by chance: two pieces whose scores are compared under noise, as expected code, value and maximum.

The second of two scores :math:`(z_1, z_2)` is disturbed by ε, the larger one is selected, and the mean over ε is
taken: :func:`code`, :func:`value` and :func:`maximum` under one of :data:`NOISES`, which a :data:`Noise` names. Which
noise decides which nonlinearity comes out. For the ReLU's pieces (0, u), with scale s:

=================  ============================  ==============================  ===============================
noise              ε                             code: P(u + ε > 0)              value: u P(u + ε > 0)
=================  ============================  ==============================  ===============================
``"logistic"``     mean 0, P(ε > v) = σ(−v/s)    σ(u/s)                          swish; SiLU at s = 1
``"uniform"``      on [−s, s]                    clip(½ + u/2s, 0, 1)            hard-swish at s = 3
``"gaussian"``     mean 0, standard deviation s  Φ(u/s)                          GELU at s = 1
``"exponential"``  positive, mean s              exp(u/s) for u < 0, else 1      u exp(u/s) for u < 0, else u
``"lomax"``        density s/2(s + \|ε\|)²       ½ + u/2(s + \|u\|)              u/2 + u²/2(s + \|u\|)
=================  ============================  ==============================  ===============================

Read out with constants (−1, 1), Lomax noise gives softsign and logistic noise tanh(u/2s). The expected maximum is
softplus for logistic and ELU + 1 for exponential noise. Logistic noise is :mod:`betavq.inference` with Shannon's
entropy (it is the difference of Gumbel noise on either score), uniform noise is its quadratic entropy; η = 1/s.

What holds for all three functions:

* Scores of float16, bfloat16, float32 or float64; the 16-bit floats are computed in float32.
* The scale is in units of the scores: a number from 0 to ∞, or a tensor of them (a gradient flows to it). At 0 the
  larger score is selected, the first of two equal ones; at ∞ finite scores no longer count.
* A score of −∞ excludes its piece at every scale, +∞ beats every finite score; two of +∞ are a tie. Where both pieces
  are excluded the code is 0. No gradient is NaN unless a score is.
* Numbers are always checked; a tensor's values are read only in plain eager mode and on the CPU, as everywhere in the
  library: a negative scale is not noticed elsewhere.

Source: expected selection under noise: McFadden (1974), "Conditional logit analysis of qualitative choice behavior";
GELU: Hendrycks & Gimpel (2016), arXiv 1606.08415; ELU: Clevert, Unterthiner & Hochreiter (2016), arXiv 1511.07289.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from ._noise import expected_maximum, shares
from ._numerics.checks import check_broadcast, check_dim, check_floating, check_number_or_tensor
from ._numerics.dtypes import compute_dtype
from ._numerics.tracing import Proxy, function_step

__all__ = ["NOISES", "Noise", "code", "maximum", "value"]
__dir__ = __all__.copy

#: How a noise is named.
Noise = Literal["logistic", "uniform", "gaussian", "exponential", "lomax"]
#: The names of all noises.
NOISES: tuple[Noise, ...] = get_args(Noise)


def code(scores: Tensor, noise: Noise, scale: float | Tensor = 1.0, dim: int = -1) -> Tensor:
    r"""Expected hard code of two pieces: the probabilities that each is selected.

    .. math:: t = \mathbb E\, \text{one-hot} \arg\max (z_1, z_2 + ε), \qquad t_2 = P(z_2 - z_1 + ε > 0)

    Each share keeps its digits when it is small. At scale 0 it is the one-hot of the first largest score, and its
    derivatives are 0 (that in the scale of Lomax noise is one-sided, ∓1/(2\|z_2 − z_1\|)). Uniform noise has kinks at
    \|z_2 − z_1\| = s and exponential noise at z_1 = z_2; the slope there is that of the outer side, as in
    ``F.hardsigmoid``.

    Args:
        scores: piece values z, ``(..., 2, ...)``; float16, bfloat16, float32 or float64.
        noise: one of ``NOISES``.
        scale: s ≥ 0; a number, or a tensor that broadcasts against the scores without ``dim``.
        dim: the dimension of the two pieces.

    Returns:
        Shape of ``scores`` (broadcast with ``scale``) and its dtype; non-negative, sums to 1 along ``dim``.

    Raises:
        ValueError: no such ``noise`` or ``dim``, not two pieces; ``scale`` negative, NaN or of a shape that does not
            broadcast.
        TypeError: ``scores`` not a floating tensor, ``scale`` not a number or floating tensor.

    Example:
        >>> import torch
        >>> from betavq import noise
        >>> scores = torch.tensor([0.0, 1.0])
        >>> for name in noise.NOISES:
        ...     print(f"{name:12}{noise.code(scores, name)[1]:.4f}")
        logistic    0.7311
        uniform     1.0000
        gaussian    0.8413
        exponential 1.0000
        lomax       0.7500
    """
    if isinstance(scores, Proxy):
        return function_step(code, scores, noise, scale, dim)
    first, second, width, dim = _prepare(scores, noise, scale, dim)
    return torch.stack(shares(first, second, width, noise), dim).to(scores.dtype)


def value(
    scores: Tensor,
    noise: Noise,
    scale: float | Tensor = 1.0,
    dim: int = -1,
    *,
    readout: Tensor | None = None,
) -> Tensor:
    r"""Read a value out of the :func:`code` t: :math:`t_1 r_1 + t_2 r_2`, by default of the scores without noise.

    GELU is ``value(torch.stack((0 * u, u), -1), "gaussian")``. A piece that has no share does not count, whatever
    its read-out; where both pieces are excluded the result is 0, or −∞ if the scores are read out. Infinite read-outs
    pass nothing on to ``scores`` and ``scale``.

    Args:
        scores: piece values z, ``(..., 2, ...)``; float16, bfloat16, float32 or float64.
        noise: one of ``NOISES``.
        scale: s ≥ 0; a number, or a tensor that broadcasts against the scores without ``dim``.
        dim: the dimension of the two pieces.
        readout: r, a floating tensor that broadcasts against the scores; the scores themselves by default.

    Returns:
        Shape of ``scores`` without ``dim`` (broadcast with ``scale`` and ``readout``) and its dtype.

    Raises:
        ValueError, TypeError: as :func:`code`; a ``readout`` that is no floating tensor or does not broadcast.

    Example:
        >>> import torch
        >>> import torch.nn.functional as F
        >>> from betavq import noise
        >>> u = torch.linspace(-4, 4, 9)
        >>> pieces = torch.stack((0 * u, u), -1)
        >>> torch.allclose(noise.value(pieces, "gaussian"), F.gelu(u), atol=1e-6)
        True
        >>> torch.allclose(noise.value(pieces, "uniform", 3.0), F.hardswish(u), atol=1e-6)
        True
    """
    if isinstance(scores, Proxy):
        return function_step(value, scores, noise, scale, dim, readout=readout)
    first, second, width, dim = _prepare(scores, noise, scale, dim)
    pieces = (first, second)
    if readout is not None:
        check_floating("readout", readout)
        check_broadcast("readout", readout, scores.shape, "scores")
        pieces = _both(readout.to(first.dtype), dim)
    first_share, second_share = shares(first, second, width, noise)
    v = _weighted(first_share, pieces[0]) + _weighted(second_share, pieces[1])
    if readout is None:
        v = torch.where((first == -math.inf) & (second == -math.inf), -math.inf, v)
    return v.to(scores.dtype)


def maximum(scores: Tensor, noise: Noise, scale: float | Tensor = 1.0, dim: int = -1) -> Tensor:
    r"""Expected maximum of two pieces: :math:`\mathbb E \max(z_1, z_2 + ε)`, the free energy of the noise.

    With x = (z_2 − z_1)/s it is z_1 plus

    ============  ===========================================================================
    logistic      s log(1 + e^x), softplus
    uniform       s (1 + x)²/4 for \|x\| ≤ 1, else (x)⁺ s
    gaussian      s (x Φ(x) + φ(x))
    exponential   s e^x for x < 0, else s (1 + x): s times ELU(x) + 1
    lomax         ∞, for its mean distance from 0 is infinite
    ============  ===========================================================================

    Its gradient in the scores is the :func:`code`. That in the scale is one-sided at 0: 0 but for ties, and for
    exponential noise where the second piece leads, 1. Where the result is infinite, nothing goes to the scale.
    At scale 0 it is the larger score, and never below that.

    Args:
        scores: piece values z, ``(..., 2, ...)``; float16, bfloat16, float32 or float64.
        noise: one of ``NOISES``.
        scale: s ≥ 0; a number, or a tensor that broadcasts against the scores without ``dim``.
        dim: the dimension of the two pieces.

    Returns:
        Shape of ``scores`` without ``dim`` (broadcast with ``scale``) and its dtype; −∞ where both are excluded.

    Raises:
        ValueError, TypeError: as :func:`code`.

    Example:
        >>> import torch
        >>> import torch.nn.functional as F
        >>> from betavq import noise
        >>> u = torch.linspace(-4, 4, 9)
        >>> pieces = torch.stack((0 * u, u), -1)
        >>> torch.allclose(noise.maximum(pieces, "logistic"), F.softplus(u), atol=1e-6)
        True
        >>> torch.allclose(noise.maximum(pieces, "exponential"), F.elu(u) + 1)
        True
    """
    if isinstance(scores, Proxy):
        return function_step(maximum, scores, noise, scale, dim)
    first, second, width, _ = _prepare(scores, noise, scale, dim)
    return expected_maximum(first, second, width, noise).to(scores.dtype)


def _prepare(scores: Tensor, noise: Noise, scale: float | Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor, int]:
    """Check; return both scores and the scale in one shape and the dtype to compute in, and ``dim`` from the end."""
    check_floating("scores", scores)
    if noise not in NOISES:
        raise ValueError(f"noise must be one of {', '.join(NOISES)}, got {noise!r}")
    scale = check_number_or_tensor("scale", scale, 0.0, math.inf, "at least 0")
    dim = check_dim(scores, dim)
    if scores.shape[dim] != 2:
        raise ValueError(f"scores must have two pieces along dim={dim}, got shape {tuple(scores.shape)}")
    z = scores.to(compute_dtype(scores))
    first, second = z.unbind(dim)
    if isinstance(scale, Tensor):
        check_broadcast("scale", scale, first.shape, "the shape of scores without dim")
        width = scale.to(z) if scale.dim() == 0 else scale.to(z.dtype)
    else:
        width = torch.full((), scale, dtype=z.dtype, device=z.device)
    return first, second, width, dim


def _both(readout: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The read-out of each piece; they share it where it does not reach ``dim``, or has one entry there."""
    if readout.dim() < -dim:
        return readout, readout
    pieces = readout.unbind(dim)
    return pieces[0], pieces[-1]


def _weighted(share: Tensor, readout: Tensor) -> Tensor:
    """Their product, 0 where the share is; an infinite read-out tells the share nothing, for ∞ − ∞ would be NaN."""
    finite = torch.isfinite(readout)
    product = share * torch.where(finite, readout, 0.0)
    return product + torch.where(finite | (share == 0), 0.0, share.detach() * readout)
