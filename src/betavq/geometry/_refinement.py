"""Regions before a layer of units become those after it: which units cut which, and what each piece selects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._cutting import cut_by_lines
from ._polygons import Codes, Floats, Integers, Polygons
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
        outputs: of the units, at the three points, ``(3, n, K)``.
        cut_units: for every new line the unit that it belongs to.
    """

    polygons: Polygons
    parents: Integers
    codes: Codes
    outputs: Floats
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


def lengths(scores: Floats) -> Floats:
    """How steep scores are: ``(3, …)`` → ``(…)``."""
    length: Floats = np.hypot(scores[1] - scores[0], scores[2] - scores[0])
    return length


def noise_of(centre: Floats, slope: Floats) -> Floats:
    """The rounding errors of scores of these sizes, for each region: ``(n, K)`` twice → ``(n,)``."""
    noise: Floats = NOISE * (np.abs(centre).max(1, initial=0) + slope.max(1, initial=0))
    return noise


def refine_by_kinks(
    units: Kinks, polygons: Polygons, scores: Floats, first_cut: int, check: Callable[[int], None]
) -> Refined:
    """Cut every region where one of its units has a score of 0.

    Args:
        units: K of them.
        polygons: the regions, n of them.
        scores: of the units at the points (0, 0), (1, 0) and (0, 1), ``(3, n, K)``.
        first_cut: the number that the first new line gets.
        check: called with the number of pieces so far; may raise.
    """
    x, y = polygons.centres()
    centre, slope = at_points(scores, x, y), lengths(scores)
    noise = noise_of(centre, slope)
    # A score that is not 0 in the circle around the corners is not 0 in the region.
    near = np.abs(centre) <= polygons.radii(x, y)[:, None] * slope
    rows, numbers = np.nonzero(near & (slope > noise[:, None]))
    lines = lines_of(scores[:, rows, numbers], noise[rows])
    distances = polygons.take(rows).distances(lines)
    found = (distances.max(1, initial=0) > 0) & (distances.min(1, initial=0) < 0)
    rows, numbers, lines = rows[found], numbers[found], lines[found]
    counts = np.bincount(rows, minlength=len(polygons))
    pieces, parents = cut_by_lines(polygons, lines, counts, first_cut, check)
    scores = scores[:, parents]
    positive = at_points(scores, *pieces.centres()) > 0
    left: Floats = units.left.numpy()
    outputs = scores * (np.where(positive, 1.0, left) if left.any() else positive)
    return Refined(pieces, parents, positive.view(np.uint8), outputs, numbers)
