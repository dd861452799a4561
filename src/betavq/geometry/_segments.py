"""The straight parts of a decision boundary, one or a few in each region where the class changes, put end to end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ._plane.polygons import Floats, Integers, Polygons, crossing_points
from .regions import Partition

Cell = tuple[int, int, int, int]

#: Logits that differ by no more than this share of their size tie.
TIE = 1e-13


class Segments(NamedTuple):
    """S straight parts; the higher of their two classes is on the left.

    Attributes:
        starts, ends: ``(S, 2)``.
        classes: the lower and the higher class, ``(S, 2)``.
        regions: where they are, ``(S,)``.
        normals: the slopes of the higher class minus those of the lower, ``(S, 2)``.
    """

    starts: Floats
    ends: Floats
    classes: Integers
    regions: Integers
    normals: Floats


def find_segments(regions: Partition) -> Segments:
    """All straight parts of the border between classes."""
    slopes, offsets = regions.slopes, regions.offsets
    if slopes.shape[1] == 1:  # the class is 1 where the only logit exceeds 0
        slopes, offsets = (np.concatenate((np.zeros_like(a), a), axis=1) for a in (slopes, offsets))
    owners = np.repeat(np.arange(len(regions)), regions.counts)
    at_corners = (slopes[owners] * regions.vertices[:, None]).sum(-1) + offsets[owners]
    parts = [_between(regions, slopes, offsets, at_corners, pair) for pair in combinations(range(slopes.shape[1]), 2)]
    parts += [_on_edges(regions, slopes, offsets)]
    return Segments(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _between(
    regions: Partition, slopes: Floats, offsets: Floats, at_corners: Floats, pair: tuple[int, int]
) -> Segments:
    """Those between two classes that run through regions."""
    low, high = pair
    gap = at_corners[:, high] - at_corners[:, low]
    size = np.abs(at_corners).max(1)
    gap[np.abs(gap) <= TIE * size] = 0.0
    first = regions.starts[:-1]
    crossed = np.flatnonzero((np.maximum.reduceat(gap, first) > 0) & (np.minimum.reduceat(gap, first) < 0))
    polygons, distances = _padded(regions, crossed, gap)
    # With what is positive on the left, the line runs from where the corners leave that side to where they enter it.
    begin, end = (np.stack(point, axis=1) for point in crossing_points(polygons, distances))
    starts, ends = end, begin
    keep, shares = _where_largest(slopes[crossed], offsets[crossed], starts, ends, pair)
    along = ends - starts
    starts, ends = starts + shares[:, :1] * along, starts + shares[:, 1:] * along
    rows = crossed[keep]
    classes = np.broadcast_to(np.array(pair), (len(rows), 2))
    return Segments(starts[keep], ends[keep], classes, rows, slopes[rows, high] - slopes[rows, low])


def _padded(regions: Partition, rows: Integers, gap: Floats) -> tuple[Polygons, Floats]:
    """Some regions and the values at their corners, a row each."""
    counts = regions.counts[rows]
    columns = np.minimum(np.arange(int(counts.max(initial=1))), counts[:, None] - 1)
    at = regions.starts[rows][:, None] + columns
    x, y = regions.vertices[at, 0], regions.vertices[at, 1]
    return Polygons(x, y, np.zeros(at.shape, dtype=np.int64), counts), gap[at]


def _where_largest(
    slopes: Floats, offsets: Floats, starts: Floats, ends: Floats, pair: tuple[int, int]
) -> tuple[Integers, Floats]:
    """Between which shares of the way no third class is larger: the rows where there is any way, and ``(S, 2)``."""
    low, _ = pair
    others = [c for c in range(slopes.shape[1]) if c not in pair]
    begin = (slopes * starts[:, None]).sum(-1) + offsets
    end = (slopes * ends[:, None]).sum(-1) + offsets
    lead = begin[:, [low]] - begin[:, others]
    growth = end[:, [low]] - end[:, others] - lead
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = -lead / growth
    entered = np.where((growth > 0) & (lead < 0), reach, 0.0).max(1, initial=0.0)
    left = np.where((growth < 0) & (lead + growth < 0), reach, 1.0).min(1, initial=1.0)
    never = ((lead < 0) & (lead + growth < 0)).any(1)
    return np.flatnonzero(~never & (entered < left)), np.stack((entered, left), axis=1)


def _on_edges(regions: Partition, slopes: Floats, offsets: Floats) -> Segments:
    """Those that run along edges: on either side another class, and on the edge the two tie."""
    pairs, segments, *_ = regions.neighbours
    middle = segments.mean(1)
    winners = []
    for side in (0, 1):
        rows = pairs[:, side]
        inside = middle + 1e-3 * (regions.centres[rows] - middle)
        winners.append(((slopes[rows] * inside[:, None]).sum(-1) + offsets[rows]).argmax(1))
    rows = pairs[:, 0]
    at_ends = (slopes[rows][:, None] * segments[:, :, None]).sum(-1) + offsets[rows][:, None]
    size, index = np.abs(at_ends).max((1, 2)), np.arange(len(rows))
    gap = at_ends[index, :, winners[0]] - at_ends[index, :, winners[1]]
    found = np.flatnonzero((winners[0] != winners[1]) & (np.abs(gap).max(1) <= TIE * size))
    classes = np.sort(np.stack(winners, axis=1)[found], axis=1)
    is_first = winners[0][found] == classes[:, 1]
    own = pairs[found, np.where(is_first, 0, 1)]
    begin, end = segments[found, 0], segments[found, 1]
    to_centre, along = regions.centres[own] - begin, end - begin
    is_left = along[:, 0] * to_centre[:, 1] - along[:, 1] * to_centre[:, 0] > 0
    starts, ends = np.where(is_left[:, None], begin, end), np.where(is_left[:, None], end, begin)
    normals = np.stack((starts[:, 1] - ends[:, 1], ends[:, 0] - starts[:, 0]), axis=1)
    return Segments(starts, ends, classes, own, normals)


def chained(segments: Segments, tolerance: float) -> Iterator[tuple[Integers, bool]]:
    """The numbers of the parts that follow one another, and whether they close.

    One part follows another if it is of the same two classes and starts where the other ends, within ``tolerance``;
    parts that are shorter are left out.
    """
    long_enough = np.flatnonzero(np.hypot(*(segments.ends - segments.starts).T) > tolerance)
    following = _following(segments, long_enough, 4 * tolerance)
    has_previous = set(following.values())
    left = dict.fromkeys(int(i) for i in long_enough)
    for first in [*(i for i in left if i not in has_previous), *left]:
        if first not in left:
            continue
        chain = []
        part: int | None = first
        while part is not None and part in left:
            del left[part]
            chain.append(part)
            part = following.get(part)
        yield np.array(chain), part == first


def _following(segments: Segments, parts: Integers, tolerance: float) -> dict[int, int]:
    """For each part the one that follows it: the nearest start that is not taken."""
    starts = defaultdict[Cell, list[int]](list)
    cells = {False: _cells(segments.starts, tolerance), True: _cells(segments.ends, tolerance)}
    classes = segments.classes
    for part in parts.tolist():
        starts[(*cells[False][part], *classes[part])].append(part)
    found = dict[int, int]()
    for part in parts.tolist():
        x, y = cells[True][part]
        near = [
            other
            for i in (x - 1, x, x + 1)
            for j in (y - 1, y, y + 1)
            for other in starts.get((i, j, *classes[part]), ())
        ]
        distance = {other: float(np.hypot(*(segments.starts[other] - segments.ends[part]))) for other in near}
        near = [other for other in near if distance[other] <= tolerance and other != part]
        if near:
            best = min(near, key=distance.__getitem__)
            found[part] = best
            starts[(*cells[False][best], *classes[best])].remove(best)
    return found


def _cells(points: Floats, tolerance: float) -> list[tuple[int, int]]:
    return [(x, y) for x, y in np.floor(points / tolerance).astype(np.int64).tolist()]
