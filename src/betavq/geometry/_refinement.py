"""Regions before a layer of units become those after it: which units cut which, and what each piece selects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._cutting import cut_by_lines
from ._polygons import Bools, Codes, Floats, Integers, Polygons
from ._units import Kinks

#: How close a corner may come to a line before it lies on it, where the domain has radius 1.
TOLERANCE = 1e-12
#: Rounding errors of a score, in units of the largest score of its layer and region.
NOISE = 32 * float(np.finfo(np.float64).eps)


@dataclass
class Refined:
    """What a layer of units makes of the regions before it.

    Attributes:
        polygons: the pieces.
        parents: for each piece, the region that it is a piece of.
        codes: which of its pieces each unit selects on it, ``(n, K)``.
        scores: what the units were given, at the three points, of each piece, ``(3, n, D)``.
        cut_units: for every new line the unit that it belongs to.
    """

    polygons: Polygons
    parents: Integers
    codes: Codes
    scores: Floats
    cut_units: Integers


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


def near_zero(polygons: Polygons, scores: Floats) -> tuple[Integers, Integers, Floats]:
    """The pairs of region and unit whose score may change its sign there, and the noise of each.

    A score that is not 0 in the circle around the corners is not 0 in the region.
    """
    x, y = polygons.centres()
    radius = np.sqrt(((polygons.x - x[:, None]) ** 2 + (polygons.y - y[:, None]) ** 2).max(1))
    centre = np.abs(at_points(scores, x, y))
    slope = (scores[1] - scores[0]) ** 2
    slope += (scores[2] - scores[0]) ** 2
    np.sqrt(slope, out=slope)
    noise = NOISE * (centre.max(1, initial=0) + slope.max(1, initial=0))
    rows, units = np.nonzero((centre <= (radius * 1.000001)[:, None] * slope) & (slope > noise[:, None]))
    return rows, units, noise[rows]


def crossing(polygons: Polygons, rows: Integers, lines: Floats) -> Bools:
    """Whether each line has corners of its polygon on both sides."""
    distances = polygons.take(rows).distances(lines)
    found: Bools = (distances.max(1, initial=0) > 0) & (distances.min(1, initial=0) < 0)
    return found


def refine_by_kinks(polygons: Polygons, scores: Floats, first_cut: int, check: Callable[[int], None]) -> Refined:
    """Cut every region where one of its units has a score of 0.

    Args:
        polygons: the regions, n of them.
        scores: of the units at the points (0, 0), (1, 0) and (0, 1), ``(3, n, K)``.
        first_cut: the number that the first new line gets.
        check: called with the number of pieces so far; may raise.
    """
    rows, units, noise = near_zero(polygons, scores)
    lines = lines_of(scores[:, rows, units], noise)
    found = crossing(polygons, rows, lines)
    rows, units, lines = rows[found], units[found], lines[found]
    counts = np.bincount(rows, minlength=len(polygons))
    pieces, parents = cut_by_lines(polygons, lines, counts, first_cut, check)
    scores = scores[:, parents]
    codes = (at_points(scores, *pieces.centres()) > 0).view(np.uint8)
    return Refined(pieces, parents, codes, scores, units)


def apply_kinks(units: Kinks, refined: Refined) -> Floats:
    """What the units put out at the three points, ``(3, n, K)``."""
    left: Floats = units.left.numpy()
    if left.any():
        out: Floats = refined.scores * np.where(refined.codes, 1.0, left)
    else:
        out = refined.scores * refined.codes
    return out
