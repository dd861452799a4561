"""Settings chosen on images held out, over several seeds; the grid is extended once where the best is an end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

Point = tuple[float, ...]
Score = Callable[[Sequence[Point]], Sequence[float]]


@dataclass(frozen=True)
class Axis:
    """What is tried of one quantity.

    Attributes:
        name: of the quantity.
        values: in ascending order. A single one is no choice, and has no ends.
        below: what is tried besides if the smallest does best; None for nothing.
        above: the same of the largest.
    """

    name: str
    values: tuple[float, ...]
    below: float | None = None
    above: float | None = None

    def beyond(self, best: float) -> tuple[float, ...]:
        """What an extension adds if ``best`` did best."""
        ends = {self.values[0]: self.below, self.values[-1]: self.above} if len(self.values) > 1 else {}
        added = ends.get(best)
        return () if added is None else (added,)


@dataclass(frozen=True)
class Choice:
    """The point of the grid that did best.

    Attributes:
        best: its values, axis by axis.
        edges: the axes of which it is the smallest or the largest value that was tried.
    """

    best: Point
    edges: tuple[str, ...]


def choose(axes: Sequence[Axis], score: Score) -> Choice:
    """The point of highest score; of equal ones the first in ascending order. The grid is extended once at most.

    Where the best value of an axis is an end, the next one is tried with all values of the other axes.
    """
    scores = _scored(product(*(axis.values for axis in axes)), score)
    first = _best(scores)
    more = [
        point
        for i, axis in enumerate(axes)
        for point in product(*(axis.beyond(first[i]) if i == j else other.values for j, other in enumerate(axes)))
    ]
    scores |= _scored(more, score)
    best = _best(scores)
    edges = [
        axis.name
        for i, axis in enumerate(axes)
        if len(axis.values) > 1 and best[i] in (min(point[i] for point in scores), max(point[i] for point in scores))
    ]
    return Choice(best, tuple(edges))


def _scored(points: Any, score: Score) -> dict[Point, float]:
    tried = list(points)
    return dict(zip(tried, score(tried), strict=True)) if tried else {}


def _best(scores: dict[Point, float]) -> Point:
    return min(scores, key=lambda point: (-scores[point], point))
