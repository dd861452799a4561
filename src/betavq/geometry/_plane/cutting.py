"""Polygons cut by many lines, each by those that are its own: what the units of a layer do to the regions before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .polygons import Floats, Integers, Polygons, cut


class _Rows:
    """Polygons in arrays with room for more, so that adding some does not copy all."""

    def __init__(self, polygons: Polygons) -> None:
        n, width = polygons.x.shape
        shape = (2 * n, width + 2)
        self.length = n
        self.all = Polygons(np.empty(shape), np.empty(shape), np.empty(shape, int), np.empty(2 * n, int))
        self.put(np.arange(n), polygons)

    def put(self, rows: Integers, new: Polygons) -> None:
        """Let the polygons in these rows be others."""
        width = new.x.shape[1]
        if width > self.all.x.shape[1]:
            self._pad(0, width + 2 - self.all.x.shape[1])
        ours, theirs = self.all, new
        for old, values in ((ours.x, theirs.x), (ours.y, theirs.y), (ours.edges, theirs.edges)):
            old[rows, :width] = values
            old[rows, width:] = values[:, -1:]
        self.all.counts[rows] = new.counts

    def append(self, new: Polygons) -> Integers:
        """Add polygons; return their rows."""
        start, self.length = self.length, self.length + len(new)
        missing = self.length - len(self.all)
        if missing > 0:
            self._pad(max(missing, len(self.all)), 0)
        added = np.arange(start, self.length)
        self.put(added, new)
        return added

    def _pad(self, rows: int, columns: int) -> None:
        extra, old = ((0, rows), (0, columns)), self.all
        x, y = np.pad(old.x, extra, mode="edge"), np.pad(old.y, extra, mode="edge")
        self.all = Polygons(x, y, np.pad(old.edges, extra, mode="edge"), np.pad(old.counts, (0, rows)))


def cut_by_lines(
    polygons: Polygons, lines: Floats, counts: Integers, first_cut: int, check: Callable[[int], None]
) -> tuple[Polygons, Integers]:
    """Cut every polygon by its own lines.

    Args:
        polygons: n of them.
        lines: those of the first polygon, then those of the second and so on, ``(L, 4)`` as in
            :meth:`Polygons.distances`.
        counts: how many lines each polygon has, ``(n,)``.
        first_cut: the number of the first line's cut; those of the others follow.
        check: called with the number of pieces so far; may raise.

    Returns:
        The pieces, and for each the polygon that it is a piece of.
    """
    first = np.cumsum(counts) - counts
    rows = _Rows(polygons)
    parents = np.arange(len(polygons))
    active = np.flatnonzero(counts)
    line = 0
    while active.size:
        here = first[parents[active]] + line
        pieces = rows.all.take(active)
        distances = pieces.distances(lines[here])
        straddles = np.flatnonzero((distances.max(1) > 0) & (distances.min(1) < 0))
        if straddles.size:
            old = active[straddles]
            plus, minus = cut(pieces.take(straddles), distances[straddles], first_cut + here[straddles])
            rows.put(old, plus)
            active = np.concatenate((active, rows.append(minus)))
            parents = np.concatenate((parents, parents[old]))
            check(rows.length)
        line += 1
        active = active[counts[parents[active]] > line]
    return rows.all.take(slice(rows.length)).trimmed(), parents
