"""All regions of a network on a polygon: layer after layer, a share of the regions at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from ._envelopes import refine_by_maxima
from ._graph import Graph, Values
from ._polygons import Codes, Floats, Integers, Polygons
from ._refinement import Refined, refine_by_kinks
from ._units import Kinks, Layer, Units

#: Bytes of scores that are at work at once.
WORKING_SET = 2**24


@dataclass
class Regions:
    """Some regions, and how far the network has been followed on them.

    Attributes:
        position: the next step.
        polygons: where they are.
        values: of the steps so far, at three points for each region, ``(3n, …)``.
        codes: for each layer of units so far, its codes, packed by ``pack``.
    """

    position: int
    polygons: Polygons
    values: Values
    codes: list[Codes]


@dataclass
class Found:
    """What the search hands over: for each share of the regions its polygons, outputs and codes, and all lines.

    Attributes:
        polygons, outputs, codes: one entry a share; outputs at the three points, ``(3, n, C)``.
        depths, units: of every line, the layer of units and the unit that drew it.
        layers: the layers of units.
    """

    polygons: list[Polygons] = field(default_factory=list)
    outputs: list[Floats] = field(default_factory=list)
    codes: list[list[Codes]] = field(default_factory=list)
    depths: list[tuple[int, int]] = field(default_factory=list)
    units: list[Integers] = field(default_factory=list)
    layers: dict[fx.Node, Layer] = field(default_factory=dict)


class Search:
    """Depth first over shares of the regions, so that memory grows with the regions alone.

    Args:
        graph: the network.
        max_regions: raise beyond.
        progress: called with the share of the domain's area that is done and the number of regions so far.
    """

    def __init__(self, graph: Graph, max_regions: int, progress: Callable[[float, int], None]) -> None:
        self.graph, self.max_regions, self.progress = graph, max_regions, progress
        self.found = Found()
        self.number = 0  # of regions that are not at work
        self.num_cuts = 0

    @torch.no_grad()
    def run(self, domain: Polygons, inputs: Tensor) -> Found:
        """Find the regions of a domain; ``inputs`` are those at its three points, ``(3, …)``."""
        area, done = float(domain.areas().sum()), 0.0
        stack = [Regions(0, domain, {self.graph.input: inputs}, [])]
        while stack:
            regions = stack.pop()
            self.number -= len(regions.polygons)
            pieces = self._advance(regions)
            self.number += sum(len(piece.polygons) for piece in pieces)
            if pieces[0].position == len(self.graph.nodes):
                self._keep(pieces[0])
                done += float(pieces[0].polygons.areas().sum()) / area
                self.progress(done, self.number)
            else:
                stack.extend(reversed(pieces))
        return self.found

    def _advance(self, regions: Regions) -> list[Regions]:
        """Follow some regions until they are done or too many to go on together."""
        nodes, values = self.graph.nodes, regions.values
        while regions.position < len(nodes):
            node = nodes[regions.position]
            units = self.graph.units(node, values)
            if units is None:
                values[node] = self.graph.compute(node, values)
                self._check_rows(node, regions)
                self.graph.forget(node, values)
                regions.position += 1
                continue
            self._refine(regions, node, units)
            regions.position += 1
            shares = self._shares(regions)
            if len(shares) > 1:
                return shares
        return [regions]

    def _refine(self, regions: Regions, node: fx.Node, units: Units) -> None:
        values, n = regions.values, len(regions.polygons)
        scores = values[self.graph.source(node)].reshape(3, n, -1).numpy()
        rest = (regions.polygons, scores, self.num_cuts, self._check_number)
        refined = refine_by_kinks(units, *rest) if isinstance(units, Kinks) else refine_by_maxima(units, *rest)
        self._record(node, units, refined)
        regions.polygons = refined.polygons
        parents = torch.from_numpy(refined.parents)
        regions.codes = [codes[refined.parents] for codes in regions.codes]
        regions.codes.append(pack(refined.codes, units.num_pieces))
        values[node] = None
        self.graph.forget(node, values)
        for kept in list(values):
            if self.graph.is_data(kept, values):
                values[kept] = _rows(values[kept], n, parents)
        outputs = torch.from_numpy(refined.outputs)
        self.graph.store(node, values, outputs.reshape(-1, *units.out_shape))
        self.graph.update_sizes(values)

    def _record(self, node: fx.Node, units: Units, refined: Refined) -> None:
        layers = self.found.layers
        if node not in layers:
            layers[node] = self.graph.layer_of(node, units)
        depth = 1 + list(layers).index(node)
        self.found.depths.append((depth, len(refined.cut_units)))
        self.found.units.append(refined.cut_units)
        self.num_cuts += len(refined.cut_units)

    def _shares(self, regions: Regions) -> list[Regions]:
        n = len(regions.polygons)
        data = [value for node, value in regions.values.items() if self.graph.is_data(node, regions.values)]
        width = max(value[0].numel() for value in data)
        size = max(256, WORKING_SET // (3 * 8 * width))
        if n <= size:
            return [regions]
        count = -(-n // size)
        bounds = [n * i // count for i in range(count + 1)]
        return [self._share(regions, slice(*ends)) for ends in pairwise(bounds)]

    def _share(self, regions: Regions, rows: slice) -> Regions:
        n = len(regions.polygons)
        values = {
            node: _rows(value, n, rows) if self.graph.is_data(node, regions.values) else value
            for node, value in regions.values.items()
        }
        self.graph.update_sizes(values)
        codes = [codes[rows] for codes in regions.codes]
        return Regions(regions.position, regions.polygons.take(rows), values, codes)

    def _keep(self, regions: Regions) -> None:
        n = len(regions.polygons)
        self.found.polygons.append(regions.polygons.trimmed())
        self.found.outputs.append(regions.values[self.graph.output].reshape(3, n, -1).numpy())
        self.found.codes.append(regions.codes)

    def _check_number(self, number: int) -> None:
        if self.number + number > self.max_regions:
            raise ValueError(
                f"max_regions must be at least the number of regions, got {self.max_regions:,}, "
                "and there are more; raise it, or take a smaller domain"
            )

    def _check_rows(self, node: fx.Node, regions: Regions) -> None:
        value, rows = regions.values[node], 3 * len(regions.polygons)
        if self.graph.is_data(node, regions.values) and (value.dim() == 0 or len(value) != rows):
            raise ValueError(f"model must keep the examples of a batch apart, got {self.graph.name(node)}")


def _rows(value: Tensor, n: int, rows: Any) -> Tensor:
    """Some regions' rows of a value at three points, ``(3n, …)``."""
    return value.reshape(3, n, *value.shape[1:])[:, rows].flatten(0, 1)


def pack(codes: Codes, num_pieces: int) -> Codes:
    """Codes as few bytes: a bit for each of two pieces."""
    return np.packbits(codes, axis=1) if num_pieces == 2 else codes


def unpack(packed: Codes, num_units: int, num_pieces: int) -> Codes:
    """Back from :func:`pack`."""
    return np.unpackbits(packed, axis=1, count=num_units) if num_pieces == 2 else packed
