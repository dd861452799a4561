"""PyTorch's operators (ATen) in the few that pages know.

What is missing here is taken apart by PyTorch's own decompositions; what neither knows is refused, with its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._decomp import decomposition_table

from .graph import Graph, Shape, contiguous


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Operators whose result has the numbers of their first argument, or of a part of it, at other places.
VIEWS = _names(
    "alias as_strided chunk detach diagonal expand expand_as flip lift_fresh movedim permute reshape select slice"
    " split split_with_sizes squeeze t transpose unbind unfold unsafe_split unsqueeze view view_as _reshape_alias"
    " _unsafe_view"
)
_COPIES = _names("clone contiguous positive")
#: Operators that ask a tensor for its shape and type alone.
SHAPES = _names("empty_like full_like new_empty new_full new_ones new_zeros ones_like rand_like zeros_like")
_UNARY = _names(
    "abs ceil cos erf erfc erfcx exp expm1 floor isinf isnan log log1p log2 neg reciprocal relu round rsqrt sigmoid"
    " sign sin sqrt tanh trunc"
)
_BINARY = {
    **{name: name for name in _names("atan2 div eq ge gt hypot le lt maximum minimum mul ne pow remainder")},
    **{"logical_and": "and", "bitwise_and": "and", "logical_or": "or", "bitwise_or": "or", "bitwise_xor": "ne"},
}
_REDUCED = {"sum": "sum", "mean": "sum", "prod": "prod", "amax": "amax", "amin": "amin", "all": "amin", "any": "amax"}
_EXTREMES = {"max": ("amax", "argmax"), "min": ("amin", "argmin"), "aminmax": ("amin", "amax")}

Decomposition = Callable[..., Any]


class UnknownOperatorError(Exception):
    """An operator that neither pages nor PyTorch's decompositions know."""


def decomposition(function: Any) -> Decomposition | None:
    """How PyTorch writes an operator in others, if pages do not know it themselves."""
    name = _name(function)
    if hasattr(Calls, f"on_{name}") or _group(name) or name in _EXTREMES or name == "sort":
        return None
    composite = function.decompose if function._can_decompose() else None
    return decomposition_table.get(function, composite)


def _name(function: Any) -> str:
    name: str = function.overloadpacket.__name__
    inplace = name.endswith("_") and not name.startswith("_")
    return name[:-1] if inplace else name


def _group(name: str) -> str:
    groups = {"view": VIEWS, "copy": _COPIES, "unary": _UNARY, "binary": _BINARY, "reduced": _REDUCED}
    return next((group for group, names in groups.items() if name in names), "")


