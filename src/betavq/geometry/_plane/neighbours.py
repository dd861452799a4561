"""Which regions share an edge: regions tile both sides of every line, and meet where two tiles overlap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .polygons import Bools, Floats, Integers

#: The shortest edge that regions may share, where the domain has radius 1.
SHORTEST = 1e-11


class Neighbours(NamedTuple):
    """Pairs of regions that share an edge, E of them.

    Attributes:
        pairs: the two regions, ``(E, 2)``: first that on the side where the unit's score is larger.
        segments: the shared edge, its two ends, ``(E, 2, 2)``.
        depths: at which layer of units the edge appeared, counted from 1, ``(E,)``.
        units: which of that layer's units has its kink there, ``(E,)``.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import partition
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> shared = partition(net, [(-1, -1), (1, -1), (1, 1), (-1, 1)]).neighbours
        >>> len(shared.pairs), shared.depths.tolist()  # two half axes a unit
        (4, [1, 1, 1, 1])
    """

    pairs: Integers
    segments: Floats
    depths: Integers
    units: Integers

    def __repr__(self) -> str:
        return f"Neighbours({len(self.pairs):,} pairs of regions)"


def find_overlaps(
    starts: Floats, ends: Floats, edges: Integers, owners: Integers
) -> tuple[Integers, Integers, Floats]:
    """Where the two sides of the same line overlap.

    Args:
        starts, ends: of the edges of regions, ``(T, 2)``.
        edges: 2·line + side of each, ``(T,)``.
        owners: the region that each belongs to, ``(T,)``.

    Returns:
        ``(E, 2)`` pairs of regions, ``(E,)`` lines and ``(E, 2, 2)`` segments.
    """
    if not len(edges):
        return np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros((0, 2, 2))
    lines = edges >> 1
    order = np.argsort(lines, kind="stable")
    lines, owners, sides = lines[order], owners[order], (edges[order] & 1).astype(bool)
    starts, ends = starts[order], ends[order]
    is_first = np.diff(lines, prepend=-1) != 0
    group = np.cumsum(is_first) - 1
    origins = starts[is_first][group]
    low, high, axes = _along(starts, ends, origins, is_first, group)
    # All places where a tile of either side begins or ends, in order along each line, split it into intervals;
    # the tile of each side over an interval is the last that began before it.
    places = np.concatenate((low, high))
    which = np.concatenate((group, group))
    event = np.concatenate((np.arange(len(low)), np.full(len(high), -1)))
    sort = np.lexsort((places, which))
    places, which, event = places[sort], which[sort], event[sort]
    tiles = [_last_begun(event, sides, side) for side in (True, False)]
    here = (which[:-1] == which[1:]) & (places[1:] - places[:-1] > SHORTEST)
    index = np.flatnonzero(here)
    first, second = (tile[index] for tile in tiles)
    middle = (places[index] + places[index + 1]) / 2
    ok = (first >= 0) & (second >= 0)
    ok &= (group[first] == which[index]) & (group[second] == which[index])
    ok &= (low[first] < middle) & (middle < high[first]) & (low[second] < middle) & (middle < high[second])
    index, first, second = index[ok], first[ok], second[ok]
    line = which[index]
    begin = np.flatnonzero(is_first)[line]
    ends_at = np.stack((places[index], places[index + 1]), axis=1)
    segments = starts[begin][:, None] + ends_at[..., None] * axes[line][:, None]
    return np.stack((owners[first], owners[second]), axis=1), lines[begin], segments


def _along(
    starts: Floats, ends: Floats, origins: Floats, is_first: Bools, group: Integers
) -> tuple[Floats, Floats, Floats]:
    """From where to where each edge lies along its line, and the directions of the lines."""
    # The longest edge of a line gives its direction best.
    lengths = np.hypot(*(ends - starts).T)
    first = np.flatnonzero(is_first)
    longest = np.maximum.reduceat(lengths, first)
    by_length = np.lexsort((lengths, group))
    last = np.append(first[1:], len(group)) - 1
    chosen = by_length[last]
    axes = (ends - starts)[chosen] / longest[:, None]
    a, b = (((points - origins) * axes[group]).sum(1) for points in (starts, ends))
    return np.minimum(a, b), np.maximum(a, b), axes


def _last_begun(event: Integers, sides: Bools, side: bool) -> Integers:
    """At each place the tile of a side that began last."""
    begins = (event >= 0) & (sides[event] == side)
    last = np.maximum.accumulate(np.where(begins, np.arange(len(event)), -1))
    return np.where(last >= 0, event[last], -1)
