"""Random MASOs, their scores by enumeration, and hardnesses, for the tests of MASO."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from betavq import MASO

BETAS = [0.0, 1e-15, 1e-9, 0.2, 0.5, 0.9, 1 - 1e-9, 1.0]
betas = pytest.mark.parametrize("beta", BETAS)


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def random_maso(
    units: int = 3, pieces: int = 4, inputs: int = 2, *, padded: bool = False, dtype: torch.dtype = torch.float64
) -> MASO:
    """Normal slopes and offsets; ``padded`` excludes the last piece of every unit but the first."""
    offsets = random(units, pieces, seed=2, dtype=dtype)
    if padded:
        offsets[1:, -1] = -math.inf
    return MASO(random(units, pieces, inputs, seed=1, dtype=dtype), offsets)


def enumerated(maso: MASO, x: Tensor) -> list[list[list[float]]]:
    """Scores of rows x by loops over Python numbers."""
    slopes, offsets = maso.slopes.tolist(), maso.offsets.tolist()
    return [
        [
            [sum(a * b for a, b in zip(slope, row, strict=True)) + offset for slope, offset in zip(*unit, strict=True)]
            for unit in zip(slopes, offsets, strict=True)
        ]
        for row in x.tolist()
    ]
