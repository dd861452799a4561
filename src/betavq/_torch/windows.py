"""Which inputs each output of a pool sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def pool_windows(sizes: tuple[Any, Any, Any, Any], channels: int, places: Sequence[int], out: Sequence[int]) -> Tensor:
    """Which inputs each output of a pool sees, channel by channel, (outputs, window); −1 for its padding.

    Args:
        sizes: kernel_size, stride, padding and dilation, a number or one for each axis.
        channels: how many there are.
        places: how many inputs a channel has along each axis.
        out: how many outputs a channel has along each axis.
    """
    along = [value if isinstance(value, tuple | list) else (value,) * len(places) for value in sizes]
    positions = [
        torch.arange(outputs)[:, None] * stride - padding + torch.arange(kernel) * dilation
        for outputs, kernel, stride, padding, dilation in zip(out, *along, strict=True)
    ]
    return _windows(positions, channels, places)


def adaptive_windows(channels: int, places: Sequence[int], out: Sequence[int]) -> Tensor:
    """The same for an adaptive pool: output i of n sees the places from ⌊iL/n⌋ to before ⌈(i + 1)L/n⌉."""
    positions = []
    for length, outputs in zip(places, out, strict=True):
        first = torch.arange(outputs) * length // outputs
        last = -(-torch.arange(1, outputs + 1) * length // outputs)
        position = first[:, None] + torch.arange(int((last - first).max()))
        positions.append(torch.where(position < last[:, None], position, -1))
    return _windows(positions, channels, places)


def _windows(positions: Sequence[Tensor], channels: int, places: Sequence[int]) -> Tensor:
    """From the positions (out, kernel) that are seen along each axis, the places in row-major order."""
    index, inside = torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1, dtype=torch.bool)
    for length, position in zip(places, positions, strict=True):
        within = (position >= 0) & (position < length)
        index = (index[:, None, :, None] * length + position[None, :, None, :]).flatten(2).flatten(0, 1)
        inside = (inside[:, None, :, None] & within[None, :, None, :]).flatten(2).flatten(0, 1)
    starts = torch.arange(channels)[:, None, None] * math.prod(places)
    return torch.where(inside, index + starts, -1).flatten(0, 1)
