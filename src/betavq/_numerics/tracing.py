"""How ``torch.fx`` sees the library: each function and each layer is one step of a traced graph, whatever it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.fx import Proxy

__all__ = ["Proxy", "function_step", "layer_step"]


def function_step(function: Callable[..., Any], input: Proxy, *args: Any, **kwargs: Any) -> Tensor:
    """The step that calls a function, which need not be wrapped for it beforehand."""
    step: Any = Proxy.__torch_function__(function, (type(input),), (input, *args), kwargs)
    return step  # type: ignore[no-any-return]


def layer_step(layer: nn.Module, input: Proxy, *args: Any) -> Tensor:
    """The step that calls a layer, as if it were one of ``torch.nn``.

    Raises:
        TypeError: the layer is all that is traced, and so no step of anything.
    """
    path = input.tracer.path_of_module(layer)  # type: ignore[attr-defined]
    if not path:
        name = type(layer).__name__
        raise TypeError(f"model must hold the {name} to be traced by torch.fx, got the {name} itself")
    step: Any = input.tracer.create_proxy("call_module", path, (input, *args), {})
    return step  # type: ignore[no-any-return]
