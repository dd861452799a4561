"""What has no coordinates, and the closest that has: numbers found by minimising the largest error."""

from __future__ import annotations

import math
from functools import partial

import torch.nn.functional as F

from betavq import beta_from_eta

from .coordinates import Affine, Coordinates, constant, line
from .entry import Entry

GELU_SCALE = 0.99934296
SELU_FLOOR, SELU_SLOPE, SELU_OFFSET = -1.8176, 1.05615857, -1.08186379
DIRECTIONS, STRETCH = 16, 1.00861518


def around(count: int, stretch: float) -> tuple[Affine, ...]:
    """Pieces whose slopes are of length ``stretch`` and stand evenly around a circle."""
    angles = (2 * math.pi * r / count for r in range(count))
    return tuple(Affine((stretch * math.cos(angle), stretch * math.sin(angle))) for angle in angles)


MISFITS = (
    Entry(
        "GELU, tanh form",
        'F.gelu(u, approximate="tanh")',
        partial(F.gelu, approximate="tanh"),
        Coordinates((constant(0), line(1)), "gaussian", beta_from_eta(1 / GELU_SCALE)),
        "GELU under a little less noise comes closest.",
        "GELU",
        misfit="Its gate is the sigmoid of a cubic in u; scores are affine.",
    ),
    Entry(
        "SELU, as a maximum alone",
        "F.selu(u)",
        F.selu,
        Coordinates((constant(SELU_FLOOR), line(SELU_SLOPE, SELU_OFFSET)), "exponential", beta_from_eta(1.0), (), 1),
        "The expected maximum that comes closest; no convex function comes closer.",
        "SELU",
        misfit="Its slope drops at 0. An expected maximum of affine pieces is convex, whatever the noise.",
    ),
    Entry(
        "L2-pooling",
        "F.lp_pool1d((a, b), 2, 2)",
        lambda x: F.lp_pool1d(x.unsqueeze(-2), 2.0, 2).squeeze((-2, -1)),
        Coordinates(around(DIRECTIONS, STRETCH)),
        "The larger of 16 pieces, whose slopes stand evenly around a circle; four times closer with twice as many.",
        "LPPool1d",
        misfit="The length of (a, b) is the largest of infinitely many pieces, one for every direction.",
        pieces="κ(a cos φ_r + b sin φ_r), φ_r = 2πr/16",
    ),
)
