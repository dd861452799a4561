"""The nonlinear units of a network, as what cuts regions: kinks at 0, and the largest of a few entries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor


@dataclass(frozen=True)
class Kinks:
    """Units of two pieces that tie at 0: max(νz, z), or the minimum for ν > 1.

    Attributes:
        left: the slope ν left of 0 of every unit, ``(K,)``.
        shape: of the units, without the batch.
    """

    left: Tensor
    shape: tuple[int, ...]

    @property
    def out_shape(self) -> tuple[int, ...]:
        """The shape of the values, without the batch."""
        return self.shape

    @property
    def num_pieces(self) -> int:
        """R, how many pieces a unit has."""
        return 2


@dataclass(frozen=True)
class Maxima:
    """Units that are each the largest of some entries of their input.

    Attributes:
        windows: which entries of the flattened input each unit sees, ``(K, R)``; −1 where it sees padding.
        out_shape: of the units, without the batch; of product K.
    """

    windows: Tensor
    out_shape: tuple[int, ...]

    @property
    def num_pieces(self) -> int:
        """R, how many pieces a unit has."""
        return self.windows.shape[1]


Units: TypeAlias = Kinks | Maxima


@dataclass(frozen=True)
class Layer:
    """A layer of units of a network, in the order in which the forward pass meets them.

    Attributes:
        name: of the step, with its kind.
        num_units: how many units it has.
        num_pieces: R, among how many pieces each of them selects.
    """

    name: str
    num_units: int
    num_pieces: int


def windowed(scores: Tensor, units: Maxima, padding: float) -> Tensor:
    """The entries that each unit sees: ``(…, D)`` → ``(…, K, R)``, and ``padding`` where it sees none."""
    return torch.where(units.windows < 0, padding, scores[..., units.windows])


def kinks(left: float | Tensor, shape: tuple[int, ...], channel_dim: int = 0) -> Kinks:
    """Units over an input of this shape (without the batch) with one slope for all, or one a channel."""
    slope = torch.as_tensor(left, dtype=torch.float64).detach()
    if slope.numel() > 1:
        view = [1] * len(shape)
        view[channel_dim] = slope.numel()
        slope = slope.reshape(view)
    return Kinks(slope.reshape(slope.shape if slope.numel() > 1 else ()).expand(shape).reshape(-1), shape)


def maxima_along(shape: tuple[int, ...], dim: int, keepdim: bool = False) -> Maxima:
    """The largest along ``dim``, which counts the batch that ``shape`` leaves out."""
    places = torch.arange(math.prod(shape)).view(1, *shape)
    windows = places.movedim(dim, -1)[0]
    out = places.amax(dim, keepdim).shape[1:]
    return Maxima(windows.reshape(-1, windows.shape[-1]), tuple(out))
