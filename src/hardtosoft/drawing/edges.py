"""Edges and level lines: of units of two inputs exactly, of other surfaces from a grid of their heights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from contourpy import contour_generator
from torch import Tensor

from betavq import MASO

from ..interactive.frames import Array, array


def pairs(count: int) -> Array:
    """The pairs of pieces, (0, 1), (0, 2) … (R − 2, R − 1), in the order of :func:`edges`."""
    return np.array(list(combinations(range(count), 2)), dtype=int).reshape(-1, 2)


def edges(unit: MASO, box_x: tuple[float, float], box_y: tuple[float, float]) -> Tensor:
    """The edges between the cells of a unit of two inputs, inside a box.

    A piece that is excluded, with the offset −∞, has no cell and no edges.

    Returns:
        ``(R(R − 1)/2, 3, 2)``: for every pair of pieces, in the order of :func:`pairs`, the ends of the edge
        between their cells and a gap of NaN; NaN throughout if their cells do not meet in the box.
    """
    slopes, offsets = unit.slopes[0].detach().double(), unit.offsets[0].detach().double()
    first, second = torch.from_numpy(pairs(len(slopes))).T
    low, high = torch.tensor([box_x, box_y], dtype=torch.float64).T
    normal, shift = slopes[first] - slopes[second], offsets[first] - offsets[second]
    length = torch.hypot(normal[:, 0], normal[:, 1])
    length = length.where((length > 0) & shift.isfinite(), math.nan)  # parallel or excluded pieces have no edge
    start = -(shift / length.square())[:, None] * normal
    along = torch.stack([-normal[:, 1], normal[:, 0]], -1) / length[:, None]
    # On the tie of a pair, start + s·along, the other pieces and the sides of the box each leave a half line.
    over = slopes[first][:, None] - slopes
    height = (over * start[:, None]).sum(-1) + offsets[first][:, None] - offsets
    growth = (over * along[:, None]).sum(-1)
    others = torch.arange(len(slopes))
    tied = (others == first[:, None]) | (others == second[:, None])
    height, growth = height.where(~tied, 1.0), growth.where(~tied, 0.0)
    height = torch.cat([height, start - low, high - start], 1)
    growth = torch.cat([growth, along, -along], 1)
    reach = -height / growth
    begin = reach.where(growth > 0, -math.inf).amax(1)
    end = reach.where(growth < 0, math.inf).amin(1)
    there = (begin < end) & ~((growth == 0) & (height < 0)).any(1)
    ends = start[:, None] + torch.stack([begin, end], 1)[..., None] * along[:, None]
    return F.pad(ends.where(there[:, None, None], math.nan), (0, 0, 0, 1), value=math.nan)


def level_lines(unit: MASO, levels: Sequence[float], box_x: tuple[float, float], box_y: tuple[float, float]) -> Tensor:
    """Where the value of a unit of two inputs has each of the heights, inside a box.

    Returns:
        ``(len(levels) · R, 3, 2)``: for every level and piece the ends of a straight part and a gap of NaN, as
        :func:`edges`.
    """
    count = unit.num_pieces
    slopes = F.pad(unit.slopes[:1].detach(), (0, 0, 0, 1))
    shore = torch.from_numpy(pairs(count + 1)[:, 1] == count)
    # Flooded up to a level: the shore is the edge between the old cells and that of a flat piece, the water.
    flooded = [F.pad(unit.offsets[:1].detach(), (0, 1), value=float(level)) for level in levels]
    return torch.cat([edges(MASO(slopes, offsets), box_x, box_y)[shore] for offsets in flooded])


def crossings(unit: MASO, ends: Tensor) -> Tensor:
    """Where the selection changes on the straight way between two points, ``(2, 2)``.

    Returns:
        ``(R − 1,)`` shares of the way, in order; what is left over is NaN.
    """
    begin, end = unit.scores(ends)[:, 0].detach()
    first, second = torch.from_numpy(pairs(unit.num_pieces)).T
    rise = end - begin
    bend = rise[first] - rise[second]
    share = (begin[second] - begin[first]) / bend.where(bend != 0, math.nan)
    there = begin + share[:, None] * rise
    leads = there.gather(1, first[:, None])[:, 0] >= there.amax(1) - 1e-12
    found = share.where((share >= 0) & (share <= 1) & leads, math.nan)
    found = ((found * 1e12).round() / 1e12).sort().values
    again = F.pad(found[1:] == found[:-1], (1, 0))  # where three pieces tie
    shares: Tensor = found.where(~again, math.nan).sort().values[: unit.num_pieces - 1]
    return shares


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
