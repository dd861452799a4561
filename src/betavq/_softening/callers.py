"""From where a call comes that is intercepted, and whether it will be made again in the backward pass."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType, GeneratorType
from typing import Any, Protocol, Self

import torch
from torch.autograd.function import FunctionCtx


class Frame(Protocol):
    """A call of a module that is being run."""

    def restarted(self) -> Self: ...


# Where a call passes through on its way, and whose calls are means to another end.
_PASSING = ("torch.nn.functional", "torch.overrides", "torch._tensor", "torch._jit_internal", "torch.functional")
_FOREIGN = ("betavq.", "torch.distributions.")


def _levels() -> Iterator[tuple[FrameType, str]]:
    """The calls of Python that have led here, the last first, each with the module of its code."""
    level: FrameType | None = sys._getframe(1)
    while level is not None:
        yield level, str(level.f_globals.get("__name__", ""))
        level = level.f_back


def caller() -> str:
    """The module whose code makes the call: the first beyond softening itself and what a call passes through."""
    names = (name for _, name in _levels())
    return next((name for name in names if name not in _PASSING and not name.startswith(__package__)), "")


def is_foreign() -> bool:
    """Whether the call that is intercepted is made by a unit of betavq, or by a distribution."""
    return not torch.compiler.is_compiling() and caller().startswith(_FOREIGN)


class Again:
    """A function that a checkpoint runs again in the backward pass, softened there as in the forward pass."""

    def __init__(self, function: Callable[..., Any], frame: Frame, run: Callable[..., Any]) -> None:
        self.function, self.frame, self.run = function, frame.restarted(), run

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(self.frame.restarted(), self.function, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)


def derived_by_hand(frame: Frame, run: Any) -> str:
    """Why the backward pass of a call cannot be that of its softened form; empty if it can.

    Between a module's method and the call may lie ``torch.utils.checkpoint``, or an ``autograd.Function`` like it:
    what it is to run again is made to run softened. (A method that it runs again needs nothing: it is intercepted.)

    Args:
        frame: the method that makes the call.
        run: the function by which that method was called.
    """
    if torch.compiler.is_compiling():
        return ""
    within, context = None, None
    for level, name in _levels():
        if level.f_code is run.__code__:
            break
        if name == "torch.autograd.function" and level.f_code.co_name == "apply":
            context = within and next(iter(within.f_locals.values()), None)
            if not (isinstance(context, FunctionCtx) and _run_again(vars(context), frame, run)):
                function = level.f_locals["cls"].__name__
                return f"is called within {function}, an autograd.Function whose backward pass is written by hand"
        if name == "torch.utils.checkpoint" and level.f_code.co_name == "checkpoint" and context is None:
            generators = [value for value in level.f_locals.values() if isinstance(value, GeneratorType)]
            held = [value.gi_frame.f_locals.get("new_frame") for value in generators if value.gi_frame is not None]
            if not any(_run_again(vars(value), frame, run, "recompute_fn") for value in held if value is not None):
                return "is called within a torch.utils.checkpoint that cannot be made to run it softened again"
        within, context = level, context if name == "torch.autograd.function" else None
    return ""


def _run_again(held: dict[str, Any], frame: Frame, run: Any, only: str = "") -> bool:
    """Make the functions that are held run softened; whether there are any."""
    names = [name for name, value in held.items() if callable(value) and not isinstance(value, type)]
    for name in names:
        if only in ("", name) and not isinstance(held[name], Again):
            held[name] = Again(held[name], frame, run)
    return only in names if only else bool(names)
