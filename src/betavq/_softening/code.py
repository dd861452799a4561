"""What the Python code of a module names: whether it may call what is softened, and Python's own ``abs``."""

from __future__ import annotations

import dis
import functools
import inspect
import operator
from collections.abc import Iterator
from types import CodeType
from typing import Any

from torch import nn
from torch.fx import GraphModule, Node

from .. import functional
from .._torch.call_table import CALLS, SOFTENED_NAMES
from .._torch.left_alone import INDICES
from .._torch.pieces import PIECES
from .intercept import Entry

MODULE_NAMES = {entry.layer for entry in PIECES.values() if entry.softened}


def is_hidden(module: nn.Module) -> bool:
    """Whether calls may be made that torch.compile does not show to a ``TorchFunctionMode``.

    They are those of Python's own ``abs``, and those within a checkpoint.
    """
    return any(
        ("abs" in code.co_names and names.get("abs", abs) is abs and _is_global(code))
        or any(name.startswith("checkpoint") or _is_checkpoint(names.get(name)) for name in code.co_names)
        for code, names in _codes(module)
    ) or any(_is_checkpoint(value) for value in vars(module).values())


def _is_checkpoint(value: Any) -> bool:
    return getattr(_unwrapped(value), "__module__", "") == "torch.utils.checkpoint"


def reads_no_indices(module: nn.Module) -> bool:
    """Whether it is a graph where of what a max-pooling with indices returns the maxima alone are read."""
    return isinstance(module, GraphModule) and all(
        user.target is operator.getitem and user.args[1] == 0
        for node in module.graph.nodes
        if node.op == "call_function" and _has_indices(node)
        for user in node.users
    )


def _has_indices(node: Node) -> bool:
    call = CALLS.get(node.target)
    bound = None if call is None else call.arguments(node.args, node.kwargs)
    return call is not None and bound is not None and INDICES in (call.reason, bound.unwanted)


def beta_functions(module: nn.Module) -> list[str]:
    """The functions of ``betavq.functional`` that the code names, and gives a β of their own."""
    return sorted({name for code, _ in _codes(module) for name in code.co_names if name in functional.__all__})


def may_call(module: nn.Module) -> bool:
    """Whether a module's code names a function, a method or a module that is softened, but for its own submodules."""
    wanted = (SOFTENED_NAMES | MODULE_NAMES) - set(module._modules)
    if any(_is_softened(value) for value in vars(module).values()):
        return True
    return _name(_codes(module), wanted)


def may_call_in_hooks(module: nn.Module) -> bool:
    """Whether the code of a module's own hooks, which run outside of its methods, names what is softened."""
    hooks = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    return _name(_codes_of(hooks), SOFTENED_NAMES | MODULE_NAMES)


def _name(codes: Iterator[tuple[CodeType, dict[str, Any]]], wanted: set[str]) -> bool:
    return any(
        not wanted.isdisjoint(code.co_names) or any(_is_softened(names.get(name)) for name in code.co_names)
        for code, names in codes
    )


def _is_softened(value: Any) -> bool:
    value = _unwrapped(value)
    return callable(value) and not isinstance(value, nn.Module) and value in CALLS and not CALLS[value].reason


def _unwrapped(value: Any) -> Any:
    while isinstance(value, functools.partial):
        value = value.func
    return value


def _codes(module: nn.Module) -> Iterator[tuple[CodeType, dict[str, Any]]]:
    """The code of a module's methods, of functions that it holds, and of those that these name, with their globals."""
    methods = [item for cls in type(module).__mro__ for item in vars(cls).items()]
    waiting: list[Any] = [function for name, function in methods if name != "__init__"]
    return _codes_of(waiting + [value.own if isinstance(value, Entry) else value for value in vars(module).values()])


def _codes_of(functions: list[Any]) -> Iterator[tuple[CodeType, dict[str, Any]]]:
    waiting, seen = list(functions), set[Any]()
    while waiting:
        found = _unwrapped(waiting.pop())
        found = inspect.unwrap(getattr(found, "__func__", found)) if callable(found) else found
        if not inspect.isroutine(found):  # an object with a __call__ of its own
            found = type(found).__call__
        if not inspect.isfunction(found) or found in seen or str(found.__module__).startswith(("torch.", "betavq.")):
            continue
        seen.add(found)
        codes = [found.__code__]
        for code in codes:
            codes += [constant for constant in code.co_consts if inspect.iscode(constant)]
            yield code, found.__globals__
            waiting += [found.__globals__.get(name) for name in code.co_names]


def _is_global(code: CodeType) -> bool:
    """Whether ``abs`` is loaded as a global name, and not as a method of a tensor."""
    return any(step.opname.startswith("LOAD_GLOBAL") and step.argval == "abs" for step in dis.get_instructions(code))
