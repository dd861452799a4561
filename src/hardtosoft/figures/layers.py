"""Layers that several chapters draw: nearest means, and ReLUs whose filters have a stated coherence."""

from __future__ import annotations

from functools import cache
from math import sqrt

import torch
from torch import Tensor

import betavq

from ..interactive.axes import Axis, Value, sliding
from ..interactive.frames import axis
from ..interactive.numbers import saying

COHERENCES = tuple(round(0.05 * step, 2) for step in range(20))
#: The larger of the layers with a stated coherence, and the random inputs to it.
UNITS, INPUTS, POINTS, SEED = 6, 8, 4000, 0
INPUT_VARIANCE = 4.0
COHERENCE_TICKS = axis(-0.03, 0.98, (0, 0.5, 0.95), ("0", "½", ".95"))


def nearest(means: Tensor) -> betavq.MASO:
    """Units that select the nearest of their means ``(K, R, D)``: slopes A and offsets −½‖A‖², equal weights."""
    return betavq.MASO(means, -0.5 * means.square().sum(-1))


def layer(filters: Tensor) -> betavq.MASO:
    """ReLU units of filters ``(K, D)``, pieces 0 and ⟨w, x⟩ − ½‖w‖²: both have equal prior weights."""
    return nearest(torch.stack([torch.zeros_like(filters), filters], dim=1))


def equicorrelated(units: int, inputs: int, coherence: float) -> Tensor:
    """Filters ``(units, inputs)`` of length 1 that all have the inner product ``coherence`` with each other."""
    # The symmetric root of the matrix of their inner products, (1 − ρ)·I + ρ everywhere.
    apart, alike = sqrt(1 - coherence), sqrt(1 + (units - 1) * coherence)
    filters = torch.zeros(units, inputs, dtype=torch.float64)
    filters[:, :units] = apart * torch.eye(units, dtype=torch.float64) + (alike - apart) / units
    return filters


def pair(coherence: float) -> Tensor:
    """Two filters in the plane of length 1 and this inner product, above and below the horizontal axis."""
    product = torch.as_tensor(coherence, dtype=torch.float64)
    across, up = ((1 + product) / 2).sqrt(), ((1 - product) / 2).sqrt()
    return torch.stack([torch.stack([across, up]), torch.stack([across, -up])])


@cache
def inputs() -> Tensor:
    """The random inputs of the larger layer: each number Gaussian, of variance 4."""
    generator = torch.Generator().manual_seed(SEED)
    return sqrt(INPUT_VARIANCE) * torch.randn(POINTS, INPUTS, generator=generator, dtype=torch.float64)


def coherence_axis(label: str, start: float) -> Axis:
    """A slider for the coherence of the filters."""
    named: dict[Value, str] = {0.0: "orthogonal", 0.5: "60° apart", 0.95: "alike"}
    return sliding("coherence", label, 0, 0.95, 0.05, start=start, named=named, say=saying("ρ"))
