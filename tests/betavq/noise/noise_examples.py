"""Oracles for two pieces under noise, in 50 digits and from the density alone."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import torch
from mpmath import mp, mpf
from torch import Tensor

mp.dps = 50

# The density of ε at scale 1, and where it is not smooth or ends.
DENSITIES: dict[str, Callable[[mpf], mpf]] = {
    "logistic": lambda v: mpmath.exp(-abs(v)) / (1 + mpmath.exp(-abs(v))) ** 2,
    "uniform": lambda _: mpf(0.5),
    "gaussian": lambda v: mpmath.npdf(v),
    "exponential": lambda v: mpmath.exp(-v),
    "lomax": lambda v: 1 / (2 * (1 + abs(v)) ** 2),
}
ENDS = {"uniform": (mpf(-1), mpf(1)), "exponential": (mpf(0), mpmath.inf)}


def _integral(noise: str, weight: Callable[[mpf], mpf], start: mpf) -> mpf:
    """Of the density times ``weight`` from ``start`` up."""
    low, high = ENDS.get(noise, (-mpmath.inf, mpmath.inf))
    if start >= high:
        return mpf(0)
    start = max(start, low)
    middle = [start + mpf(step) for step in (0.1, 0.3, 1, 3, 10, 100)] if high == mpmath.inf else []
    if start < 0 < high:
        middle = [mpf(0), *(point for point in middle if point > 0)]
    return mpmath.quad(lambda v: DENSITIES[noise](v) * weight(v), [*sorted({start, *middle}), high])


def second_share(noise: str, x: float) -> mpf:
    """P(x + ε > 0)."""
    return _integral(noise, lambda _: mpf(1), -mpf(x))


def excess(noise: str, x: float) -> mpf:
    """E (x + ε)⁺."""
    return _integral(noise, lambda v: mpf(x) + v, -mpf(x))


def relu_pieces(u: Tensor) -> Tensor:
    """The scores (0, u)."""
    return torch.stack((torch.zeros_like(u), u), -1)
