"""The network of two moons as several chapters draw it: its box, its points, its exact regions while it is trained."""

from __future__ import annotations

from functools import cache

from betavq.geometry import Boundary, Partition, decision_boundary, partition

from ..interactive import palette
from ..interactive.frames import Trace, dots
from ..results.networks import module_of, moons_snapshots, two_moons_training_set
from .raster import Plane
from .regions import rectangle

BOX = Plane((-1.6, 2.6), (-1.2, 1.7), 84, 58)
LAYOUT = BOX.layout((-1, 0, 1, 2), (-1, 0, 1))
TRAINED = 1500  # steps


@cache
def moons_partition(step: int = TRAINED) -> Partition:
    """The regions of the network after ``step`` steps of training, in the box."""
    return partition(module_of(moons_snapshots()[step]), rectangle(BOX.x, BOX.y))


@cache
def moons_boundary(step: int = TRAINED) -> Boundary:
    """Where the network decides after ``step`` steps of training, in the box."""
    return decision_boundary(moons_partition(step))


def moons(names: tuple[str, str] = ("upper moon", "lower moon"), size: float = 4) -> list[Trace]:
    """The points that the network was trained with."""
    points, labels = two_moons_training_set()
    first, second = points[labels == 0], points[labels == 1]
    return [
        dots(names[0], first[:, 0], first[:, 1], palette.BLUE, size=size, label=True),
        dots(names[1], second[:, 0], second[:, 1], palette.ORANGE, symbol="square", size=size, label=True),
    ]
