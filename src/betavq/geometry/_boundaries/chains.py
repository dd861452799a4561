"""Straight parts put end to end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from .._plane.polygons import Floats, Integers
from .segments import Segments

Cell = tuple[int, int, int, int]


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
