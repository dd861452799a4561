"""How undecided units are: the normalised entropies of their codes, and what they put out at a β."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .._torch.hard_units import Kinks, Maxima, Units
from ..inference import code


def entropy_of(units: Units, scores: Tensor, beta: float | Tensor) -> Tensor:
    """The normalised entropies ``(N, K)`` of units at a β that broadcasts against what they put out."""
    hardness = torch.as_tensor(beta, dtype=scores.dtype).detach()
    if bool((hardness == 1).all()):
        return scores.new_zeros(len(scores), math.prod(units.out_shape))
    if hardness.numel() > 1:
        hardness = hardness.expand(len(scores), *units.out_shape).flatten(1)
    if isinstance(units, Maxima):
        return soft_maxima(units, scores, hardness)[1]
    codes = code(torch.stack((torch.zeros_like(scores), _gap(units, scores)), -1), hardness)
    entropy: Tensor = torch.special.entr(codes).sum(-1) / math.log(2)
    return entropy


def soft_maxima(units: Maxima, scores: Tensor, beta: float | Tensor) -> tuple[Tensor, Tensor]:
    """The values of softened units, and their normalised entropies."""
    pieces, number = units.seen(scores, -torch.inf), (units.windows >= 0).sum(1)
    codes = code(pieces, beta)
    entropy = torch.special.entr(codes).sum(-1) / number.double().log().clamp(min=torch.finfo(torch.float64).tiny)
    value = (codes * pieces.masked_fill(codes == 0, 0.0)).sum(-1)
    return value, torch.where(number > 1, entropy, 0.0)


def soft_kinks(units: Kinks, scores: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """The same for units of two pieces, in fewer passes: a code of two is (σ(−ηg), σ(ηg)), g its gap."""
    gap = _gap(units, scores)
    if beta == 1:
        second = (gap > 0).to(gap.dtype)
        first = 1 - second
    else:
        exponent = beta / (1 - beta) * gap
        first, second = torch.sigmoid(-exponent), torch.sigmoid(exponent)
    low, high = (slope * scores + constant for slope, constant in zip(units.slopes, units.constants, strict=True))
    return first * low + second * high, (torch.special.entr(first) + torch.special.entr(second)) / math.log(2)


def _gap(units: Kinks, scores: Tensor) -> Tensor:
    """By how much the second of two pieces is worth more than the first."""
    apart, offset = units.slopes[1] - units.slopes[0], units.constants[1] - units.constants[0]
    # The minimum of two pieces selects by their negatives.
    return apart.abs() * scores + torch.where(apart < 0, -offset, offset)
