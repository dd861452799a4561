"""How far scores lie below the first maximum, and which pieces are not on offer: all that a code depends on.

Infinite scores are taken care of here: −∞ excludes a piece, +∞ beats every finite score unless η = 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Gaps(NamedTuple):
    """Pieces against the first maximum z_m of those on offer."""

    half: Tensor  # (z − z_m)/2: halved, for the whole may overflow; finite unless a score is NaN
    first: Tensor  # the index m
    excluded: Tensor  # whether a piece is out, or beaten by a +∞


def gaps(z: Tensor, eta: float | Tensor, dim: int) -> Gaps:
    """Compare each piece with the first maximum; of scores that are +∞ each is one, and no other counts."""
    any_infinite = z.detach().amax(dim, keepdim=True) == math.inf  # not beside a NaN, which spoils the whole row
    excluded = (z == -math.inf) | (any_infinite & (z != math.inf) & (eta > 0))
    half = torch.where(torch.isinf(z), 0.0, z * 0.5)
    first = torch.where(excluded, -math.inf, half).argmax(dim, keepdim=True)
    return Gaps(torch.where(any_infinite, 0.0, half - half.gather(dim, first)), first, excluded)
