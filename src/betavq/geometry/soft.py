"""The partition of a softened network: how undecided its units are, over the plane."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from .._numerics.checks import check_beta, check_count
from .._torch.affine import Step
from .._torch.copies import copied
from .._torch.hard_units import Maxima, Units
from ._entropies import entropy_of, soft_kinks, soft_maxima
from ._networks.checks import check_model
from ._networks.graph import Graph, Layer
from ._networks.own_layers import Found
from ._networks.survey import survey
from ._networks.watch import watch
from ._plane.domain import check_domain, check_plane
from ._plane.polygons import Floats
from ._plane.search import WORKING_SET

__all__ = ["SoftPartition", "soft_partition"]
__dir__ = __all__.copy


@dataclass(frozen=True)
class SoftPartition:
    """How undecided the units of a softened network are, on a raster.

    Attributes:
        beta: the hardness of all units; None if each has its own.
        x: the centres of columns in plane coordinates, ``(W,)``.
        y: those of rows, ``(H,)``.
        entropy: of each layer of units, ``(L, H, W)`` in [0, 1], rows from the bottom; NaN outside the domain.
        layers: the layers of units.
        logits: the softened network's outputs, ``(C, H, W)``.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import soft_partition
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> square = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        >>> soft = soft_partition(net, square, beta=0.9, resolution=(6, 4))
        >>> soft.entropy.shape, soft.x.round(3).tolist()
        ((1, 4, 6), [-0.833, -0.5, -0.167, 0.167, 0.5, 0.833])
    """

    beta: float | None
    x: Floats
    y: Floats
    entropy: Floats
    layers: tuple[Layer, ...]
    logits: Floats

    def __repr__(self) -> str:
        rows, columns = self.entropy.shape[1:]
        hardness = "own β" if self.beta is None else f"β = {self.beta:.7g}"
        return f"SoftPartition({hardness}, {len(self.layers)} layers of units on {columns} × {rows} points)"


@torch.no_grad()
def soft_partition(
    model: nn.Module,
    domain: Any,
    beta: float | None = None,
    *,
    resolution: int | tuple[int, int] = 200,
    plane: Any = None,
) -> SoftPartition:
    r"""How undecided the units of a softened network are over a polygon: the regions of β < 1.

    At β = 1 a unit selects one of its R pieces, and the plane falls into regions. At β < 1 it has a code t: at each
    point the mean over a layer's K units of their normalised entropies,

    .. math:: \frac1K \sum_k \frac{H(t_k)}{\log R_k}, \qquad
              t_k = \arg\max_{t \in \Delta_R}\; \beta \langle t, z_k \rangle + (1 - \beta) H(t),

    is 0 where every unit has decided, which as β → 1 is everywhere but on the edges of the partition, and 1 where none
    has, as at β = 0. Scores z are those of the softened network: layers before pass on the values Σ t_r z_r.

    Args:
        model: a network as :func:`partition` takes it; or a soft one, by :func:`betavq.soften` or of layers of
            :mod:`betavq.nn`.
        domain: corners of a convex polygon, ``(V, 2)``, in plane coordinates.
        beta: hardness in [0, 1] of all units, each of which has to be the largest or the smallest of its pieces. None
            for the units' own, 1 where they have none; then they pass on what they do in the model, the free energy
            if it was softened so.
        resolution: columns and rows of the raster over the domain's bounding box; or the larger of them.
        plane: an origin and two directions, as for :func:`partition`.

    Raises:
        ValueError, TypeError: as :func:`partition`; ``beta`` outside [0, 1]; ``resolution`` below 1.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ inference; the map of entropies is this library's.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import soft_partition
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> square = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        >>> soft = soft_partition(net, square, beta=0.9, resolution=5)
        >>> soft.entropy[0, 2].round(3).tolist()  # on the x axis
        [0.504, 0.589, 1.0, 0.589, 0.504]
    """
    hardness = _check_hardness(beta)
    corners, surface = check_domain(domain), check_plane(plane)
    x, y = _raster(corners, resolution)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    inside = np.flatnonzero(_is_inside(grid, corners))
    run: _AsItIs | _AllAlike = _AsItIs(model) if hardness is None else _AllAlike(model, hardness)
    layers, widest = run.look(surface.inputs(corners[:1]), surface.needs)
    step = max(1, WORKING_SET // (8 * widest))
    parts = [inside[start : start + step] for start in range(0, len(inside), step)]
    found, outputs = zip(*[run.follow(surface.inputs(grid[part])) for part in parts], strict=True)
    maps = (_spread(values, inside, (len(y), len(x))) for values in (torch.cat(found, 1), torch.cat(outputs).t()))
    entropy, logits = maps
    return SoftPartition(run.beta, x, y, entropy, layers, logits)


def _check_hardness(beta: Any) -> float | None:
    hardness = None if beta is None else check_beta(beta, wait=True)
    if isinstance(hardness, Tensor) and hardness.numel() != 1:
        raise ValueError(f"beta must be one number, got shape {tuple(hardness.shape)}")
    return None if hardness is None else float(hardness)


class _AllAlike:
    """A network whose units all take one β."""

    def __init__(self, model: nn.Module, beta: float) -> None:
        self.graph, self.beta = Graph(model, any_beta=True), beta

    def look(self, row: Tensor, needs: str) -> tuple[tuple[Layer, ...], int]:
        """Its layers of units, and the widest step, found with one input."""
        surveyed = survey(self.graph, row, needs)
        return tuple(surveyed.layers.values()), surveyed.widest

    def follow(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The mean entropies of its layers, ``(L, N)``, and its outputs, ``(N, C)``."""
        found: list[Tensor] = []
        output = self.graph.follow(rows, _softened(self.graph, self.beta, found)).flatten(1)
        return torch.stack(found) if found else rows.new_zeros(0, len(rows)), output


