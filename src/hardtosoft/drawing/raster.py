"""A box of the plane as a raster: what a unit of two inputs does there, as tints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ..interactive.frames import Array, Trace, axis, heatmap, layout
from .edges import level_line

FINER = 2  # a cell's tint is the mean over FINER² points, so that edges do not step


@dataclass(frozen=True)
class Plane:
    """A box of the plane, cut into the cells of a map.

    Attributes:
        x, y: from where to where.
        columns, rows: cells of the map.
        finer: points in each cell, across and up; 1 is enough for what has no edges.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    columns: int
    rows: int
    finer: int = FINER

    @property
    def aspect(self) -> float:
        """Width over height."""
        return (self.x[1] - self.x[0]) / (self.y[1] - self.y[0])

    @cached_property
    def points(self) -> Tensor:
        """Where maps are computed, row by row from the bottom: finer² points in each cell, ``(N, 2)``."""
        xs, ys = _centres(*self.x, self.columns * self.finer), _centres(*self.y, self.rows * self.finer)
        return torch.cartesian_prod(ys, xs).flip(-1)

    def means(self, values: Tensor) -> Tensor:
        """Values in [0, 1] at ``points``, ``(N, …)``, as means over the cells, ``(rows, columns, …)``."""
        cells = values.double().view(self.rows, self.finer, self.columns, self.finer, *values.shape[1:])
        return cells.mean((1, 3)).clamp(0, 1)  # for a mean may exceed 1 by rounding

    def level_line(self, values: Tensor, level: float, count: int) -> Array:
        """Where values at ``points`` of cells of one point, ``(N,)``, reach a level: ``count`` points in all."""
        xs, ys = _centres(*self.x, self.columns), _centres(*self.y, self.rows)
        return level_line(xs, ys, values.view(self.rows, self.columns), level, count)

    def tints(self, weights: Tensor, colours: Sequence[str]) -> list[Trace]:
        """One map a piece: its weight at ``points``, ``(N, R)``, as the tint of its line's colour."""
        maps = self.means(weights)
        return [heatmap(f"weight {r + 1}", maps[..., r], self.x, self.y, c) for r, c in enumerate(colours)]

    def layout(self, xticks: Sequence[float], yticks: Sequence[float]) -> dict[str, Any]:
        """The layout of a panel that shows the plane."""
        return layout(axis(*self.x, xticks, grid=False), axis(*self.y, yticks, grid=False))


def _centres(low: float, high: float, count: int) -> Tensor:
    step = (high - low) / count
    return low + step * (torch.arange(count, dtype=torch.float64) + 0.5)
