"""What :func:`betavq.geometry.partition` returns: linear regions on a polygon, one by one or as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from ._networks.graph import Layer
from ._plane.domain import Frame, Plane
from ._plane.locate import Locator
from ._plane.neighbours import Neighbours, find_overlaps
from ._plane.polygons import Codes, Floats, Integers
from ._plane.search import unpack

__all__ = ["Partition", "Region"]
__dir__ = __all__.copy


@dataclass(frozen=True)
class Region:
    """A convex polygon on which a network is affine, and selects the same pieces in all of its units.

    Attributes:
        polygon: its corners, counterclockwise, in plane coordinates, ``(V, 2)``.
        slopes: the network's outputs there are logits(p) = slopes @ p + offsets, ``(C, 2)``.
        offsets: ``(C,)``.
        code: which piece each unit selects, layer after layer, ``(U,)``.
        area: of the polygon.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import partition
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> square = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        >>> region = max(partition(net, square), key=lambda region: region.code.sum())
        >>> region.code.tolist(), region.slopes.tolist(), region.area
        ([1, 1], [[1.0, 0.0], [0.0, 1.0]], 1.0)
    """

    polygon: Floats
    slopes: Floats
    offsets: Floats
    code: Codes
    area: float

    def __repr__(self) -> str:
        return f"Region({len(self.polygon)} corners, {len(self.offsets)} outputs, area {self.area:.6g})"


class Partition(Sequence[Region]):
    """The linear regions of a network on a convex polygon: a sequence of :class:`Region`, and arrays over all of them.

    Points are in plane coordinates ``(s, t)``: the input itself for a network of two inputs, else
    ``origin + s·direction_1 + t·direction_2``, which :meth:`inputs` computes. Corners of all regions stand in one
    array, those of region i at ``vertices[starts[i]:starts[i + 1]]``, counterclockwise.

    Attributes:
        domain: the polygon, ``(V, 2)``, counterclockwise.
        layers: the layers of units. Layer ``d``, counted from 1, is ``layers[d - 1]``; depth 0 is the domain's border.
        vertices: corners of all regions, ``(T, 2)``.
        starts: where each region's corners start, and the end of the last, ``(n + 1,)``.
        edge_depth: at which layer the edge from each corner to the next appeared, ``(T,)``; 0 on the border.
        edge_unit: which of that layer's units has its kink there, ``(T,)``; the side's number on the border.
        slopes: logits(p) = slopes[i] @ p + offsets[i] in region i, ``(n, C, 2)``.
        offsets: ``(n, C)``.
        areas: of the regions, ``(n,)``.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import partition
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> quadrants = partition(net, [(-1, -1), (1, -1), (1, 1), (-1, 1)])
        >>> quadrants.codes[quadrants.locate([(0.5, -0.5)])].tolist()  # x > 0 > y
        [[1, 0]]
    """

    def __init__(
        self,
        domain: Floats,
        plane: Plane,
        frame: Frame,
        layers: Sequence[Layer],
        corners: tuple[Floats, Integers, Integers],
        lines: tuple[Integers, Integers],
        maps: tuple[Floats, Floats],
        areas: Floats,
        packed_codes: Sequence[Codes],
    ) -> None:
        self.domain, self.layers, self.areas = domain, tuple(layers), areas
        self.vertices, self.starts, self._edges = corners
        self.slopes, self.offsets = maps
        self._plane, self._frame, self._packed = plane, frame, packed_codes
        depths, units = lines
        inside = self._edges >= 0
        cut = np.where(inside, self._edges >> 1, 0)
        border = -1 - self._edges
        padded = (np.append(a, 0) for a in (depths, units))  # for a network without units
        depth, unit = (a[cut] for a in padded)
        self.edge_depth: Integers = np.where(inside, depth, 0)
        self.edge_unit: Integers = np.where(inside, unit, border)
        self._lines = lines

    def __len__(self) -> int:
        return len(self.areas)

    @overload
    def __getitem__(self, index: int) -> Region: ...
    @overload
    def __getitem__(self, index: slice) -> list[Region]: ...
    def __getitem__(self, index: int | slice) -> Region | list[Region]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"index must be below the number of regions, {len(self)}, got {index}")
        i = index % len(self)
        polygon = self.vertices[self.starts[i] : self.starts[i + 1]]
        return Region(
            polygon, self.slopes[i], self.offsets[i], self._codes_of(slice(i, i + 1))[0], float(self.areas[i])
        )

    def __repr__(self) -> str:
        units = " + ".join(str(layer.num_units) for layer in self.layers) or "no"
        return f"Partition({len(self):,} regions of {units} units, area {self.areas.sum():.6g})"

    @property
    def codes(self) -> Codes:
        """Which piece each unit selects in each region, layer after layer, ``(n, U)``; made anew at every call."""
        return self._codes_of(slice(None))

    def _codes_of(self, rows: Any) -> Codes:
        parts = zip(self._packed, self.layers, strict=True)
        unpacked = [unpack(packed[rows], layer.num_units, layer.num_pieces) for packed, layer in parts]
        if not unpacked:
            return np.zeros((len(self.areas[rows]), 0), dtype=np.uint8)
        return np.concatenate(unpacked, axis=1)

    @property
    def counts(self) -> Integers:
        """How many corners each region has, ``(n,)``."""
        return np.diff(self.starts)

    @cached_property
    def centres(self) -> Floats:
        """The mean of each region's corners, which is inside, ``(n, 2)``."""
        sums: Floats = np.add.reduceat(self.vertices, self.starts[:-1], axis=0)
        return sums / self.counts[:, None]

    @cached_property
    def neighbours(self) -> Neighbours:
        """Which regions share an edge, with the edges they share, as :class:`Neighbours`."""
        inside = self._edges >= 0
        following = np.arange(1, len(self.vertices) + 1)
        following[self.starts[1:] - 1] = self.starts[:-1]
        ours = (self.vertices - self._frame.centre) / self._frame.radius
        owners = np.repeat(np.arange(len(self)), self.counts)
        pairs, lines, segments = find_overlaps(
            ours[inside], ours[following[inside]], self._edges[inside], owners[inside]
        )
        segments = segments * self._frame.radius + self._frame.centre
        return Neighbours(pairs, segments, self._lines[0][lines], self._lines[1][lines])

    @cached_property
    def _locator(self) -> Locator:
        return Locator(self.vertices, self.starts)

    def locate(self, points: Any) -> Integers:
        """The region in which each point lies: ``(N, 2)`` → ``(N,)``; −1 outside the domain.

        A point on an edge, to within rounding, is given to one of the regions that meet there.

        Raises:
            ValueError: ``points`` not of shape ``(N, 2)``.
        """
        return self._locator.locate(_checked_points(points))

    def logits(self, points: Any) -> Floats:
        """The network's outputs by the map of the region of each point: ``(N, 2)`` → ``(N, C)``; NaN outside."""
        points = _checked_points(points)
        where = self._locator.locate(points)
        values: Floats = (self.slopes[where] * points[:, None]).sum(-1) + self.offsets[where]
        values[where < 0] = np.nan
        return values

    def inputs(self, points: Any) -> Tensor:
        """The network's inputs at points of the plane: ``(N, 2)`` → ``(N, …)``, float64."""
        return self._plane.inputs(_checked_points(points))


def _checked_points(points: Any) -> Floats:
    points = points.detach().cpu().numpy() if isinstance(points, torch.Tensor) else points
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"points must have shape (N, 2), got {array.shape}")
    return array
