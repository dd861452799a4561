"""Calls of functions that are softened, or known nonlinearities that are left alone, and their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .._numerics.dtypes import FLOATING_DTYPES

_OUT = "writes its result to out="


class Bound(NamedTuple):
    """The arguments of a call: the input, what else the unit takes, and whether it overwrites its input."""

    input: Any
    options: tuple[Any, ...] = ()
    in_place: bool = False
    unwanted: str = ""


class Call(NamedTuple):
    """A function that is softened (with its arguments' order), or left alone for a reason."""

    kind: str
    bind: Callable[..., Bound] | None = None
    reason: str = ""
    in_place: bool = False

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Bound | None:
        """The call's arguments; None where PyTorch is to refuse them."""
        if self.bind is None or kwargs.get("out") is not None:
            given = [*args, *kwargs.values()]
            numbers = (each for each in given if isinstance(each, Tensor) and is_numeric(each))
            return Bound(next(numbers, given[0] if given else None), unwanted=_OUT)
        try:
            bound = self.bind(*args, **kwargs)
        except TypeError:
            return None
        return bound._replace(in_place=bound.in_place or self.in_place)


def is_numeric(x: Tensor) -> bool:
    """Whether it holds what a network computes, and not places or marks."""
    return x.is_floating_point() or x.is_quantized


def why_not(x: Tensor) -> str:
    """Why what acts on ``x`` cannot be softened; empty if it can."""
    if isinstance(x, torch.nn.Parameter):
        return "acts on a parameter, not on what flows through the network"
    if x.dtype not in FLOATING_DTYPES:
        return f"its input is {x.dtype}"
    if x.layout != torch.strided or x.is_nested:
        return "its input is sparse or nested"
    return ""
