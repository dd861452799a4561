"""Which modules call Python's own ``abs``, a call that torch.compile does not show to a ``TorchFunctionMode``."""

from __future__ import annotations

import dis
import functools
import inspect
from typing import Any

from torch import nn


def names_abs(module: nn.Module) -> bool:
    """Whether a module's methods, functions that it holds, or functions that these name call ``abs``."""
    waiting = [function for cls in type(module).__mro__ for function in vars(cls).values()]
    waiting += list(vars(module).values())
    seen: set[Any] = set()
    while waiting:
        found = waiting.pop()
        while isinstance(found, functools.partial):
            found = found.func
        found = inspect.unwrap(getattr(found, "__func__", found)) if callable(found) else found
        if not inspect.isfunction(found) or found in seen or found.__module__.startswith(("torch.", "betavq.")):
            continue
        seen.add(found)
        codes = [found.__code__]
        for code in codes:
            codes += [constant for constant in code.co_consts if inspect.iscode(constant)]
            if "abs" in code.co_names and found.__globals__.get("abs", abs) is abs and _is_global(code):
                return True
            waiting += [found.__globals__.get(name) for name in code.co_names]
    return False


def _is_global(code: Any) -> bool:
    """Whether ``abs`` is loaded as a global name, and not as a method of a tensor."""
    return any(step.opname.startswith("LOAD_GLOBAL") and step.argval == "abs" for step in dis.get_instructions(code))
