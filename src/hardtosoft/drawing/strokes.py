"""Lines in pieces, as a trace draws them: one array of points, its pieces parted by NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..interactive.frames import Array


def parted(pieces: Any) -> Array:
    """Pieces of as many points each, ``(N, P, 2)``, one after another and a gap after each: ``(N·(P + 1), 2)``."""
    points = np.asarray(pieces, dtype=float)
    return np.concatenate([points, np.full((len(points), 1, 2), np.nan)], axis=1).reshape(-1, 2)


def upright(places: Any, low: Any, high: Any) -> Array:
    """A stroke from ``low`` to ``high`` at each of N places, ``(3N, 2)``."""
    x, low, high = np.broadcast_arrays(places, low, high)
    return parted(np.stack([np.stack([x, end], axis=-1) for end in (low, high)], axis=1))


def filled(points: Array, count: int) -> Array:
    """Points and then NaN, ``count`` in all: as many in every state of a figure."""
    return np.concatenate([points, np.full((count - len(points), *points.shape[1:]), np.nan)])
