"""Lines in pieces, as a trace draws them: one tensor of points, its pieces parted by NaN."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..interactive.frames import tensor


def parted(pieces: Any) -> Tensor:
    """Pieces of as many points each, ``(N, P, 2)``, one after another and a gap after each: ``(N·(P + 1), 2)``."""
    return F.pad(tensor(pieces), (0, 0, 0, 1), value=math.nan).reshape(-1, 2)


def upright(places: Any, low: Any, high: Any) -> Tensor:
    """A stroke from ``low`` to ``high`` at each of N places, ``(3N, 2)``."""
    x, low, high = torch.broadcast_tensors(*map(tensor, (places, low, high)))  # type: ignore[no-untyped-call]
    return parted(torch.stack([torch.stack([x, end], -1) for end in (low, high)], 1))


def filled(points: Any, count: int) -> Tensor:
    """Points and then NaN, ``count`` in all: as many in every state of a figure.

    Raises:
        ValueError: more points than that.
    """
    given = tensor(points)
    if len(given) > count:
        raise ValueError(f"points must be at most {count}, got {len(given)}")
    return F.pad(given, (*[0] * (2 * given.dim() - 1), count - len(given)), value=math.nan)
