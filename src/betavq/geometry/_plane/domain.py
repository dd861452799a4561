"""The polygon on which a network is looked at, and the plane of the input space in which it lies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .polygons import Floats, Polygons

#: What the area of a domain must be at least, in units of its diameter squared.
FLATTEST = 1e-9
#: How wide a domain may be; the smallest is one over it. Areas and their squares are to fit into float64.
LARGEST = 1e75


@dataclass(frozen=True)
class Plane:
    """Where plane coordinates (s, t) lie in the input space: origin + s·first + t·second.

    Attributes:
        origin, first, second: of the shape of one input.
        needs: what to say of a network that does not take such inputs.
    """

    origin: Tensor
    first: Tensor
    second: Tensor
    needs: str = ""

    def inputs(self, points: Floats) -> Tensor:
        """The inputs at plane coordinates ``(N, 2)``: ``(N, …)``."""
        s, t = (torch.as_tensor(c).reshape(-1, *[1] * self.origin.dim()) for c in np.moveaxis(points, -1, 0))
        return self.origin + s * self.first + t * self.second


@dataclass(frozen=True)
class Frame:
    """Coordinates in which the domain lies in the unit circle: plane coordinates = centre + radius · ours."""

    centre: Floats
    radius: float

    @property
    def points(self) -> Floats:
        """Our (0, 0), (1, 0) and (0, 1) in plane coordinates, ``(3, 2)``."""
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        points: Floats = self.centre + self.radius * corners
        return points

    def polygon(self, corners: Floats) -> Polygons:
        """One polygon from plane coordinates ``(V, 2)``, its edges numbered −1, −2 … as border of the domain."""
        x, y = ((corners - self.centre) / self.radius).T
        count = len(corners)
        return Polygons(x[None], y[None], -1 - np.arange(count)[None], np.array([count]))


def frame_of(corners: Floats) -> Frame:
    """The frame of a polygon with corners ``(V, 2)``."""
    centre = (corners.min(0) + corners.max(0)) / 2
    return Frame(centre, float(np.hypot(*(corners - centre).T).max()))


def check_domain(domain: Any) -> Floats:
    """The corners of a convex polygon counterclockwise, without those on a straight side; ``(V, 2)``.

    Raises:
        ValueError: not ``(V, 2)`` with V ≥ 3, not finite, not convex, or without area.
    """
    try:
        corners: Floats = np.array(
            domain.detach().cpu().numpy() if isinstance(domain, Tensor) else domain, dtype=np.float64
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"domain must be corners of shape (V, 2), got {type(domain).__name__}") from error
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:
        raise ValueError(f"domain must be at least 3 corners of shape (V, 2), got shape {corners.shape}")
    if not np.isfinite(corners).all():
        raise ValueError("domain must have finite corners, got NaN or infinity")
    if np.array_equal(corners[0], corners[-1]):
        corners = corners[:-1]
    size = np.ptp(corners / 2, axis=0).max() * 2
    if size and not 1 / LARGEST < size < LARGEST:
        raise ValueError(f"domain must be from {1 / LARGEST:.0e} to {LARGEST:.0e} wide, got {size:.2e}")
    centred = corners - corners.mean(0)
    if size == 0 or np.linalg.svd(centred / size, compute_uv=False)[-1] <= FLATTEST:
        raise ValueError(f"domain must have an area, got corners on a line: {corners.tolist()}")
    corners = corners[::-1] if _area(corners) < 0 else corners
    for i, j in combinations(range(len(corners)), 2):
        if np.abs(corners[i] - corners[j]).max() <= 1e-12 * size:
            raise ValueError(f"domain must have each of its corners once, got {corners[i].tolist()} twice")
    turns = _turns(corners) / size**2
    if turns.min() < -1e-12 or _winding(corners) != 1:
        fault = "sides that cross" if _is_crossed(corners) else "corners that turn both ways, or around more than once"
        raise ValueError(f"domain must be a convex polygon with its corners in order, got {fault}")
    kept = turns > 1e-12
    kept_corners: Floats = corners[kept]
    return kept_corners


def check_plane(plane: Any) -> Plane:
    """The plane through an origin along two directions.

    Raises:
        ValueError: not three arrays of one shape, not finite, or directions that are parallel.
    """
    if plane is None:
        needs = ", or plane must be given: an origin and two directions of the shape of one input"
        first, second = torch.eye(2, dtype=torch.float64)
        return Plane(torch.zeros_like(first), first, second, needs)
    try:
        origin, first, second = (torch.as_tensor(a, dtype=torch.float64).detach().cpu() for a in plane)
    except (TypeError, ValueError) as error:
        raise ValueError("plane must be an origin and two directions, three arrays of one input's shape") from error
    if not origin.shape == first.shape == second.shape:
        shapes = ", ".join(str(tuple(a.shape)) for a in (origin, first, second))
        raise ValueError(f"plane must have an origin and two directions of one shape, got {shapes}")
    if not all(bool(torch.isfinite(a).all()) for a in (origin, first, second)):
        raise ValueError("plane must be finite, got NaN or infinity")
    lengths = torch.linalg.svdvals(torch.stack((first.flatten(), second.flatten())))
    if len(lengths) < 2 or not lengths[1] > 1e-9 * lengths[0]:
        raise ValueError("plane must have two directions that are not parallel, got a single line or a point")
    return Plane(origin, first, second)


def _area(corners: Floats) -> float:
    x, y = (corners - corners[0]).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def _turns(corners: Floats) -> Floats:
    (x0, y0), (x1, y1) = (corners - np.roll(corners, 1, axis=0)).T, (np.roll(corners, -1, axis=0) - corners).T
    turns: Floats = x0 * y1 - y0 * x1
    return turns


def _is_crossed(corners: Floats) -> bool:
    """Whether two sides cross, or touch within."""
    following = np.roll(corners, -1, axis=0)
    apart = [(i, j) for i, j in combinations(range(len(corners)), 2) if 1 < j - i < len(corners) - 1]
    return any(_do_cross(corners[i], following[i], corners[j], following[j]) for i, j in apart)


def _do_cross(a: Floats, b: Floats, c: Floats, d: Floats) -> bool:
    """Whether the sides from a to b and from c to d cross."""
    apart = _cross(b - a, c - a) * _cross(b - a, d - a) < 0
    return apart and _cross(d - c, a - c) * _cross(d - c, b - c) < 0


def _cross(first: Floats, second: Floats) -> float:
    return float(first[0] * second[1] - first[1] * second[0])


def _winding(corners: Floats) -> int:
    """How often the sides turn around."""
    sides = np.roll(corners, -1, axis=0) - corners
    angles = np.arctan2(sides[:, 1], sides[:, 0])
    turns = (np.diff(angles, append=angles[0]) + np.pi) % (2 * np.pi) - np.pi
    return round(float(turns.sum()) / (2 * np.pi))
