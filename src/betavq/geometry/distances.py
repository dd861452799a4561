"""How far a point is from the border of its linear region, in an input space of any dimension."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import count

import torch
from torch import Tensor, fx, nn

from .._numerics.progress import reporter
from .._torch.hard_units import Kinks, Units
from ._networks.graph import Graph
from ._networks.survey import survey
from ._plane.search import WORKING_SET
from .partitions import Progress

__all__ = ["distance_to_border", "nearest_border"]
__dir__ = __all__.copy


def distance_to_border(model: nn.Module, x: Tensor, *, progress: bool | Progress | None = None) -> Tensor:
    r"""The distance of inputs from the border of their linear regions.

    .. math:: d(x) = \min_{\ell, k} \frac{|z^{(\ell)}_k(x)|}{\|\nabla_x z^{(\ell)}_k(x)\|}

    over all units of two pieces, whose scores z tie at 0; for the largest of several scores, over their differences
    from the largest. Within the region all scores are affine, and the region is where they keep their signs: the
    nearest of those hyperplanes is its border, exactly. Units whose score does not change in the region have none.

    Args:
        model: a network as :func:`partition` takes it.
        x: inputs ``(N, …)``, of any shape that the network takes.
        progress: True for a line on stderr now and then; None for it if stderr is a terminal; or a function that is
            called with the share of the work that is done and the number of inputs whose distance is known.

    Returns:
        ``(N,)`` in float64; ∞ for a network that is affine.

    Raises:
        ValueError, TypeError: as :func:`partition` for the model; ``x`` not a finite batch that the network takes.

    Source: Balestriero, Cosentino, Aazhang & Baraniuk (2019), arXiv 1905.08443, distance to the partition's borders.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import distance_to_border
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> distance_to_border(net, torch.tensor([[0.25, -2.0], [3.0, 1.0]]))
        tensor([0.2500, 1.0000], dtype=torch.float64)
    """
    distances, _ = _find_borders(model, x, progress)
    return distances


def nearest_border(model: nn.Module, x: Tensor, *, progress: bool | Progress | None = None) -> Tensor:
    """The point of its region's border that is nearest to each input, at :func:`distance_to_border` from it.

    Arguments and errors are those of :func:`distance_to_border`.

    Returns:
        ``(N, …)`` in float64, the shape of ``x``; NaN for a network that is affine.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import nearest_border
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> nearest_border(net, torch.tensor([[0.25, -2.0], [3.0, 1.0]]))
        tensor([[ 0., -2.],
                [ 3.,  0.]], dtype=torch.float64)
    """
    distances, directions = _find_borders(model, x, progress)
    view = distances.reshape(-1, *[1] * (x.dim() - 1))
    return x.detach().cpu().double() + view * directions


@torch.no_grad()
def _find_borders(model: nn.Module, x: Tensor, progress: bool | Progress | None) -> tuple[Tensor, Tensor]:
    """Distances ``(N,)`` and unit vectors to the nearest border, ``(N, …)``."""
    report = reporter(progress, "distance_to_border: {:.1%} done, {:,} inputs")
    graph = Graph(model)
    if not isinstance(x, Tensor) or x.dim() < 2 or not bool(torch.isfinite(x).all()):
        raise ValueError("x must be a finite tensor of inputs of shape (N, …)")
    points = x.detach().cpu().double()
    if not len(points):
        return points.new_zeros(0), points
    rows = 1 + math.prod(points.shape[1:])
    surveyed = survey(graph, points[:1])
    step = max(1, WORKING_SET // (8 * rows * surveyed.widest))
    found = list[tuple[Tensor, Tensor]]()
    for part in torch.split(points, step):
        done = sum(len(each) for each, _ in found)
        layers = count(1)

        def tell(done: int = done, size: int = len(part), layers: Iterator[int] = layers) -> None:
            report((done + size * next(layers) / (1 + len(surveyed.layers))) / len(points), done)

        found.append(_nearest(graph, part, tell))
    report(1.0, len(points))
    distances, directions = (torch.cat(parts) for parts in zip(*found, strict=True))
    return distances, directions.reshape(points.shape)


def _nearest(graph: Graph, points: Tensor, tell: Callable[[], None]) -> tuple[Tensor, Tensor]:
    """The same for some inputs; ``tell`` is called after each layer of units."""
    n, shape = len(points), points.shape[1:]
    steps = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, 1, *shape)
    rows = torch.cat((points[None], points + steps)).flatten(0, 1)
    nearest = points.new_full((n,), torch.inf)
    directions = points.new_full((n, len(steps)), torch.nan)

    def select(node: fx.Node, units: Units, scores: Tensor) -> Tensor:  # noqa: ARG001
        # (1 + D, n, …): at the points, and one step along each coordinate in the map of the points' own region.
        gaps, selected = _gaps(units, scores.reshape(-1, n, scores.shape[1]))
        slopes = torch.linalg.vector_norm(gaps[1:] - gaps[0], dim=0)
        reach, index = torch.where(slopes > 0, gaps[0].abs() / slopes, torch.inf).min(1)
        closer = reach < nearest
        nearest[closer] = reach[closer]
        gap = gaps.gather(2, index.expand(len(gaps), n)[..., None])[..., 0]
        towards = -torch.where(gap[0] < 0, -1.0, 1.0) * (gap[1:] - gap[0]) / slopes.gather(1, index[:, None])[:, 0]
        directions[closer] = towards.t()[closer]
        tell()
        return selected.flatten(0, 1)

    graph.follow(rows, select)
    return nearest, directions


def _gaps(units: Units, scores: Tensor) -> tuple[Tensor, Tensor]:
    """What is 0 on the region's border, ``(1 + D, n, G)``, and what the units put out, ``(1 + D, n, K)``."""
    if isinstance(units, Kinks):
        return torch.cat([scores - bend for bend in units.bends], -1), units.value(scores, units.code(scores[0]))
    seen, inside = units.seen(scores, 0.0), units.windows >= 0
    best = seen[0].masked_fill(~inside, -torch.inf).argmax(-1)
    selected = seen.gather(-1, best.expand(len(seen), *best.shape)[..., None])[..., 0]
    return torch.where(inside, selected[..., None] - seen, 0.0).flatten(2), selected
