"""Several small pictures on one sheet: from the left to the right, from the top down, with room between them."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ..interactive.frames import Array, array

SIDE, GAP = 8, 2


def sheet(images: Tensor, columns: int) -> Array:
    """Images of 8 × 8 pixels, ``(N, 64)`` in [0, 1], as one picture with a margin of paper; N fills whole rows."""
    tiles = np.pad(array(images).reshape(-1, columns, SIDE, SIDE), ((0, 0), (0, 0), (0, GAP), (0, GAP)))
    rows, pitch = len(tiles), SIDE + GAP
    joined = tiles.transpose(0, 2, 1, 3).reshape(rows * pitch, columns * pitch)
    return np.pad(joined, ((GAP, 0), (GAP, 0)))


def size(count: int, columns: int) -> tuple[int, int]:
    """Width and height of a sheet in pixels."""
    pitch = SIDE + GAP
    return columns * pitch + GAP, count // columns * pitch + GAP


def outline(place: int, count: int, columns: int) -> Array:
    """The frame of one picture of a sheet and a gap after it, ``(6, 2)``; the first row stands at the top."""
    pitch = SIDE + GAP
    left = GAP + place % columns * pitch
    top = size(count, columns)[1] - GAP - place // columns * pitch
    corners = ((0, 0), (SIDE, 0), (SIDE, -SIDE), (0, -SIDE), (0, 0), (np.nan, np.nan))
    return np.array([(left + x, top + y) for x, y in corners])
