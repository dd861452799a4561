"""A graph of plain operators on tensors, as a page evaluates it (``graph.js``): numbers in, numbers out.

Each node is written once, however often it was computed, and has the shape that its numbers have in row-major order.
Truths are 0 and 1. Constants that repeat a row or a number, as the places of a raster do, are stored once and viewed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

#: Arrays of fewer numbers are not worth a search for what repeats in them.
_SMALL = 32
#: What an operator on constants costs a page, in numbers.
_OPERATOR = 8


class Node(NamedTuple):
    """What is done to which other nodes; ``setting`` holds an operator's numbers or a constant's."""

    operator: str
    sources: tuple[int, ...]
    setting: Any
    shape: Shape


class Graph:
    """Nodes in an order in which they can be computed, each distinct."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[Node, int] = {}
        self._narrow: dict[int, int] = {}
        self._moving: list[bool] = []

    def add(self, operator: str, sources: Iterable[int], shape: Sequence[int], setting: Any = None) -> int:
        """The node of an operator applied to others."""
        node = Node(operator, tuple(sources), setting, tuple(shape))
        if node not in self._known:
            self._known[node] = len(self.nodes)
            self.nodes.append(node)
            self._moving.append(operator == "input" or any(self._moving[source] for source in node.sources))
        return self._known[node]

    def shape(self, node: int) -> Shape:
        """Of a node's numbers."""
        return self.nodes[node].shape

    def moves(self, node: int) -> bool:
        """Whether a node depends on an input."""
        return self._moving[node]

    def number(self, value: float) -> int:
        """A constant of no dimensions."""
        return self.constant(np.asarray(float(value)))

    def constant(self, values: Array) -> int:
        """A constant; of what repeats along a side, one copy is stored."""
        values = np.asarray(values, dtype=np.float64)
        if values.size <= _SMALL:
            return self._stored(values)
        if values.ndim > 1 and values.shape[-1] <= 4:  # points: each coordinate by itself
            columns = [self.constant(values[..., k]) for k in range(values.shape[-1])]
            apart = [self.reshaped(column, (*values.shape[:-1], 1)) for column in columns]
            return self.add("cat", apart, values.shape, values.ndim - 1)
        flat = values.ravel()
        if _alike(flat, flat[:1]):
            return self.filled(float(flat[0]), values.shape)
        for length in range(2, values.size // 2 + 1):
            if values.size % length:
                continue
            rows = flat.reshape(-1, length)
            if _alike(rows, rows[:1]):
                return self.reshaped(self._viewed(self._stored(rows[0]), rows.shape, (0, 1)), values.shape)
            if _alike(rows, rows[:, :1]):
                return self.reshaped(self._viewed(self.constant(rows[:, 0]), rows.shape, (1, 0)), values.shape)
        return self._stored(values)

    def _stored(self, values: Array) -> int:
        return self.add("const", (), values.shape, tuple(map(_short, values.ravel().tolist())))

    def _viewed(self, node: int, shape: Sequence[int], strides: Sequence[int], offset: int = 0) -> int:
        return self.add("view", [node], shape, (tuple(strides), offset))

    def reshaped(self, node: int, shape: Sequence[int]) -> int:
        """The same numbers in another shape of as many."""
        if self.shape(node) == tuple(shape):
            return node
        if self.nodes[node].operator == "reshape":
            return self.reshaped(self.nodes[node].sources[0], shape)
        return self.add("reshape", [node], shape)

    def viewed(self, node: int, shape: Sequence[int], strides: Sequence[int], offset: int) -> int:
        """Numbers of a node at even strides from an offset, which may be 0: expanded, transposed, sliced."""
        own = contiguous(shape)
        all_of_it = math.prod(shape) == math.prod(self.shape(node)) and offset == 0
        if all_of_it and all(size == 1 or a == b for size, a, b in zip(shape, strides, own, strict=True)):
            return self.reshaped(node, shape)
        return self._viewed(node, shape, strides, offset)

    def expanded(self, node: int, shape: Sequence[int]) -> int:
        """A node's numbers repeated along sides of size 1, or new ones in front, until they have the shape."""
        own = self.shape(node)
        if own == tuple(shape):
            return node
        missing = len(shape) - len(own)
        strides = [0 if size == 1 else step for size, step in zip(own, contiguous(own), strict=True)]
        wide = self.viewed(node, shape, [0] * missing + strides, 0)
        self._narrow.setdefault(wide, node)
        return wide

    def narrow(self, node: int) -> int:
        """What a node repeats, if that is all it does; else the node."""
        return self._narrow.get(node, node)

    def filled(self, value: float, shape: Sequence[int]) -> int:
        """One number at every place."""
        return self.expanded(self.number(value), shape)

    def kept(self, node: int, values: Callable[[], Array]) -> int:
        """A node that does not move, or a constant with its numbers where those are fewer than what it is made of."""
        needed = [self.nodes[source] for source in self.reached([node])]
        costs = sum(len(made.setting) if made.operator == "const" else _OPERATOR for made in needed)
        return node if costs < math.prod(self.shape(node)) else self.constant(values())

    def reached(self, wanted: Iterable[int]) -> dict[int, int]:
        """The nodes that the wanted ones need, and their places in a list of them alone."""
        needed, waiting = set(), list(wanted)
        while waiting:
            if (node := waiting.pop()) not in needed:
                needed.add(node)
                waiting += self.nodes[node].sources
        return {node: place for place, node in enumerate(sorted(needed))}


def contiguous(shape: Sequence[int]) -> list[int]:
    """How far apart neighbours along each side are in row-major order."""
    return [math.prod(shape[side + 1 :]) for side in range(len(shape))]


def _alike(rows: Array, row: Array) -> bool:
    return bool(((rows == row) | (np.isnan(rows) & np.isnan(row))).all())


def _short(value: float) -> Any:
    """A number as JSON has it, the shortest that reads the same; JSON has no words for the last three."""
    if not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    whole = value.is_integer() and abs(value) < 2**53 and not (value == 0 and math.copysign(1, value) < 0)
    return int(value) if whole else value
