"""All regions of a network on a polygon: layer after layer, a share of the regions at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._torch.hard_units import Kinks, Units
from .._networks.graph import Graph, Values
from .._networks.survey import Survey
from .kinks import Cut, cut_by_kinks, select_pieces
from .maxima import cut_by_maxima, select_largest
from .polygons import Codes, Floats, Integers, Polygons

#: Bytes of scores that are at work at once, about.
WORKING_SET = 2**22
#: Bytes that a region takes while the arrays are put together, without its code and outputs, about.
REGION = 1200


@dataclass
class Share:
    """Some of the pieces into which a layer of units cuts the regions before it.

    Attributes:
        position: the step of those units; before the first step −1, where the only piece is the domain.
        polygons: the pieces.
        parents: for each the region that it is a piece of, ``(n,)``.
        values: of the steps before, at three points for each region before, ``(3m, …)``.
        codes: of the layers before in the regions before, packed by :func:`pack`.
    """

    position: int
    polygons: Polygons
    parents: Integers
    values: Values
    codes: list[Codes]


@dataclass
class Found:
    """What the search hands over: for each share of the regions its polygons, outputs and codes, and all lines.

    Attributes:
        polygons, outputs, codes: one entry a share; outputs at the three points, ``(3, n, C)``.
        lines: how many lines at a time a layer of units drew, and its depth.
        units: of every line, the unit that drew it.
    """

    polygons: list[Polygons] = field(default_factory=list)
    outputs: list[Floats] = field(default_factory=list)
    codes: list[list[Codes]] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)
    units: list[Integers] = field(default_factory=list)


class Search:
    """Depth first over shares of the regions, so that memory grows with the regions found alone.

    Args:
        graph: the network.
        survey: of the network.
        limits: raise rather than find more regions, or fill more bytes.
        progress: called with the share of the domain's area that is done and the number of regions so far.
    """

    def __init__(
        self, graph: Graph, survey: Survey, limits: tuple[int, int], progress: Callable[[float, int], object]
    ) -> None:
        self.graph, self.progress = graph, progress
        self.max_regions, self.max_bytes = limits
        self.depths = {node: depth for depth, node in enumerate(survey.layers, start=1)}
        self.size = max(32, WORKING_SET // (3 * 8 * survey.widest))
        code = sum(packed_bytes(layer.num_units, layer.num_pieces) for layer in survey.layers.values())
        self.bytes = REGION + code + 3 * 8 * survey.num_outputs
        self.found = Found()
        self.number = 1  # of pieces so far, the domain the first
        self.num_cuts = 0

    @torch.no_grad()
    def run(self, domain: Polygons, inputs: Tensor) -> Found:
        """Find the regions of a domain; ``inputs`` are those at its three points, ``(3, …)``."""
        area, done = float(domain.areas().sum()), 0.0
        stack = [Share(-1, domain, np.zeros(1, dtype=np.int64), self.graph.start(inputs), [])]
        while stack:
            share = stack.pop()
            self.number -= len(share.polygons)
            shares = list(self._advance(share))
            if shares:
                self.number += sum(len(each.polygons) for each in shares)
                stack.extend(reversed(shares))
                continue
            self.number += len(share.polygons)
            done += float(share.polygons.areas().sum()) / area
            self.progress(min(done, 1.0), self.number)
        return self.found

    def _advance(self, share: Share) -> Iterator[Share]:
        """Follow some pieces to the next units, which cut them; or to the end, where they are kept."""
        nodes, graph = self.graph.nodes, self.graph
        values, codes = self._selected(share)
        for position in range(share.position + 1, len(nodes)):
            node = nodes[position]
            found = graph.units(node, values)
            if found is None:
                graph.compute(node, values)
                graph.forget(node, values)
                continue
            cut = self._cut(share.polygons, found[0], _at_three_points(found[1], len(share.polygons)))
            self.found.lines.append((len(cut.units), self.depths[node]))
            self.found.units.append(cut.units)
            self.num_cuts += len(cut.units)
            count = -(-len(cut.parents) // self.size)
            for bounds in pairwise(len(cut.parents) * i // count for i in range(count + 1)):
                rows = slice(*bounds)
                yield Share(position, cut.polygons.take(rows).trimmed(), cut.parents[rows], values, codes)
            return
        self.found.polygons.append(share.polygons)
        self.found.outputs.append(values[graph.output].reshape(3, len(share.polygons), -1).numpy())
        self.found.codes.append(codes)

    def _cut(self, polygons: Polygons, units: Units, scores: Floats) -> Cut:
        if isinstance(units, Kinks):
            return cut_by_kinks(units, polygons, scores, self.num_cuts, self._check_number)
        return cut_by_maxima(units, polygons, scores, self.num_cuts, self._check_number)

    def _selected(self, share: Share) -> tuple[Values, list[Codes]]:
        """The values and codes on the pieces, those of the units that cut them included."""
        if share.position < 0:
            return dict(share.values), []
        graph, node = self.graph, self.graph.nodes[share.position]
        before = len(next(iter(self._data(share.values)))) // 3
        parents = torch.from_numpy(share.parents)
        values = {
            kept: _rows(value, before, parents) if graph.is_data(kept, share.values) else value
            for kept, value in share.values.items()
        }
        graph.update_sizes(values)
        found = graph.units(node, values)
        assert found is not None
        units, scores = found
        select: Any = select_pieces if isinstance(units, Kinks) else select_largest
        code, outputs = select(units, share.polygons, _at_three_points(scores, len(share.parents)))
        codes = [each[share.parents] for each in share.codes] + [pack(code, units.num_pieces)]
        value = torch.from_numpy(outputs).reshape(-1, *units.out_shape)
        graph.store(node, values, value if units.sign > 0 else -value)
        return values, codes

    def _data(self, values: Values) -> Iterator[Tensor]:
        return (value for node, value in values.items() if self.graph.is_data(node, values))

    def _check_number(self, number: int) -> None:
        number += self.number
        if number > self.max_regions:
            raise ValueError(
                f"max_regions must be at least the number of regions, got {self.max_regions:,}, "
                "and there are more: raise it, or take a smaller domain"
            )
        if number * self.bytes > self.max_bytes:
            raise ValueError(
                f"max_bytes must allow for all regions, {self.bytes:,} bytes each, got {self.max_bytes:,}, "
                f"and there are more than {number:,}"
            )


def _at_three_points(scores: Tensor, n: int) -> Floats:
    """The scores of units, ``(3, n, K)``."""
    array: Floats = scores.reshape(3, n, -1).numpy()
    return array


def _rows(value: Tensor, n: int, rows: Any) -> Tensor:
    """Some regions' rows of a value at three points, ``(3n, …)``."""
    return value.reshape(3, n, *value.shape[1:])[:, rows].flatten(0, 1)


def pack(codes: Codes, num_pieces: int) -> Codes:
    """Codes in few bytes: a bit for each unit of two pieces."""
    return np.packbits(codes, axis=1) if num_pieces == 2 else codes


def unpack(packed: Codes, num_units: int, num_pieces: int) -> Codes:
    """Back from :func:`pack`."""
    return np.unpackbits(packed, axis=1, count=num_units) if num_pieces == 2 else packed


def packed_bytes(num_units: int, num_pieces: int) -> int:
    """What :func:`pack` makes of the code of a region."""
    return -(-num_units // 8) if num_pieces == 2 else num_units * np.min_scalar_type(num_pieces - 1).itemsize