class _AsItIs:
    """A network whose units have their own β."""

    def __init__(self, model: nn.Module) -> None:
        check_model(model, any_beta=True)
        self.model = copied(model).cpu().double()
        self.betas = set[float]()

    @property
    def beta(self) -> float | None:
        """The β of all units, if they have one."""
        return self.betas.copy().pop() if len(self.betas) == 1 else 1.0 if not self.betas else None

    def look(self, row: Tensor, needs: str) -> tuple[tuple[Layer, ...], int]:
        """As above."""
        try:
            found, _ = self._watch(row)
        except ValueError as error:
            if isinstance(error.__cause__, RuntimeError):
                raise ValueError(f"{error}{needs}") from error
            raise
        layers = tuple(
            Layer(each.step.place, math.prod(each.units.out_shape), each.units.num_pieces) for each, _ in found
        )
        return layers, max([row.numel(), *(layer.num_units * layer.num_pieces for layer in layers)])

    def follow(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """As above."""
        found, output = self._watch(rows)
        entropies = [entropy.mean(1) for _, entropy in found]
        return torch.stack(entropies) if entropies else rows.new_zeros(0, len(rows)), output.flatten(1)

    def _watch(self, rows: Tensor) -> tuple[list[tuple[Found, Tensor]], Tensor]:
        kept: list[tuple[Found, Tensor]] = []

        def follow(_: Step, args: Any, kwargs: Any, called: Any, found: Found | None) -> None:  # noqa: ARG001
            if found is not None:
                self.betas.update(torch.as_tensor(found.beta).detach().flatten().tolist())
                kept.append((found, entropy_of(found.units, found.scores(), found.beta)))

        output, _, _ = watch(self.model, rows, follow=follow, any_beta=True)
        return kept, output


def _softened(graph: Graph, beta: float, found: list[Tensor]) -> Any:
    """What units put out at ``beta``, keeping the layers' mean normalised entropies at each point in ``found``."""

    def soften(node: fx.Node, units: Units, scores: Tensor) -> Tensor:
        if isinstance(units, Maxima):
            value, entropy = soft_maxima(units, scores, beta)
        elif units.num_pieces == 2:
            value, entropy = soft_kinks(units, scores, beta)
        else:
            raise ValueError(f"model must have units that are the largest of their pieces, got {graph.name(node)}")
        found.append(entropy.mean(1))
        return value

    return soften


def _raster(corners: Floats, resolution: Any) -> tuple[Floats, Floats]:
    """The centres of the columns and of the rows over the bounding box."""
    low, size = corners.min(0), np.ptp(corners, axis=0)
    if isinstance(resolution, tuple | list):
        numbers = [check_count("resolution", each) for each in resolution]
    else:
        largest = check_count("resolution", resolution)
        numbers = [max(1, round(largest * float(side / size.max()))) for side in size]
    if len(numbers) != 2:
        raise ValueError(f"resolution must be one number, or one for columns and one for rows, got {resolution}")
    x, y = (a + s * (np.arange(n) + 0.5) / n for a, s, n in zip(low, size, numbers, strict=True))
    return x, y


def _is_inside(points: Floats, corners: Floats) -> Any:
    along = np.roll(corners, -1, axis=0) - corners
    to = points[:, None] - corners
    return (along[:, 0] * to[..., 1] - along[:, 1] * to[..., 0] >= 0).all(1)


def _spread(values: Tensor, inside: Any, shape: tuple[int, int]) -> Floats:
    """Values at points inside, ``(L, P)``, on the raster, ``(L, H, W)``."""
    spread: Floats = np.full((len(values), shape[0] * shape[1]), np.nan)
    spread[:, inside] = values.numpy()
    return spread.reshape(len(values), *shape)