class Calls:
    """Puts calls of operators into a graph; ``use`` gives the node of a tensor that was met before, or a constant."""

    def __init__(self, graph: Graph, use: Callable[[Tensor], int]) -> None:
        self.graph, self.use = graph, use

    def nodes(self, function: Any, args: Sequence[Any], kwargs: dict[str, Any], out: Any) -> list[int]:
        """The nodes of the tensors that a call gave.

        Raises:
            UnknownOperatorError: no page knows it.
        """
        name = _name(function)
        if name in _EXTREMES and not isinstance(out, Tensor):
            return self._extremes(name, args, kwargs, out)
        if name == "sort":
            return self._sorted(args, kwargs)
        if name in VIEWS:
            return self._views(function, args, kwargs)
        if not isinstance(out, Tensor):
            raise UnknownOperatorError(name)
        handler = getattr(self, f"on_{name}", None) or getattr(self, f"_{_group(name)}", None)
        if handler is None:
            raise UnknownOperatorError(name)
        return [handler(name, tuple(out.shape), *args, **kwargs)]

    def operand(self, value: Any) -> int:
        """The node of a tensor or a number; a view that only repeats numbers is not needed where shapes broadcast."""
        return self.graph.narrow(self.use(value)) if isinstance(value, Tensor) else self.graph.number(value)

    def whole(self, tensor: Tensor) -> int:
        """The node of a tensor, of exactly its shape."""
        return self.graph.expanded(self.use(tensor), tensor.shape)

    def each(self, operator: str, shape: Shape, *operands: Any) -> int:
        """An operator of numbers, at each place."""
        return self.graph.add(operator, map(self.operand, operands), shape)

    def _unary(self, name: str, shape: Shape, x: Any, **_: Any) -> int:
        return self.each(name, shape, x)

    def _binary(self, name: str, shape: Shape, x: Any, y: Any, *, rounding_mode: str | None = None) -> int:
        found = self.each(_BINARY[name], shape, x, y)
        return self.graph.add(rounding_mode, [found], shape) if rounding_mode else found

    def _copy(self, _: str, shape: Shape, x: Tensor, **__: Any) -> int:
        return self.graph.expanded(self.use(x), shape)

    def _reduced(self, name: str, shape: Shape, x: Tensor, dim: Any = None, *_: Any, **__: Any) -> int:
        sides = range(x.dim()) if dim is None or dim == [] else [dim] if isinstance(dim, int) else dim
        sides = sorted(side % max(x.dim(), 1) for side in sides)
        found = self.graph.add(_REDUCED[name], [self.whole(x)], shape, tuple(sides)) if x.dim() else self.whole(x)
        count = math.prod(x.shape[side] for side in sides) if x.dim() else 1
        return self.graph.add("div", [found, self.graph.number(count)], shape) if name == "mean" else found

    def _extremes(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], out: Any) -> list[int]:
        x, dim = args[0], args[1] if len(args) > 1 else kwargs.get("dim")
        sides = tuple(range(x.dim())) if dim is None else (dim % max(x.dim(), 1),)
        return [
            self.graph.add(op, [self.whole(x)], o.shape, sides) for op, o in zip(_EXTREMES[name], out, strict=True)
        ]

    def _sorted(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[int]:
        x, dim, descending = (*args, kwargs.get("dim", -1), kwargs.get("descending", False))[:3]
        side, node = dim % x.dim(), self.whole(x)
        key = self.graph.add("neg", [node], x.shape) if descending else node
        order = self.graph.add("argsort", [key], x.shape, side)
        return [self.graph.add("gather", [node, order], x.shape, side), order]

    def _views(self, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> list[int]:
        """Strides and offsets as PyTorch finds them, for the numbers in row-major order."""
        x, node = args[0], self.whole(args[0])
        if _name(function) == "flip":
            sides = {side % x.dim() for side in args[1]}
            steps = [-step if k in sides else step for k, step in enumerate(contiguous(x.shape))]
            start = -sum(steps[k] * (x.shape[k] - 1) for k in sides)
            return [self.graph.viewed(node, x.shape, steps, start)]
        sizes = [list(value.shape) if isinstance(value, Tensor) else value for value in args[1:]]
        found = function(torch.empty(x.shape, device="meta"), *sizes, **kwargs)
        views = [found] if isinstance(found, Tensor) else found
        if _name(function) == "expand":
            return [self.graph.expanded(node, views[0].shape)]
        return [self.graph.viewed(node, v.shape, v.stride(), int(v.storage_offset())) for v in views]

    def on_max(self, _: str, __: Shape, x: Tensor) -> int:
        return self.graph.add("amax", [self.whole(x)], (), tuple(range(x.dim())))

    def on_min(self, _: str, __: Shape, x: Tensor) -> int:
        return self.graph.add("amin", [self.whole(x)], (), tuple(range(x.dim())))

    def on_add(self, name: str, shape: Shape, x: Any, y: Any, *, alpha: float = 1) -> int:
        if alpha == 1:
            return self.each(name, shape, x, y)
        scaled = self.graph.add("mul", [self.operand(y), self.graph.number(alpha)], getattr(y, "shape", ()))
        return self.graph.add(name, [self.operand(x), scaled], shape)

    on_sub = on_add

    def on_rsub(self, _: str, shape: Shape, x: Any, y: Any, alpha: float = 1) -> int:
        return self.on_sub("sub", shape, y, x, alpha=alpha)

    def on_square(self, _: str, shape: Shape, x: Tensor) -> int:
        return self.each("mul", shape, x, x)

    def on_logical_not(self, _: str, shape: Shape, x: Tensor) -> int:
        return self.each("eq", shape, x, 0.0)

    on_bitwise_not = on_logical_not

    def on__to_copy(self, _: str, shape: Shape, x: Tensor, *, dtype: torch.dtype | None = None, **__: Any) -> int:
        if dtype == torch.bool and x.dtype != torch.bool:
            return self.each("ne", shape, x, 0.0)
        cut = dtype is not None and x.dtype.is_floating_point and not dtype.is_floating_point
        return self.each("trunc", shape, x) if cut else self.whole(x)

    def on_where(self, name: str, shape: Shape, *operands: Any) -> int:
        return self.each(name, shape, *operands)

    def on_masked_fill(self, _: str, shape: Shape, x: Tensor, mask: Tensor, value: Any) -> int:
        return self.each("where", shape, mask, value, x)

    def on_clamp(self, _: str, shape: Shape, x: Any, min: Any = None, max: Any = None) -> int:
        node = self.operand(x)
        for operator, bound in (("maximum", min), ("minimum", max)):
            if bound is not None:
                node = self.graph.add(operator, [node, self.operand(bound)], shape)
        return node

    def on_clamp_min(self, _: str, shape: Shape, x: Any, bound: Any) -> int:
        return self.each("maximum", shape, x, bound)

    def on_clamp_max(self, _: str, shape: Shape, x: Any, bound: Any) -> int:
        return self.each("minimum", shape, x, bound)

    def on_argmax(self, name: str, shape: Shape, x: Tensor, dim: int | None = None, *_: Any, **__: Any) -> int:
        node = self.graph.reshaped(self.whole(x), x.shape if dim is not None else (x.numel(),))
        return self.graph.add(name, [node], shape, ((dim or 0) % max(x.dim(), 1),))

    on_argmin = on_argmax

    def on_cumsum(self, name: str, shape: Shape, x: Tensor, dim: int, **_: Any) -> int:
        return self.graph.add(name, [self.whole(x)], shape, dim % max(x.dim(), 1))

    def on_copy(self, _: str, shape: Shape, __: Any, source: Tensor, *___: Any) -> int:
        return self.graph.expanded(self.use(source), shape)

    def on_fill(self, _: str, shape: Shape, __: Any, value: Any) -> int:
        return self.graph.expanded(self.operand(value), shape)

    def on_mm(self, name: str, shape: Shape, a: Tensor, b: Tensor) -> int:
        return self.graph.add(name, [self.whole(a), self.whole(b)], shape)

    def on_bmm(self, _: str, shape: Shape, a: Tensor, b: Tensor) -> int:
        return self.on_mm("mm", shape, a, b)

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

    def on_index_select(self, name: str, shape: Shape, x: Tensor, dim: int, index: Tensor) -> int:
        return self.on_index(name, shape, x, [None] * (dim % x.dim()) + [index])

    def on_index_put(self, _: str, shape: Shape, x: Tensor, indices: Any, value: Tensor, *__: Any) -> int:
        if len(indices) != 1 or indices[0].dtype != torch.bool or value.numel() != 1:
            raise UnknownOperatorError("index_put other than one number where a mask is true")
        mask = indices[0].reshape(*indices[0].shape, *[1] * (x.dim() - indices[0].dim()))
        return self.each("where", shape, mask, value, x)


def _with(shape: Shape, dim: int, size: int) -> Shape:
    side = dim % len(shape)
    return (*shape[:side], size, *shape[side + 1 :])
