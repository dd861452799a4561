"""In which of many convex polygons a point lies: a grid of buckets, then the sides of the polygons in the bucket."""

from __future__ import annotations

import numpy as np

from .polygons import Floats, Integers

#: How many polygons a bucket of the grid has about.
PER_BUCKET = 0.5
#: Pairs of point and polygon that are looked at at once.
CHUNK = 2**16


class Locator:
    """Polygons given by flat corners ``(T, 2)``, counterclockwise, and ``starts`` ``(n + 1,)``."""

    def __init__(self, vertices: Floats, starts: Integers) -> None:
        self.vertices, self.starts = vertices, starts
        n = len(starts) - 1
        low, high = (f.reduceat(vertices, starts[:-1], axis=0) for f in (np.minimum, np.maximum))
        self.low, self.high = low.min(0), high.max(0)
        self.size = max(1, int(np.sqrt(n / PER_BUCKET)))
        self.step = (self.high - self.low) / self.size
        first, last = self._bucket(low - 1e-9 * self.step), self._bucket(high + 1e-9 * self.step)
        spans = last - first + 1
        number = spans.prod(1)
        owners = np.repeat(np.arange(n), number)
        place = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        rows = first[owners, 1] + place // spans[owners, 0]
        columns = first[owners, 0] + place % spans[owners, 0]
        buckets = rows * self.size + columns
        order = np.argsort(buckets, kind="stable")
        self.members = owners[order]
        self.first = np.searchsorted(buckets[order], np.arange(self.size**2 + 1))
        self._lay_sides()

    def _lay_sides(self) -> None:
        """Inner unit normals and offsets of the sides, ``(W, n)``, padded with one that all points are inside of."""
        counts = np.diff(self.starts)
        following = np.arange(1, len(self.vertices) + 1)
        following[self.starts[1:] - 1] = self.starts[:-1]
        (x, y), (along_x, along_y) = self.vertices.T, (self.vertices[following] - self.vertices).T
        length = np.maximum(np.hypot(along_x, along_y), np.finfo(float).tiny)
        within = np.arange(int(counts.max())) < counts[:, None]
        self.sides = np.zeros((3, *within.shape))
        self.sides[2] = np.inf
        self.sides[:, within] = (-along_y, along_x, along_y * x - along_x * y) / length
        self.sides = np.ascontiguousarray(self.sides.transpose(2, 0, 1))

    def _bucket(self, points: Floats) -> Integers:
        buckets: Integers = np.floor((points - self.low) / self.step).astype(int).clip(0, self.size - 1)
        return buckets

    def locate(self, points: Floats) -> Integers:
        """The polygon that each point ``(N, 2)`` lies in deepest, or −1."""
        found = np.full(len(points), -1)
        slack = 1e-9 * self.step
        inside = np.flatnonzero(((points >= self.low - slack) & (points <= self.high + slack)).all(1))
        columns, rows = self._bucket(points[inside]).T
        bucket = rows * self.size + columns
        counts = self.first[bucket + 1] - self.first[bucket]
        begin, total = 0, np.cumsum(counts)
        while begin < len(inside):
            done = total[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(total, done + CHUNK, side="right")))
            part = slice(begin, end)
            found[inside[part]] = self._deepest(points[inside[part]], self.first[bucket[part]], counts[part])
            begin = end
        return found

    def _deepest(self, points: Floats, first: Integers, counts: Integers) -> Integers:
        some = counts > 0
        point = np.repeat(np.arange(len(points)), counts)
        starts = np.cumsum(counts) - counts
        polygon = self.members[np.repeat(first - starts, counts) + np.arange(len(point))]
        x, y = points[point].T
        depth = np.full(len(point), np.inf)
        for a, b, c in self.sides:
            np.minimum(depth, a[polygon] * x + b[polygon] * y + c[polygon], out=depth)
        deepest = np.full(len(points), -np.inf)
        deepest[some] = np.maximum.reduceat(depth, starts[some])
        winners = np.flatnonzero(depth == deepest[point])
        best = np.full(len(points), -1)
        best[point[winners]] = polygon[winners]
        best[deepest < -1e-12 * max(1.0, float(np.abs(self.vertices).max()))] = -1
        return best
