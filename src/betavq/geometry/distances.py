"""How far a point is from the border of its linear region, in an input space of any dimension."""

from __future__ import annotations

import math

import torch
from torch import Tensor, fx, nn

from ._graph import Graph
from ._search import WORKING_SET
from ._units import Kinks, Units, windowed


@torch.no_grad()
def distance_to_border(model: nn.Module, x: Tensor) -> Tensor:
    r"""The distance of inputs from the border of their linear regions.

    .. math:: d(x) = \min_{\ell, k} \frac{|z^{(\ell)}_k(x)|}{\|\nabla_x z^{(\ell)}_k(x)\|}

    over all units of two pieces, whose scores z tie at 0; for the largest of several scores, over their differences
    from the largest. Within the region all scores are affine, and the region is where they keep their signs: the
    nearest of those hyperplanes is its border, exactly. Units whose score does not change in the region have none.

    Args:
        model: a network as :func:`partition` takes it.
        x: inputs ``(N, …)``, of any shape that the network takes.

    Returns:
        ``(N,)`` in float64; ∞ for a network that is affine.

    Raises:
        ValueError, TypeError: as :func:`partition` for the model; ``x`` not a finite batch that the network takes.

    Source: Balestriero, Cosentino, Aazhang & Baraniuk (2019), arXiv 1905.08443, distance to the partition's borders.
    """
    graph = Graph(model)
    if not isinstance(x, Tensor) or x.dim() < 2 or not bool(torch.isfinite(x).all()):
        raise ValueError("x must be a finite tensor of inputs of shape (N, …)")
    points = x.detach().cpu().double()
    num_inputs = math.prod(points.shape[1:])
    distances = points.new_empty(len(points))
    width = max(num_inputs, graph.widest(points[:1])) if len(points) else 1
    step = max(1, WORKING_SET // (8 * (num_inputs + 1) * width))
    for start in range(0, len(points), step):
        distances[start : start + step] = _distances(graph, points[start : start + step])
    return distances


def _distances(graph: Graph, points: Tensor) -> Tensor:
    n, shape = len(points), points.shape[1:]
    steps = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, 1, *shape)
    rows = torch.cat((points[None], points + steps)).flatten(0, 1)
    nearest = points.new_full((n,), torch.inf)

    def select(node: fx.Node, units: Units, scores: Tensor) -> Tensor:  # noqa: ARG001
        # (1 + D, n, …): at the points, and one step along each coordinate in the map of the points' own region.
        scores = scores.reshape(-1, n, *scores.shape[1:]).flatten(2)
        if isinstance(units, Kinks):
            gaps, selected = scores, scores * torch.where(scores[0] > 0, 1.0, units.left)
        else:
            seen = windowed(scores, units, 0.0)
            inside = units.windows >= 0
            best = seen[0].masked_fill(~inside, -torch.inf).argmax(-1)
            best = best.expand(len(seen), *best.shape)[..., None]
            selected = seen.gather(-1, best)[..., 0]
            gaps = torch.where(inside, selected[..., None] - seen, 0.0).flatten(2)
        slopes = torch.linalg.vector_norm(gaps[1:] - gaps[0], dim=0)
        found = torch.where(slopes > 0, gaps[0].abs() / slopes, torch.inf)
        torch.minimum(nearest, found.amin(1), out=nearest)
        return selected.flatten(0, 1)

    graph.follow(rows, select)
    return nearest
