"""Exact linear regions of a piecewise affine network on a polygon, or on a plane slice of its input space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from .._numerics.checks import check_count
from .._numerics.progress import reporter
from ._networks.graph import Graph, Layer
from ._networks.survey import survey
from ._plane.domain import Frame, Plane, check_domain, check_plane, frame_of
from ._plane.polygons import Floats, Integers
from ._plane.search import Found, Search
from .regions import Partition

__all__ = ["partition"]
__dir__ = __all__.copy

Progress = Callable[[float, int], object]

#: In how many regions the maps are compared with the network, at a point drawn at random in each.
CHECKED = 256


def partition(
    model: nn.Module,
    domain: Any,
    *,
    plane: Any = None,
    max_regions: int = 200_000,
    max_bytes: int = 2**30,
    progress: bool | Progress | None = None,
) -> Partition:
    r"""The exact linear regions of a piecewise affine network on a convex polygon.

    A network of hard units is affine,

    .. math:: f(x) = A_\omega x + b_\omega \quad \text{for all } x \in \omega,

    on each set ω of inputs for which its units all select the same pieces: its code. On a polygon these sets are
    convex polygons. They are found exactly, in float64 and layer by layer: within a region of the layers before, the
    pieces of a unit tie on a straight line, which cuts the region. Nothing is sampled, so that the smallest region is
    found too. Neighbours differ in code; now and then their maps are the same all the same, as where a unit that
    switches has no way to the output.

    Args:
        model: a network in eval mode that takes ``(N, 2)``, or ``(N, …)`` with a ``plane``, and returns logits
            ``(N, C)``. Of linear layers, convolutions, BatchNorm, average-pooling, reshaping, sums (residual
            connections) and the units that :func:`codes` lists, as layers or functions, in any graph that
            ``torch.fx`` can trace. It is copied and not changed. Softened, it has to be at β = 1.
        domain: corners of a convex polygon, ``(V, 2)``, in plane coordinates.
        plane: ``(origin, direction_1, direction_2)``, three arrays of the shape of one input: the network is looked
            at on origin + s·direction_1 + t·direction_2. None for the plane of a network of two inputs.
        max_regions, max_bytes: raise rather than find more regions, or fill about so many bytes with them: each takes
            some 1,200, 24 an output, and for every unit of two pieces a bit, of more a byte.
        progress: True for a line on stderr about every second; None for it if stderr is a terminal; or a function
            that is called with the share of the area that is done and the number of regions so far.

    Returns:
        A :class:`~betavq.geometry.Partition`: ``len`` counts the regions, ``p[i]`` is a
        :class:`~betavq.geometry.Region` with ``polygon``, ``slopes``, ``offsets``, ``code`` and ``area``; arrays over
        all of them are ``p.vertices`` (region i has those from ``p.starts[i]`` to ``p.starts[i + 1]``), ``p.slopes``,
        ``p.offsets``, ``p.codes``, ``p.areas``, ``p.edge_depth`` and ``p.neighbours``; ``p.locate(points)`` finds the
        region of a point.

    Raises:
        ValueError: a model in training mode, with NaN or infinite weights, or with a layer that is not piecewise
            affine, which is named; a domain that is degenerate or not convex; parallel directions; more regions than
            ``max_regions``. Nothing is returned then.
        TypeError: an argument of another kind.

    Pieces of a unit tie where their scores differ by no more than rounding does: a corner within 1e-12 of a line, in
    units of the domain's radius, lies on it, and no region is thinner.

    Source: Balestriero & Baraniuk (2018), "A Spline Theory of Deep Networks" (ICML); Balestriero, Cosentino, Aazhang
    & Baraniuk (2019), "The Geometry of Deep Networks: Power Diagram Subdivision", arXiv 1905.08443.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import partition
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> quadrants = partition(net, [(-1, -1), (1, -1), (1, 1), (-1, 1)])
        >>> len(quadrants), quadrants.areas.tolist()
        (4, [1.0, 1.0, 1.0, 1.0])
        >>> max(quadrants, key=lambda region: region.code.sum()).slopes.tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    corners = check_domain(domain)
    surface = check_plane(plane)
    limits = check_count("max_regions", max_regions), check_count("max_bytes", max_bytes)
    report = reporter(progress, "partition: {:.1%} of the area, {:,} regions")
    graph, frame = Graph(model), frame_of(corners)
    inputs = surface.inputs(frame.points)
    surveyed = survey(graph, inputs[:1], surface.needs)
    found = Search(graph, surveyed, limits, report).run(frame.polygon(corners), inputs)
    regions = _assemble(corners, surface, frame, tuple(surveyed.layers.values()), found)
    _verify(graph, regions)
    return regions


def _verify(graph: Graph, regions: Partition) -> None:
    """Raise unless the maps of some regions are the network's, not only at their centres."""
    drawn = np.random.default_rng(len(regions))
    some = np.sort(drawn.permutation(len(regions))[:CHECKED])
    counts = regions.counts[some]
    first = np.cumsum(counts) - counts
    corners = regions.vertices[np.repeat(regions.starts[some] - first, counts) + np.arange(counts.sum())]
    shares = drawn.exponential(size=(len(corners), 1))
    points = np.add.reduceat(shares * corners, first) / np.add.reduceat(shares, first)
    ours = (regions.slopes[some] * points[:, None]).sum(-1) + regions.offsets[some]
    with torch.no_grad():
        theirs = graph.model(regions.inputs(points)).flatten(1).numpy()
    if not np.allclose(ours, theirs, rtol=1e-6, atol=1e-6 * float(np.abs(theirs).max(initial=0))):
        raise ValueError("model must compute in the precision of its input, and each row of a batch for itself")


def _assemble(corners: Floats, plane: Plane, frame: Frame, layers: tuple[Layer, ...], found: Found) -> Partition:
    """The shares of the search put together, in plane coordinates."""
    vertices, edges, counts = [], [], []
    for polygons in found.polygons:
        within = np.arange(polygons.x.shape[1]) < polygons.counts[:, None]
        vertices.append(np.stack((polygons.x[within], polygons.y[within]), axis=1))
        edges.append(polygons.edges[within])
        counts.append(polygons.counts)
    starts: Integers = np.concatenate(([0], np.cumsum(np.concatenate(counts))))
    outputs = np.concatenate(found.outputs, axis=1)
    slopes = np.stack((outputs[1] - outputs[0], outputs[2] - outputs[0]), axis=-1) / frame.radius
    offsets = outputs[0] - slopes @ frame.centre
    numbers, depths = np.array(found.lines, dtype=np.int64).reshape(-1, 2).T
    units = np.concatenate([*found.units, np.zeros(0, dtype=np.int64)])
    areas = np.concatenate([polygons.areas() for polygons in found.polygons]) * frame.radius**2
    codes = [np.concatenate(layer) for layer in zip(*found.codes, strict=True)]
    points = np.concatenate(vertices) * frame.radius + frame.centre
    return Partition(
        corners,
        plane,
        frame,
        layers,
        (points, starts, np.concatenate(edges)),
        (np.repeat(depths, numbers), units),
        (slopes, offsets),
        areas,
        codes,
    )
