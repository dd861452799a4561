"""Convex polygons of the plane by the thousand, in padded arrays, and how lines cut them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np

# As numpy.typing.NDArray, which takes time to import.
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Integers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Bools: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Points: TypeAlias = tuple[Floats, Floats]
Codes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass
class Polygons:
    """n convex polygons, each with its corners counterclockwise; a row that has fewer repeats its last one.

    Attributes:
        x, y: the corners, ``(n, W)``.
        edges: on which side of which line the edge from a corner to the next lies, ``(n, W)``: 2·cut + side, or
            negative on the border of the domain. What stands in the padding means nothing.
        counts: how many corners each has, ``(n,)``.
    """

    x: Floats
    y: Floats
    edges: Integers
    counts: Integers

    def __len__(self) -> int:
        return len(self.counts)

    def take(self, rows: Any) -> Self:
        """Some of the polygons, by index or slice."""
        return type(self)(self.x[rows], self.y[rows], self.edges[rows], self.counts[rows])

    def padded(self, width: int) -> Self:
        """The same with so many columns at least."""
        missing = ((0, 0), (0, max(0, width - self.x.shape[1])))
        x, y = np.pad(self.x, missing, mode="edge"), np.pad(self.y, missing, mode="edge")
        return type(self)(x, y, np.pad(self.edges, missing, mode="edge"), self.counts)

    def trimmed(self) -> Self:
        """The same with as few columns as the polygons need."""
        width = int(self.counts.max(initial=1))
        if width == self.x.shape[1]:
            return self
        return type(self)(self.x[:, :width], self.y[:, :width], self.edges[:, :width], self.counts)

    def centres(self) -> Points:
        """The mean of the corners, which is inside."""
        padding = self.x.shape[1] - self.counts
        x, y = ((c.sum(1) - padding * c[:, -1]) / self.counts for c in (self.x, self.y))
        return x, y

    def radii(self, x: Floats, y: Floats) -> Floats:
        """The radius around a point of each within which its corners lie, and a little more."""
        squares = (self.x - x[:, None]) ** 2 + (self.y - y[:, None]) ** 2
        radii: Floats = np.sqrt(squares.max(1)) * (1 + 1e-9)
        return radii

    def areas(self) -> Floats:
        """The area of each."""
        # Relative to a corner, lest what is far from the origin lose digits.
        x, y = self.x[:, 1:] - self.x[:, :1], self.y[:, 1:] - self.y[:, :1]
        areas: Floats = (x[:, :-1] * y[:, 1:] - x[:, 1:] * y[:, :-1]).sum(1) / 2
        return areas

    def distances(self, lines: Floats) -> Floats:
        """How far each corner lies on the positive side of its polygon's line, ``(n, W)``.

        Args:
            lines: a unit normal, an offset and a tolerance for each polygon, ``(n, 4)``. A corner that is closer to
                the line than the tolerance lies on it.
        """
        distances: Floats = lines[:, 0, None] * self.x
        distances += lines[:, 1, None] * self.y
        distances += lines[:, 2, None]
        distances[np.abs(distances) <= lines[:, 3, None]] = 0.0
        return distances


def cut(polygons: Polygons, distances: Floats, cuts: Integers) -> tuple[Polygons, Polygons]:
    """Cut each polygon by a line that has corners on both sides: the parts where it is positive and negative.

    Args:
        polygons: n of them.
        distances: of the corners from the line, ``(n, W)``, as :meth:`Polygons.distances` returns.
        cuts: what the new edges are called, ``(n,)``.
    """
    start, number = _run(polygons, distances > 0)
    entry, leave = _ends(polygons, distances, start, number)
    plus = _part(polygons, start, number, entry, leave, 2 * cuts + 1)
    minus = _part(polygons, *_run(polygons, distances < 0), leave, entry, 2 * cuts)
    return plus, minus


def positive_part(polygons: Polygons, distances: Floats, edges: Integers) -> Polygons:
    """The part of each polygon on the positive side alone, the new edge called ``edges``."""
    start, number = _run(polygons, distances > 0)
    return _part(polygons, start, number, *_ends(polygons, distances, start, number), edges)


def crossing_points(polygons: Polygons, distances: Floats) -> tuple[Points, Points]:
    """Where the corners, counterclockwise, come to the positive side of a line, and where they leave it."""
    return _ends(polygons, distances, *_run(polygons, distances > 0))


def _run(polygons: Polygons, side: Bools) -> tuple[Integers, Integers]:
    """The first corner of the only run of corners on this side, and how many they are."""
    within = np.arange(side.shape[1]) < polygons.counts[:, None]
    # The last column is or repeats the last corner, the one before the first.
    starts = side.copy()
    starts[:, 1:] &= ~side[:, :-1]
    starts[:, 0] &= ~side[:, -1]
    return starts.argmax(1), (side & within).sum(1)


def _ends(polygons: Polygons, distances: Floats, start: Integers, number: Integers) -> tuple[Points, Points]:
    """Where the edges into and out of a run of corners meet the line."""
    counts = polygons.counts
    entry = _between(polygons, distances, (start - 1) % counts, start)
    leave = _between(polygons, distances, (start + number) % counts, (start + number - 1) % counts)
    return entry, leave


def _between(polygons: Polygons, distances: Floats, near: Integers, far: Integers) -> Points:
    """Where the edge between two corners meets the line; exactly at ``near`` if that lies on it."""
    rows = np.arange(len(polygons))
    d = distances[rows, near]
    share = d / (d - distances[rows, far])
    x, y = polygons.x[rows, near], polygons.y[rows, near]
    return x + share * (polygons.x[rows, far] - x), y + share * (polygons.y[rows, far] - y)


def _part(
    polygons: Polygons,
    start: Integers,
    number: Integers,
    first: Points,
    last: Points,
    new_edges: Integers,
) -> Polygons:
    """The polygon of ``first``, a run of corners and ``last``, closed by a new edge."""
    n, width = polygons.x.shape
    columns = np.arange(int(number.max(initial=1)) + 2)
    number, counts = number[:, None], polygons.counts[:, None]
    source = (start[:, None] + np.minimum(columns, number) - 1) % counts + np.arange(n)[:, None] * width
    x, y, edges = (values.ravel()[source] for values in (polygons.x, polygons.y, polygons.edges))
    is_last = columns > number
    np.copyto(x, last[0][:, None], where=is_last)
    np.copyto(y, last[1][:, None], where=is_last)
    np.copyto(edges, new_edges[:, None], where=is_last)
    x[:, 0], y[:, 0] = first
    return Polygons(x, y, edges, number[:, 0] + 2)


def joined(parts: Sequence[Polygons]) -> Polygons:
    """All polygons of several arrays in one."""
    width = max(part.x.shape[1] for part in parts)
    padded = [part.padded(width) for part in parts]
    x, y, edges, counts = (
        np.concatenate([getattr(part, name) for part in padded]) for name in ("x", "y", "edges", "counts")
    )
    return Polygons(x, y, edges, counts)
