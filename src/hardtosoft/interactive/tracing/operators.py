"""PyTorch's operators (ATen) in the few that pages know.

What is missing here is taken apart by PyTorch's own decompositions; what neither knows is refused, with its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._decomp import decomposition_table

from .graph import Shape
from .places import VIEWS, Places, UnknownOperatorError, name_of, names

_COPIES = names("clone contiguous positive")
#: Operators that ask a tensor for its shape and type alone.
SHAPES = names("empty_like full_like new_empty new_full new_ones new_zeros ones_like rand_like zeros_like")
_UNARY = names(
    "abs ceil cos erf erfc erfcx exp expm1 floor isinf isnan log log1p log2 neg reciprocal relu round rsqrt sigmoid"
    " sign sin sqrt tanh trunc"
)
_BINARY = {
    **{name: name for name in names("atan2 div eq ge gt hypot le lt maximum minimum mul ne pow remainder")},
    **{"logical_and": "and", "bitwise_and": "and", "logical_or": "or", "bitwise_or": "or", "bitwise_xor": "ne"},
}
_REDUCED = {"sum": "sum", "mean": "sum", "prod": "prod", "amax": "amax", "amin": "amin", "all": "amin", "any": "amax"}
_EXTREMES = {"max": ("amax", "argmax"), "min": ("amin", "argmin"), "aminmax": ("amin", "amax")}

Decomposition = Callable[..., Any]


def decomposition(function: Any) -> Decomposition | None:
    """How PyTorch writes an operator in others, if pages do not know it themselves."""
    name = name_of(function)
    if hasattr(Calls, f"on_{name}") or _group(name) or name in _EXTREMES or name == "sort":
        return None
    composite = function.decompose if function._can_decompose() else None
    return decomposition_table.get(function, composite)


def _group(name: str) -> str:
    groups = {"view": VIEWS, "copy": _COPIES, "unary": _UNARY, "binary": _BINARY, "reduced": _REDUCED}
    return next((group for group, names in groups.items() if name in names), "")


class Calls(Places):
    """Puts calls of all operators into a graph."""

    def nodes(self, function: Any, args: Sequence[Any], kwargs: dict[str, Any], out: Any) -> list[int]:
        """The nodes of the tensors that a call gave.

        Raises:
            UnknownOperatorError: no page knows it.
        """
        name = name_of(function)
        if name in _EXTREMES and not isinstance(out, Tensor):
            return self._extremes(name, args, kwargs, out)
        if name == "sort":
            return self._sorted(args, kwargs)
        if name in VIEWS:
            return self.views(function, args, kwargs)
        if not isinstance(out, Tensor):
            raise UnknownOperatorError(name)
        handler = getattr(self, f"on_{name}", None) or getattr(self, f"_{_group(name)}", None)
        if handler is None:
            raise UnknownOperatorError(name)
        return [handler(name, tuple(out.shape), *args, **kwargs)]

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

    def on_clamp(self, _: str, shape: Shape, x: Any, min: Any = None, max: Any = None) -> int:
        node = self.operand(x)
        for operator, bound in (("maximum", min), ("minimum", max)):
            if bound is not None:
                node = self.graph.add(operator, [node, self.operand(bound)], shape)
        return node

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
