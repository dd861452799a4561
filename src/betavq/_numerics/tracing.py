"""How ``torch.fx``, and who watches a tensor, see the library: each function and each layer is one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.fx
from torch import Tensor, nn

__all__ = ["Observed", "Proxy", "function_step", "layer_step"]


class Observed(Tensor):
    """A tensor whose ``__torch_function__`` is asked before each operation on it, those of the library included."""


#: What stands in for a tensor; a class for ``isinstance``.
Proxy: Any = (torch.fx.Proxy, Observed)


def function_step(function: Callable[..., Any], input: Any, *args: Any, **kwargs: Any) -> Tensor:
    """The step that calls a function, which need not be wrapped for it beforehand."""
    step: Any = type(input).__torch_function__(function, (type(input),), (input, *args), kwargs)
    return step  # type: ignore[no-any-return]


def layer_step(layer: nn.Module, input: Any, *args: Any) -> Tensor:
    """The step that calls a layer, as if it were one of ``torch.nn``.

    Raises:
        TypeError: the layer is all that is traced, and so no step of anything.
    """
    if isinstance(input, Observed):
        return function_step(layer, input, *args)
    path = input.tracer.path_of_module(layer)
    if not path:
        name = type(layer).__name__
        raise TypeError(f"model must hold the {name} to be traced by torch.fx, got the {name} itself")
    step: Any = input.tracer.create_proxy("call_module", path, (input, *args), {})
    return step  # type: ignore[no-any-return]
