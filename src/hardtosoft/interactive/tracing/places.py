"""Operators that put numbers at other places: views, joints, and what reads or writes where an index says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .graph import Graph, Shape, contiguous


def names(text: str) -> frozenset[str]:
    """The operators that a text names, with spaces between."""
    return frozenset(text.split())


#: Operators whose result has the numbers of their first argument, or of a part of it, at other places.
VIEWS = names(
    "alias as_strided chunk detach diagonal expand expand_as flip lift_fresh movedim permute reshape select slice"
    " split split_with_sizes squeeze t transpose unbind unfold unsafe_split unsqueeze view view_as _reshape_alias"
    " _unsafe_view"
)


class UnknownOperatorError(Exception):
    """An operator that neither pages nor PyTorch's decompositions know."""


def name_of(function: Any) -> str:
    """An operator's name, the same in place or not."""
    name: str = function.overloadpacket.__name__
    inplace = name.endswith("_") and not name.startswith("_")
    return name[:-1] if inplace else name


class Places:
    """Puts such calls into a graph; ``use`` gives the node of a tensor that was met before, or a constant."""

    def __init__(self, graph: Graph, use: Callable[[Tensor], int]) -> None:
        self.graph, self.use = graph, use

    def operand(self, value: Any) -> int:
        """The node of a tensor or a number; a view that only repeats numbers is not needed where shapes broadcast."""
        return self.graph.narrow(self.use(value)) if isinstance(value, Tensor) else self.graph.number(value)

    def whole(self, tensor: Tensor) -> int:
        """The node of a tensor, of exactly its shape."""
        return self.graph.expanded(self.use(tensor), tensor.shape)

    def each(self, operator: str, shape: Shape, *operands: Any) -> int:
        """An operator of numbers, at each place."""
        return self.graph.add(operator, map(self.operand, operands), shape)

    def views(self, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> list[int]:
        """Strides and offsets as PyTorch finds them, for the numbers in row-major order."""
        x, node = args[0], self.whole(args[0])
        if name_of(function) == "flip":
            sides = {side % x.dim() for side in args[1]}
            steps = [-step if k in sides else step for k, step in enumerate(contiguous(x.shape))]
            start = -sum(steps[k] * (x.shape[k] - 1) for k in sides)
            return [self.graph.viewed(node, x.shape, steps, start)]
        sizes = [list(value.shape) if isinstance(value, Tensor) else value for value in args[1:]]
        found = function(torch.empty(x.shape, device="meta"), *sizes, **kwargs)
        views = [found] if isinstance(found, Tensor) else found
        if name_of(function) == "expand":
            return [self.graph.expanded(node, views[0].shape)]
        return [self.graph.viewed(node, v.shape, v.stride(), int(v.storage_offset())) for v in views]

    def on_cat(self, name: str, shape: Shape, tensors: Sequence[Tensor], dim: int = 0) -> int:
        return self.graph.add(name, [self.whole(x) for x in tensors if x.numel()], shape, dim % len(shape))

    def on_stack(self, _: str, shape: Shape, tensors: Sequence[Tensor], dim: int = 0) -> int:
        side = dim % len(shape)
        apart = (*shape[:side], 1, *shape[side + 1 :])
        return self.graph.add("cat", [self.graph.reshaped(self.whole(x), apart) for x in tensors], shape, side)

    def on_constant_pad_nd(self, _: str, __: Shape, x: Tensor, pad: Sequence[int], value: float = 0) -> int:
        if min(pad) < 0:
            raise UnknownOperatorError("pad by less than nothing")
        node = self.whole(x)
        for k, (before, after) in enumerate(zip(pad[::2], pad[1::2], strict=True)):
            own, side = self.graph.shape(node), x.dim() - 1 - k
            node = self._among(value, node, _with(own, side, own[side] + before + after), side, before)
        return node

    def on_select_backward(self, _: str, shape: Shape, grad: Tensor, __: Any, dim: int, index: int) -> int:
        return self._among(0.0, self.graph.reshaped(self.whole(grad), _with(shape, dim, 1)), shape, dim, index)

    def on_slice_backward(self, _: str, shape: Shape, grad: Tensor, __: Any, dim: int, start: int, *___: Any) -> int:
        return self._among(0.0, self.whole(grad), shape, dim, start)

    def _among(self, filling: float, node: int, shape: Shape, dim: int, start: int) -> int:
        """A node as a part of a larger one that is else filled with a number."""
        side = dim % len(shape)
        start += shape[side] if start < 0 else 0
        rest = shape[side] - start - self.graph.shape(node)[side]
        ends = [self.graph.filled(filling, _with(shape, side, size)) if size else None for size in (start, rest)]
        parts = [part for part in (ends[0], node, ends[1]) if part is not None]
        return self.graph.add("cat", parts, shape, side) if len(parts) > 1 else node

    def on_gather(self, name: str, shape: Shape, x: Tensor, dim: int, index: Tensor, **_: Any) -> int:
        return self.graph.add(name, [self.whole(x), self.whole(index)], shape, dim % max(x.dim(), 1))

    def on_scatter(self, _: str, shape: Shape, x: Tensor, dim: int, index: Tensor, value: Any, **__: Any) -> int:
        side = dim % len(shape)
        if index.shape[side] != 1 or _with(shape, side, 1) != tuple(index.shape):
            raise UnknownOperatorError("scatter to several places of a row")
        places = torch.arange(shape[side]).reshape([-1 if k == side else 1 for k in range(len(shape))])
        hit = self.each("eq", shape, places, index)
        return self.graph.add("where", [hit, self.operand(value), self.whole(x)], shape)

    def on_scatter_add(self, _: str, shape: Shape, x: Tensor, dim: int, index: Tensor, source: Tensor) -> int:
        added = self.on_scatter("scatter", shape, torch.zeros(shape), dim, index, source)
        return self.graph.add("add", [self.operand(x), added], shape)

    def _places(self, index: Tensor) -> Tensor:
        if index.dtype != torch.bool:
            return index
        if index.dim() != 1 or self.graph.moves(self.use(index)):
            raise UnknownOperatorError("index by a mask, which gives as many numbers as are true")
        return index.nonzero()[:, 0]

    def on_index(self, _: str, shape: Shape, x: Tensor, indices: Sequence[Tensor | None]) -> int:
        sides = [side for side, index in enumerate(indices) if index is not None]
        given = [self._places(index) for index in indices if index is not None]
        if sides != list(range(sides[0], sides[-1] + 1)):
            raise UnknownOperatorError("index of sides that are no neighbours")
        graph, before, after = self.graph, math.prod(x.shape[: sides[0]]), math.prod(x.shape[sides[-1] + 1 :])
        common = tuple(np.broadcast_shapes(*(index.shape for index in given)))
        flat = self.operand(given[0])
        for side, index in zip(sides[1:], given[1:], strict=True):
            row = graph.add("mul", [flat, graph.number(x.shape[side])], graph.shape(flat))
            flat = graph.add("add", [row, self.operand(index)], common)
        count = math.prod(common)
        places = graph.reshaped(graph.expanded(flat, common), (1, count, 1))
        rows = graph.reshaped(self.whole(x), (before, math.prod(x.shape[side] for side in sides), after))
        found = graph.add("gather", [rows, graph.expanded(places, (before, count, after))], (before, count, after), 1)
        return graph.reshaped(found, shape)

    def on_index_put(self, _: str, shape: Shape, x: Tensor, indices: Any, value: Tensor, *__: Any) -> int:
        if len(indices) != 1 or indices[0].dtype != torch.bool or value.numel() != 1:
            raise UnknownOperatorError("index_put other than one number where a mask is true")
        mask = indices[0].reshape(*indices[0].shape, *[1] * (x.dim() - indices[0].dim()))
        return self.each("where", shape, mask, value, x)


def _with(shape: Shape, dim: int, size: int) -> Shape:
    side = dim % len(shape)
    return (*shape[:side], size, *shape[side + 1 :])
