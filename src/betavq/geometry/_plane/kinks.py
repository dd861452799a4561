"""Regions before a layer of units become those after it: which units cut which, and what each piece selects."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from ..._torch.hard_units import Kinks
from .polygons import Codes, Floats, Integers, Polygons, cut

#: How close a corner may come to a line before it lies on it, where the domain has radius 1.
TOLERANCE = 1e-12
#: Rounding errors of a score, in units of the largest that it is in any of the regions.
NOISE = 32 * float(np.finfo(np.float64).eps)


class Cut(NamedTuple):
    """What a layer of units makes of the regions before it.

    Attributes:
        polygons: the pieces.
        parents: for each piece, the region that it is a piece of.
        units: for every new line the unit that it belongs to.
    """

    polygons: Polygons
    parents: Integers
    units: Integers


def at_points(scores: Floats, x: Floats, y: Floats) -> Floats:
    """Scores at a point of each region, from those at (0, 0), (1, 0) and (0, 1): ``(3, n, K)`` → ``(n, K)``."""
    values: Floats = (1 - x - y)[:, None] * scores[0]
    values += x[:, None] * scores[1]
    values += y[:, None] * scores[2]
    return values


def lines_of(scores: Floats, noise: Floats) -> Floats:
    """Where scores are 0, as lines with tolerances: ``(3, L)``, and the noise of each, ``(L,)`` → ``(L, 4)``."""
    x, y = scores[1] - scores[0], scores[2] - scores[0]
    length = np.hypot(x, y)
    return np.stack((x / length, y / length, scores[0] / length, np.maximum(TOLERANCE, noise / length)), axis=1)


def lengths(scores: Floats) -> Floats:
    """How steep scores are: ``(3, …)`` → ``(…)``."""
    length: Floats = np.hypot(scores[1] - scores[0], scores[2] - scores[0])
    return length


def noise_of(centre: Floats, slope: Floats) -> Floats:
    """The rounding errors of each score where it is of such sizes in regions: ``(n, K)`` twice → ``(K,)``.

    A score that cancels to 0 throughout a region is no more than rounding errors there, as large as elsewhere.
    """
    noise: Floats = NOISE * (np.abs(centre) + slope).max(0)
    return noise


def cut_by_kinks(
    units: Kinks, polygons: Polygons, scores: Floats, first_cut: int, check: Callable[[int], None]
) -> Cut:
    """Cut every region where the score of one of its units is at a bend.

    Args:
        units: K of them.
        polygons: the regions, n of them.
        scores: of the units at the points (0, 0), (1, 0) and (0, 1), ``(3, n, K)``.
        first_cut: the number that the first new line gets.
        check: called with the number of pieces so far; may raise.
    """
    x, y = polygons.centres()
    centre, slope = at_points(scores, x, y), lengths(scores)
    noise, radii = noise_of(centre, slope), polygons.radii(x, y)[:, None]
    found = [_crossed(polygons, scores, bend, centre, slope, radii, noise) for bend in units.bends]
    rows, numbers, lines = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    if len(units.bends) > 1:
        order = np.argsort(rows, kind="stable")
        rows, numbers, lines = rows[order], numbers[order], lines[order]
    counts = np.bincount(rows, minlength=len(polygons))
    pieces, parents = cut_by_lines(polygons, lines, counts, first_cut, check)
    return Cut(pieces, parents, numbers)


def select_pieces(units: Kinks, polygons: Polygons, scores: Floats) -> tuple[Codes, Floats]:
    """What units select on polygons that they do not cut, ``(n, K)``, and put out there, ``(3, n, K)``."""
    inside = at_points(scores, *polygons.centres())
    if units.is_rectifier:
        positive = inside > 0
        return positive.view(np.uint8), scores * positive
    code = units.code(torch.from_numpy(inside))
    return code.numpy().astype(np.uint8), units.value(torch.from_numpy(scores), code).numpy()


def _crossed(
    polygons: Polygons, scores: Floats, bend: float, centre: Floats, slope: Floats, radii: Floats, noise: Floats
) -> tuple[Integers, Integers, Floats]:
    """The regions and units where the score passes a bend, with the lines where it does."""
    # A score that is not there in the circle around the corners is not there in the region.
    rows, numbers = np.nonzero((np.abs(centre - bend) <= radii * slope) & (slope > noise))
    lines = lines_of(scores[:, rows, numbers] - bend, noise[numbers])
    distances = polygons.take(rows).distances(lines)
    found = (distances.max(1, initial=0) > 0) & (distances.min(1, initial=0) < 0)
    return rows[found], numbers[found], lines[found]


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
