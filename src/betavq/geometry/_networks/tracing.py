"""The graph of a network's forward pass: functions and the library's own layers, from its input to its logits."""

from __future__ import annotations

import math
import operator
from typing import Any

from torch import fx, nn
from torch.nn.utils.parametrize import ParametrizationList

from .own_layers import OWN_LAYERS

#: Layers of torch.nn that are traced, so that a layer and its function are one; the others stay as they are.
TRACED = frozenset(
    f"torch.nn.{name}"
    for name in (
        *("modules.activation", "modules.channelshuffle", "modules.conv", "modules.dropout", "modules.flatten"),
        *("modules.linear", "modules.normalization", "modules.padding", "modules.pixelshuffle", "modules.pooling"),
        *("modules.upsampling", "utils.parametrize"),
    )
)


#: Python's operators that change their first operand, by name.
_OPERATORS = {
    f"__{name}__": getattr(operator, name) for name in ("iadd", "isub", "imul", "imatmul", "itruediv", "imod", "ipow")
}


class _Proxy(fx.Proxy):
    """A value that is traced, through ``+=`` and its kind too, which torch.fx takes for ``+``."""


def _recorded(function: Any) -> Any:
    def record(self: fx.Proxy, other: Any) -> fx.Proxy:
        return self.tracer.create_proxy("call_function", function, (self, other), {})

    return record


for _name, _function in _OPERATORS.items():
    setattr(_Proxy, _name, _recorded(_function))


class _Tracer(fx.Tracer):
    """Traces through a model's own modules and most of PyTorch's, down to functions and to our layers."""

    def __init__(self) -> None:
        super().__init__(autowrap_modules=(math,))

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        is_kept = type(m).__module__ not in TRACED and super().is_leaf_module(m, module_qualified_name)
        return is_kept or isinstance(m, (*OWN_LAYERS, ParametrizationList))  # which makes a weight, whatever its input


def trace(model: nn.Module) -> tuple[fx.Node, list[fx.Node], fx.Node]:
    """The input, the steps in order, those that the output does not need left out, and which of them is the output.

    Raises:
        ValueError: a forward pass that cannot be traced, or not from one tensor to one.
    """
    try:
        graph = _Tracer().trace(model)
    except Exception as error:
        raise ValueError(
            f"model must have a forward pass that torch.fx can trace, without branches on values; it said: {error}"
        ) from error
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    (output,) = next(node for node in graph.nodes if node.op == "output").args
    if len(inputs) != 1 or not isinstance(output, fx.Node):
        returned = "one" if isinstance(output, fx.Node) else f"a {type(output).__name__}"
        got = f"got one that takes {', '.join(node.name for node in inputs)} and returns {returned}"
        raise ValueError(f"model must take one tensor and return one, {got}")
    _take_values(graph)
    (output,) = next(node for node in graph.nodes if node.op == "output").args
    assert isinstance(output, fx.Node)
    return inputs[0], _needed(model, graph, output), output


def _needed(model: nn.Module, graph: fx.Graph, output: fx.Node) -> list[fx.Node]:
    """The steps that lead to the output, or that change a value on the way, in order."""
    needed, nodes = {output}, list[fx.Node]()
    for node in reversed(graph.nodes):
        if node.op not in ("placeholder", "output") and (node in needed or is_in_place(node, model)):
            needed.update(node.all_input_nodes)
            nodes.append(node)
    return nodes[::-1]


def is_in_place(node: fx.Node, model: nn.Module) -> bool:
    """Whether a step of a model also changes what it is given."""
    if node.op == "call_module":
        return bool(getattr(model.get_submodule(str(node.target)), "inplace", False))
    if node.target in _OPERATORS.values():
        return True
    name = str(getattr(node.target, "__name__", node.target))
    return bool(node.kwargs.get("inplace") or node.kwargs.get("out")) or (
        name.endswith("_") and not name.endswith("__")
    )


def _take_values(graph: fx.Graph) -> None:
    """Let the value of a maximum that comes with its indices be the maximum alone.

    Raises:
        ValueError: the indices are used.
    """
    for node in list(graph.nodes):
        name = str(getattr(node.target, "__name__", node.target))
        along = [*node.args[1:2], node.kwargs.get("dim")]
        is_along = name in ("max", "min") and any(isinstance(dim, int) for dim in along)
        if node.op not in ("call_function", "call_method") or not (is_along or name.endswith("_with_indices")):
            continue
        for user in list(node.users):
            if not user.users and user.op != "output":
                continue
            if user.target not in (operator.getitem, getattr) or user.args[1] not in (0, "values"):
                raise ValueError(
                    f"model must be piecewise affine, got {user.name}, which takes the indices of a maximum"
                )
            user.replace_all_uses_with(node)
