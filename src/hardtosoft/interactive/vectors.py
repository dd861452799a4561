"""Axes of several numbers: what a reader types into boxes, and a point of a panel that can also be dragged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from random import Random
from typing import Any, ClassVar

import torch

from .frames import Frame
from .numbers import short

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Vector:
    """Several numbers that belong together; a figure function gets them as a float64 tensor of one dimension.

    Attributes:
        name: the figure function's parameter; it also names the axis in links (``#figure-id.scores=1,3,0``).
        label: what stands beside the boxes.
        labels: what stands beside each box.
        low, high: of each number, the bounds that it must not leave.
        start: the numbers shown first.
        step: what an arrow key adds; ten of it with the shift key.
        panel: the panel in which a handle stands at the two numbers, a point's; None for boxes alone.

    Raises:
        ValueError: labels, bounds and start of different lengths, a start out of bounds, or a handle that is no point.
    """

    name: str
    label: str
    labels: tuple[str, ...]
    low: Numbers
    high: Numbers
    start: Numbers
    step: float
    panel: int | None = None

    is_choice: ClassVar[bool] = False
    plays: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not len(self.labels) == len(self.low) == len(self.high) == len(self.start) > 0:
            raise ValueError(f"axis {self.name!r}: labels, low, high and start must be equally many, at least one")
        if self.panel is not None and len(self.start) != 2:
            raise ValueError(f"axis {self.name!r}: a handle stands at 2 numbers, got {len(self.start)}")
        self.check(self.start)

    @property
    def values(self) -> tuple[Numbers, ...]:
        """The one value that a page of stored states holds."""
        return (self.start,)

    @property
    def settings(self) -> dict[str, Any]:
        """What the figures' script needs to know of it."""
        numbers = {"labels": self.labels, "low": self.low, "high": self.high, "step": self.step}
        one = {"name": self.name, "label": self.label, "values": self.values, "words": [self.words(self.start)]}
        handle = {} if self.panel is None else {"handle": {"panel": self.panel}}
        return {**one, "start": 0, "numbers": numbers, **handle}

    @property
    def named(self) -> dict[Numbers, str]:
        """No value has a name."""
        return {}

    def check(self, value: object) -> Numbers:
        """``value``, of torch or numpy too, as numbers of this axis.

        Raises:
            ValueError: as many numbers as there are boxes is not what it is, or one is out of its bounds.
        """
        try:
            found = tuple(float(number) for number in value)  # type: ignore[attr-defined]
        except (TypeError, ValueError, RuntimeError):
            found = ()
        if not self._holds(found):
            bounds = list(zip(self.low, self.high, strict=True))
            shown = ", ".join(f"{short(low)} to {short(high)}" for low, high in dict.fromkeys(bounds))
            raise ValueError(f"{self.name} must be {len(bounds)} numbers from {shown}, got {value!r}")
        return tuple(number + 0.0 for number in found)

    def _holds(self, numbers: Numbers) -> bool:
        if len(numbers) != len(self.start):
            return False
        bounds = zip(numbers, self.low, self.high, strict=True)
        return all(isfinite(number) and low <= number <= high for number, low, high in bounds)

    @property
    def notable(self) -> list[Numbers]:
        """Where a figure function may answer in another way than nearby: at the ends, and where two numbers tie."""
        ties = [
            tuple(other if k == i else number for k, number in enumerate(self.start))
            for i in range(len(self.start))
            for other in dict.fromkeys(self.start)
        ]
        equal = [(number,) * len(self.start) for number in self.start]
        found = dict.fromkeys([self.start, self.low, self.high, *ties, *equal])
        return [each for each in found if self._holds(each)]

    def drawn(self, chance: Random) -> Numbers:
        """Numbers drawn at random within their bounds."""
        return tuple(chance.uniform(low, high) for low, high in zip(self.low, self.high, strict=True))

    def words(self, value: Any) -> str:
        """The numbers as they are read aloud: ``z₁ = 1, z₂ = 3, z₃ = 0``."""
        return ", ".join(f"{label} = {short(number)}" for label, number in zip(self.labels, value, strict=True))


def vector(
    name: str,
    label: str,
    labels: tuple[str, ...],
    low: float,
    high: float,
    *,
    start: Numbers,
    step: float = 0.1,
) -> Vector:
    """Labelled number boxes, all with the same bounds."""
    count = len(labels)
    return Vector(name, label, labels, (low,) * count, (high,) * count, tuple(map(float, start)), step)


def point(
    name: str,
    label: str,
    panel: int,
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    start: tuple[float, float],
    labels: tuple[str, str] = ("x₁", "x₂"),
    step: float = 0.05,
) -> Vector:
    """A point of a panel: a handle for pointer, finger and arrow keys, and two number boxes."""
    low, high = zip(x, y, strict=True)
    return Vector(name, label, labels, low, high, (float(start[0]), float(start[1])), step, panel)


def taking_tensors(function: Callable[..., Frame]) -> Callable[..., Frame]:
    """``function`` called with tensors where numbers of a vector are given."""

    def called(**values: Any) -> Frame:
        given = {
            name: torch.tensor(value, dtype=torch.float64) if isinstance(value, tuple) else value
            for name, value in values.items()
        }
        return function(**given)

    return called
