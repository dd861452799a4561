"""Where a network decides otherwise: the exact lines between its classes, and how they bend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from torch import nn

from ._plane.polygons import Floats, Integers
from ._segments import Segments, chained, find_segments
from .partitions import Progress, partition
from .regions import Partition

__all__ = ["Boundary", "Polyline", "decision_boundary"]
__dir__ = __all__.copy


@dataclass(frozen=True)
class Polyline:
    """A connected part of the border between two classes.

    Attributes:
        points: its corners, ``(P, 2)``; the higher class is on the left. The last is the first if it is closed.
        classes: the two classes, the lower first.
        regions: the linear region that each straight part lies in, ``(P - 1,)``.
        angles: by how many degrees it turns at its corners, positive to the left: at ``points[1:-1]``, ``(P - 2,)``;
            at ``points[1:]``, ``(P - 1,)``, if it is closed. They are the angles between the normals of the parts,
            the differences of the two classes' slopes.
        is_closed: whether it ends where it starts.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import decision_boundary
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.5)).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> line = decision_boundary(net, [(-1, -1), (1, -1), (1, 1), (-1, 1)])[0]
        >>> line.classes, round(line.length, 4)
        ((0, 1), 2.8284)
    """

    points: Floats
    classes: tuple[int, int]
    regions: Integers
    angles: Floats
    is_closed: bool

    def __repr__(self) -> str:
        shape = "closed" if self.is_closed else "open"
        parts = f"{len(self.regions):,} straight parts of length {self.length:.6g}"
        return f"Polyline(classes {self.classes}, {shape}, {parts})"

    @property
    def length(self) -> float:
        """The length, in plane coordinates."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


class Boundary(Sequence[Polyline]):
    """What :func:`decision_boundary` returns: polylines, longest first.

    Attributes:
        partition: the linear regions that they run through.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import decision_boundary
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.5)).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> border = decision_boundary(net, [(-1, -1), (1, -1), (1, 1), (-1, 1)])
        >>> len(border), len(border.partition)
        (1, 4)
    """

    def __init__(self, regions: Partition, polylines: Sequence[Polyline]) -> None:
        self.partition = regions
        self._polylines = tuple(polylines)

    def __len__(self) -> int:
        return len(self._polylines)

    @overload
    def __getitem__(self, index: int) -> Polyline: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Polyline]: ...
    def __getitem__(self, index: int | slice) -> Polyline | Sequence[Polyline]:
        return self._polylines[index]

    def __repr__(self) -> str:
        parts = sum(len(line.regions) for line in self)
        return f"Boundary({len(self)} polylines of {parts:,} straight parts)"


def decision_boundary(
    model: nn.Module | Partition,
    domain: Any = None,
    *,
    plane: Any = None,
    max_regions: int = 200_000,
    max_bytes: int = 2**30,
    progress: bool | Progress | None = None,
) -> Boundary:
    r"""The exact border between the classes of a piecewise affine network on a convex polygon.

    The class is the argmax of the logits; that of a network with one logit f is 1 where f > 0, else 0. In a linear
    region ω the border between c and c' is straight,

    .. math:: \langle A_{\omega, c} - A_{\omega, c'}, x \rangle + b_{\omega, c} - b_{\omega, c'} = 0,

    and where it crosses into another region it bends, by the angle between the two normals A_c − A_c'. Where both
    logits are the same throughout a region, it has no border.

    Args:
        model: a network as :func:`partition` takes it, or the :class:`Partition` of one.
        domain, plane, max_regions, max_bytes, progress: as for :func:`partition`; for a partition, left out.

    Returns:
        A :class:`Boundary`, a sequence of :class:`Polyline`: ``points``, ``classes``, ``angles`` …

    Raises:
        ValueError, TypeError: as :func:`partition`.

    Source: Balestriero, Cosentino, Aazhang & Baraniuk (2019), arXiv 1905.08443, decision boundary and its curvature.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import decision_boundary
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.5)).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> border = decision_boundary(net, [(-1, -1), (1, -1), (1, 1), (-1, 1)])
        >>> border[0].points.tolist()  # where the first output is the second
        [[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]]
    """
    if isinstance(model, Partition):
        if domain is not None or plane is not None:
            raise ValueError("domain and plane must be left out for a partition, which has its own")
        regions = model
    else:
        regions = partition(
            model, domain, plane=plane, max_regions=max_regions, max_bytes=max_bytes, progress=progress
        )
    segments = find_segments(regions)
    size = float(np.ptp(regions.domain, axis=0).max())
    lines = [_polyline(segments, chain, closed) for chain, closed in chained(segments, 1e-8 * size)]
    return Boundary(regions, sorted(lines, key=lambda line: -line.length))


def _polyline(segments: Segments, chain: Integers, closed: bool) -> Polyline:
    starts, ends = segments.starts[chain], segments.ends[chain]
    inner = (ends[:-1] + starts[1:]) / 2
    first, last = (starts[:1], ends[-1:]) if not closed else ((starts[:1] + ends[-1:]) / 2,) * 2
    normals = segments.normals[chain]
    after = np.roll(normals, -1, axis=0) if closed else normals[1:]
    before = normals if closed else normals[:-1]
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    angles = np.degrees(np.arctan2(cross, (before * after).sum(1)))
    low, high = segments.classes[chain[0]]
    points = np.concatenate((first, inner, last))
    return Polyline(points, (int(low), int(high)), segments.regions[chain], angles, closed)
