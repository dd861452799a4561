"""How calls are intercepted: the methods of each module that may hold a site run under a ``TorchFunctionMode``.

The mode sees every function of PyTorch that is called, by whatever name and from wherever; what it replaces is decided
in ``state.py``. A method is taken over by an attribute of the module itself, which Python finds before that of the
class: a class derived from the module's would not do for every class, and would not be the one that others look for.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Generator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Proxy
from torch.nn.utils.parametrize import ParametrizationList
from torch.overrides import TorchFunctionMode

from .._beta_module import BetaModule
from .._torch.call_table import CALLS
from .state import Frame, part_of

BACKWARD = (Tensor.backward, torch.autograd.backward, torch.autograd.grad)
PAUSED = (ParametrizationList, BetaModule)  # what they call is no nonlinearity of the network, or softened already
NO_TRACE = (
    "a softened model cannot be traced by torch.fx, which would see its hard calls: trace the original, and soften the"
    " GraphModule"
)


class _Running(threading.local):
    """The module calls that this thread is in."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.is_capturing = False


running = _Running()


class Interception(TorchFunctionMode):
    """Hands the calls of known functions to the softening of the module that makes them."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = CALLS.get(func)
        if call is not None:
            frame = running.frames[-1]
            return frame.softening.meet(frame, call, func, args, kwargs or {}, run)
        if func in BACKWARD:  # where a checkpoint runs modules again
            return _outside(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))


def _outside(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    frames, running.frames = running.frames, []
    try:
        return function(*args, **kwargs)
    finally:
        running.frames = frames


def run(frame: Frame, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function as what runs in a module of a softened model."""
    frames = running.frames
    frames.append(frame)
    try:
        # One interception serves all that is called within it.
        with nullcontext() if len(frames) > 1 or running.is_capturing else Interception():
            return function(*args, **kwargs)
    finally:
        frames.pop()


def _steps(frame: Frame, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """A generator whose every step runs as a call does; what the caller does in between does not."""
    try:
        given = yield run(frame, next, generator)
        while True:
            given = yield run(frame, generator.send, given)
    except StopIteration as end:
        return end.value
    finally:
        generator.close()


class Entry:
    """A method of one module that runs intercepted; ``own`` is a function that stood on the module in its place."""

    def __init__(self, module: nn.Module, name: str, own: Callable[..., Any] | None = None) -> None:
        self.module, self.name, self.own = module, name, own

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        part = part_of(self.module)
        assert part is not None
        is_compiling = torch.compiler.is_compiling()
        if not is_compiling:
            part.softening.calls.count += part.name == ""
            if part.layer is not None and self._is_plain(args, kwargs):
                y = part.softening.at_layer(part, self.module, args[0])
                if y is not None:
                    return y
        is_within = bool(running.frames) and running.frames[-1].softening is part.softening  # which is not hard then
        if part.softening.moments.found and not is_within and self.module is part.softening.root:
            part.softening.moments.restart()
        if part.is_quiet or (not is_within and part.softening.is_hard()):
            return self.original(*args, **kwargs)
        if part.is_eager and is_compiling:
            from .uncompiled import uncompiled

            return uncompiled(self, *args, **kwargs)
        if not running.is_capturing and any(type(argument) is Proxy for argument in args):
            raise TypeError(NO_TRACE)
        method = "" if self.name == "forward" else self.name
        frame = Frame(part.softening, part.name, method, part.is_site, isinstance(self.module, PAUSED), part.is_graph)
        if inspect.isgeneratorfunction(getattr(type(self.module), self.name)):
            return _steps(frame, self.original(*args, **kwargs))
        return run(frame, self.original, *args, **kwargs)

    def _is_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether a layer is called as layers are, by a module that is not watched itself."""
        is_bare = not running.frames and not running.is_capturing and self.own is None
        return is_bare and len(args) == 1 and not kwargs and type(args[0]) is Tensor

    def original(self, *args: Any, **kwargs: Any) -> Any:
        """The method as it is without softening: looked up anew, for a ``GraphModule`` changes its class's."""
        if self.own is not None:
            return self.own(*args, **kwargs)
        return getattr(type(self.module), self.name)(self.module, *args, **kwargs)

    # What others ask a method for who want to know what it takes.

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self._bound())

    def _bound(self) -> Callable[..., Any]:
        return self.own or getattr(type(self.module), self.name).__get__(self.module)

    def __getattr__(self, name: str) -> Any:
        if name in ("__code__", "__name__", "__qualname__", "__defaults__", "__kwdefaults__"):
            return getattr(self._bound(), name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def entries(base: type[nn.Module]) -> dict[str, Callable[..., Any]]:
    """Functions by which a module is run: its own, not those that every module has."""
    found: dict[str, Callable[..., Any]] = {}
    for cls in reversed(base.__mro__):
        for name, function in vars(cls).items():
            is_entry = name == "forward" or not (name.startswith("_") or hasattr(nn.Module, name))
            is_torchs = cls.__module__.startswith("torch.") and name != "forward"
            if is_entry and not is_torchs and inspect.isfunction(function):
                found[name] = function
    return found
