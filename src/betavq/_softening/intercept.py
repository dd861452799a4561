"""How calls are intercepted: each module that may hold a site gets a class of its own, derived from the one it has.

Its ``forward`` and its other public methods run under a ``TorchFunctionMode``, which sees every function of PyTorch
that is called, by whatever name and from wherever; what it replaces is decided in ``state.py``.
"""

from __future__ import annotations

import copy
import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.fx import Proxy
from torch.nn.utils.parametrize import ParametrizationList
from torch.overrides import TorchFunctionMode

from .._beta_module import BetaModule
from .._torch.calls import CALLS
from .code import names_abs
from .state import Frame, Softening

BACKWARD = (Tensor.backward, torch.autograd.backward, torch.autograd.grad)
PAUSED = (ParametrizationList, BetaModule)  # what they call is no nonlinearity of the network, or softened already
# torch.nn's modules stay as they are, but for those that are a site, or may call one.
PLAIN = "torch.nn.modules."
HOLDING = ("activation", "pooling", "transformer", "rnn")


# What a softened module keeps.
KEPT = ("softening", "softened_name", "softened_site", "softened_eagerly", "softened_quiet", "softened_betas")


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
            return frame.softening.meet(frame, call, func, args, kwargs or {})
        if func in BACKWARD:  # where a checkpoint runs modules again
            return _outside(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))


def _outside(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    frames, running.frames = running.frames, []
    try:
        return function(*args, **kwargs)
    finally:
        running.frames = frames


class SoftenedModule:
    """What the classes made by :func:`softened_class` have in front of the class they derive from."""

    softening: Softening
    softened_name: str
    softened_site: bool
    softened_class: type[nn.Module]
    softened_betas: tuple[str, ...]
    softened_quiet: bool  # it calls nothing that is softened: its submodules alone do
    softened_eagerly: bool  # torch.compile would not show all its calls

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _new, (self.softened_class,), self._state()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        made = object.__new__(type(self))
        memo[id(self)] = made
        vars(made).update(copy.deepcopy(self._state(), memo))
        return made

    def _state(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_compiled_call_impl"}

    def _get_name(self) -> str:
        return f"Softened{self.softened_class.__name__}"

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # β stays in full precision.
        kept = [getattr(self, name) for name in self.softened_betas]

        def apply(tensor: Tensor) -> Tensor:
            applied = fn(tensor)
            if applied.dtype in (torch.float32, torch.float64) or not any(tensor is beta for beta in kept):
                return applied
            return tensor.to(device=applied.device, dtype=torch.float32)

        return super()._apply(apply, recurse)  # type: ignore[misc, no-any-return]

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        *others: Any,
    ) -> None:
        # The original's state has no β; the copy keeps its own then.
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing_keys, *others)  # type: ignore[misc]
        own = {prefix + name for name in self.softened_betas}
        missing_keys[:] = [key for key in missing_keys if key not in own]


def _new(base: type[nn.Module]) -> nn.Module:
    made = softened_class(base)
    return made.__new__(made)


def softened_class(base: type[nn.Module]) -> type[nn.Module]:
    """``base`` with its forward and its other public methods intercepted: one class for all modules of a class."""
    made = _classes.get(base)
    if made is None:
        made = _classes[base] = _make_class(base)
    return made


_classes: dict[type[nn.Module], type[nn.Module]] = {}


def _make_class(base: type[nn.Module]) -> type[nn.Module]:
    methods = {name: _intercepted(name, function) for name, function in entries(base).items()}
    named = {"__module__": base.__module__, "__doc__": base.__doc__, "softened_class": base}
    return type(f"Softened{base.__name__}", (SoftenedModule, base), {**methods, **named})


def entries(base: type[nn.Module]) -> dict[str, Callable[..., Any]]:
    """Functions by which a module is run: its own, not those that every module has."""
    found: dict[str, Callable[..., Any]] = {}
    for cls in reversed(base.__mro__):
        for name, function in vars(cls).items():
            is_entry = name == "forward" or not (name.startswith("_") or hasattr(nn.Module, name))
            is_torchs = cls.__module__.startswith("torch.") and name != "forward"
            if is_entry and not is_torchs and inspect.isfunction(function):
                found[name] = function
    return {name: function for name, function in found.items() if not inspect.isgeneratorfunction(function)}


def _intercepted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    method_name = "" if name == "forward" else name

    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.softened_quiet or self.softening.is_hard():
            return function(self, *args, **kwargs)
        if self.softened_eagerly and torch.compiler.is_compiling():
            from .uncompiled import uncompiled

            return uncompiled(method, self, *args, **kwargs)
        frame = Frame(self.softening, self.softened_name, method_name, self.softened_site, isinstance(self, PAUSED))
        return _run(frame, function, self, *args, **kwargs)

    return method


def _run(frame: Frame, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    frames = running.frames
    frames.append(frame)
    try:
        if len(frames) > 1 or running.is_capturing:
            return function(*args, **kwargs)
        if any(type(argument) is Proxy for argument in args):
            raise TypeError(
                "a softened model cannot be traced by torch.fx, which would see its hard calls: trace the original,"
                " and soften the GraphModule"
            )
        with Interception():
            return function(*args, **kwargs)
    finally:
        frames.pop()


class OwnForward:
    """A ``forward`` that was put on the module itself, where it takes the place of its class's."""

    def __init__(self, module: nn.Module, function: Callable[..., Any]) -> None:
        self.module, self.function = module, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _own_forward(self.module, *args, **kwargs)


def _call_own(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
    return vars(module)["forward"].function(*args, **kwargs)


_own_forward = _intercepted("forward", _call_own)


def holds_sites(module: nn.Module) -> bool:
    """Whether a module may compute a nonlinearity itself."""
    name = type(module).__module__
    return not name.startswith(PLAIN) or name.removeprefix(PLAIN) in HOLDING


def intercept(module: nn.Module, softening: Softening, name: str, *, is_site: bool) -> None:
    """Give a module the class by which its calls are intercepted."""
    eagerly = names_abs(module)
    if "forward" in vars(module):
        vars(module)["forward"] = OwnForward(module, vars(module)["forward"])
    module.__class__ = softened_class(type(module))
    vars(module).update(dict(zip(KEPT, (softening, name, is_site, eagerly, False, ()), strict=True)))


def release(module: nn.Module) -> None:
    """Give a module back the class it had, and take its β away."""
    assert isinstance(module, SoftenedModule)
    for name in module.softened_betas:
        delattr(module, name)
    base = module.softened_class
    own = vars(module).get("forward")
    if isinstance(own, OwnForward):
        vars(module)["forward"] = own.function
    for name in KEPT:
        vars(module).pop(name)
    module.__class__ = base  # type: ignore[assignment]
