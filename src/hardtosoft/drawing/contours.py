"""Level lines as traces draw them: one array of a fixed number of points, its pieces parted by NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from contourpy import contour_generator

from ..interactive.frames import array

Array = np.ndarray[Any, Any]


def level_line(x: Any, y: Any, z: Any, level: float, count: int) -> Array:
    """Where the surface ``z`` has the height ``level``.

    Args:
        x, y: the grid's places, ``(columns,)`` and ``(rows,)``.
        z: heights, ``(rows, columns)``.
        level: the height.
        count: number of points in all, the same in every state of a figure; each piece of the line gets its share
            by length, and what is left over is NaN.

    Returns:
        ``(count, 2)`` points, NaN where the line is interrupted; NaN throughout where there is none.
    """
    pieces = [array(piece) for piece in contour_generator(array(x), array(y), array(z)).lines(level)]
    lengths = [float(np.hypot(*np.diff(piece, axis=0).T).sum()) for piece in pieces]
    room, total = count - len(pieces), sum(lengths) or 1.0
    gap = np.full((1, 2), np.nan)
    parts = []
    for piece, length in zip(pieces, lengths, strict=True):
        parts += [_resample(piece, max(2, int(room * length / total))), gap]
    found = np.concatenate([*parts, np.full((count, 2), np.nan)])
    return found[:count]


def _resample(piece: Array, count: int) -> Array:
    """``count`` points evenly spaced along a polyline."""
    along = np.concatenate([[0.0], np.hypot(*np.diff(piece, axis=0).T).cumsum()])
    wanted = np.linspace(0, along[-1], count)
    return np.column_stack([np.interp(wanted, along, piece[:, axis]) for axis in (0, 1)])
