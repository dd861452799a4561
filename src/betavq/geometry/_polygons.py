"""Convex polygons of the plane by the thousand, in padded arrays, and how lines cut them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np

# As numpy.typing.NDArray, which takes time to import.
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Integers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Bools: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
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

    def trimmed(self) -> Self:
        """The same with as few columns as the polygons need."""
        width = int(self.counts.max(initial=1))
        if width == self.x.shape[1]:
            return self
        return type(self)(self.x[:, :width], self.y[:, :width], self.edges[:, :width], self.counts)

    def centres(self) -> tuple[Floats, Floats]:
        """The mean of the corners, which is inside."""
        padding = self.x.shape[1] - self.counts
        x, y = ((c.sum(1) - padding * c[:, -1]) / self.counts for c in (self.x, self.y))
        return x, y

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
    n, width = polygons.x.shape
    rows = np.arange(n)
    columns = np.arange(width)
    within = columns < polygons.counts[:, None]
    positive, negative = distances > 0, distances < 0
    start_positive, start_negative = (_first_of_run(side) for side in (positive, negative))
    num_positive, num_negative = ((side & within).sum(1) for side in (positive, negative))
    counts = polygons.counts
    before = (start_positive - 1) % counts
    last = (start_positive + num_positive - 1) % counts
    after = (start_positive + num_positive) % counts
    entry = _between(polygons, distances, rows, before, start_positive)
    leave = _between(polygons, distances, rows, after, last)
    plus = _part(polygons, start_positive, num_positive, entry, leave, 2 * cuts + 1)
    minus = _part(polygons, start_negative, num_negative, leave, entry, 2 * cuts)
    return plus, minus


def positive_part(polygons: Polygons, distances: Floats, edges: Integers) -> Polygons:
    """The part of each polygon on the positive side alone, the new edge called ``edges``."""
    within = np.arange(polygons.x.shape[1]) < polygons.counts[:, None]
    positive = distances > 0
    start, number = _first_of_run(positive), (positive & within).sum(1)
    counts, rows = polygons.counts, np.arange(len(polygons))
    entry = _between(polygons, distances, rows, (start - 1) % counts, start)
    leave = _between(polygons, distances, rows, (start + number) % counts, (start + number - 1) % counts)
    return _part(polygons, start, number, entry, leave, edges)


def _first_of_run(side: Bools) -> Integers:
    """The first corner of the only run of corners on this side."""
    # The last column is or repeats the last corner, the one before the first.
    starts = side.copy()
    starts[:, 1:] &= ~side[:, :-1]
    starts[:, 0] &= ~side[:, -1]
    first: Integers = starts.argmax(1)
    return first


def _between(
    polygons: Polygons, distances: Floats, rows: Integers, near: Integers, far: Integers
) -> tuple[Floats, Floats]:
    """Where the edge between two corners meets the line; exactly at ``near`` if that lies on it."""
    d = distances[rows, near]
    share = d / (d - distances[rows, far])
    x, y = polygons.x[rows, near], polygons.y[rows, near]
    return x + share * (polygons.x[rows, far] - x), y + share * (polygons.y[rows, far] - y)


def _part(
    polygons: Polygons,
    start: Integers,
    number: Integers,
    first: tuple[Floats, Floats],
    last: tuple[Floats, Floats],
    new_edges: Integers,
) -> Polygons:
    """The polygon of ``first``, a run of corners and ``last``, closed by a new edge."""
    n, width = polygons.x.shape
    columns = np.arange(int(number.max()) + 2)
    number, counts = number[:, None], polygons.counts[:, None]
    source = (start[:, None] + np.minimum(columns, number) - 1) % counts + np.arange(n)[:, None] * width
    x, y, edges = (values.ravel()[source] for values in (polygons.x, polygons.y, polygons.edges))
    is_last = columns > number
    np.copyto(x, last[0][:, None], where=is_last)
    np.copyto(y, last[1][:, None], where=is_last)
    np.copyto(edges, new_edges[:, None], where=is_last)
    x[:, 0], y[:, 0] = first
    return Polygons(x, y, edges, number[:, 0] + 2)
