"""Pooling as pieces: the largest of all units in a window, or the mean of one piece of each."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from .._torch.windows import pool_windows
from .affine import check_bytes

Pool: TypeAlias = nn.MaxPool1d | nn.MaxPool2d | nn.AvgPool1d | nn.AvgPool2d


class Pieces(NamedTuple):
    """Units of R pieces each, arranged as channels and places."""

    slopes: Tensor  # (K, R, D)
    offsets: Tensor  # (K, R)
    shape: tuple[int, ...]  # of product K
    zero_first: bool  # whether the first piece of every unit is the constant 0


def pool_pieces(pieces: Pieces, pool: Any, max_bytes: int, max_pieces: int) -> Pieces:
    """The units after pooling; raise unless ``pool`` is one that fits their shape and the limits."""
    dims = max(1, len(pieces.shape) - 1)
    kinds: tuple[Any, Any] = (nn.MaxPool1d, nn.AvgPool1d) if dims == 1 else (nn.MaxPool2d, nn.AvgPool2d)
    if not isinstance(pool, kinds):
        names = " or ".join(f"nn.{kind.__name__}" for kind in kinds)
        raise TypeError(f"pool must be an {names} after this layer, got {type(pool).__name__}")
    # After nn.Linear there is one channel, in which the units lie side by side.
    channels, *places = pieces.shape if len(pieces.shape) > 1 else (1, *pieces.shape)
    ones = torch.ones(1, *places, dtype=torch.float64)
    if getattr(pool, "return_indices", False):
        raise ValueError("pool must have return_indices=False, got True")
    try:
        means = pool(ones)
    except RuntimeError as error:
        raise ValueError(f"pool must fit outputs of shape {pieces.shape}, got {pool}: {error}") from error
    sizes = (pool.kernel_size, pool.stride, pool.padding, getattr(pool, "dilation", 1))
    windows = pool_windows(sizes, channels, places, means.shape[1:]).to(pieces.slopes.device)
    shape = (channels, *means.shape[1:]) if len(pieces.shape) > 1 else tuple(means.shape[1:])
    if isinstance(pool, nn.MaxPool1d | nn.MaxPool2d):
        return Pieces(*_largest(pieces, windows, max_bytes), shape, pieces.zero_first)
    counts = (windows >= 0).sum(1)
    weights = means.flatten().repeat(channels).to(pieces.slopes) / counts
    return Pieces(*_averages(pieces, windows, weights, max_bytes, max_pieces), shape, pieces.zero_first)


def _largest(pieces: Pieces, windows: Tensor, max_bytes: int) -> tuple[Tensor, Tensor]:
    """All pieces of the units in a window, a constant 0 that is common to them but once and first."""
    slopes, offsets, _, zero_first = pieces
    if zero_first:
        slopes, offsets = slopes[:, 1:], offsets[:, 1:]
    num_units, size = windows.shape
    shape = (num_units, size * slopes.shape[1] + zero_first, slopes.shape[2])
    check_bytes(shape, slopes, max_bytes)
    padding = windows < 0
    pooled_slopes, pooled_offsets = slopes.new_zeros(shape), offsets.new_zeros(shape[:2])
    by_window = (num_units, size, -1)
    at = windows.clamp(min=0)
    pooled_slopes[:, zero_first:] = slopes[at].masked_fill(padding[..., None, None], 0.0).flatten(1, 2)
    pooled_offsets[:, zero_first:] = offsets[at].masked_fill(padding[..., None], -math.inf).view(by_window).flatten(1)
    return pooled_slopes, pooled_offsets


def _averages(
    pieces: Pieces, windows: Tensor, weights: Tensor, max_bytes: int, max_pieces: int
) -> tuple[Tensor, Tensor]:
    """The weighted sum of one piece of each unit in a window, for every choice; that of the first unit slowest."""
    slopes, offsets, *_ = pieces
    (num_units, size), (_, num_pieces, num_inputs) = windows.shape, slopes.shape
    if num_pieces > 1 and bool((weights < 0).any()):
        raise ValueError("pool must have a positive divisor_override: minus a maximum is no MASO")
    needed = num_pieces**size
    if needed > max_pieces:
        number = f" = {needed}" if needed < 10**15 else ""
        raise ValueError(
            f"max_pieces must allow for {num_pieces}**{size}{number} pieces, one for every choice among the "
            f"{num_pieces} pieces of the {size} units that are averaged, got {max_pieces}"
        )
    check_bytes((num_units, needed, num_inputs), slopes, max_bytes)
    sums, constants = slopes.new_zeros(num_units, 1, num_inputs), offsets.new_zeros(num_units, 1)
    for at in windows.unbind(1):
        padding, unit = at < 0, at.clamp(min=0)
        # A unit in the padding adds 0 by its first piece and has no other.
        own_slopes = (weights[:, None, None] * slopes[unit]).masked_fill(padding[:, None, None], 0.0)
        own_constants = (weights[:, None] * offsets[unit]).masked_fill(padding[:, None], -math.inf)
        own_constants[:, 0].masked_fill_(padding, 0.0)
        sums = (sums[:, :, None] + own_slopes[:, None]).flatten(1, 2)
        constants = (constants[:, :, None] + own_constants[:, None]).flatten(1, 2)
    return sums, constants
