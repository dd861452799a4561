"""Which of PyTorch's functions are softened and which are known nonlinearities that are left alone, and why."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .._numerics.dtypes import FLOATING_DTYPES
from .pieces import PIECES, functions


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
        if self.bind is None:
            return Bound(args[0] if args else kwargs.get("input"))
        try:
            bound = self.bind(*args, **kwargs)
        except TypeError:
            return None
        return bound._replace(in_place=bound.in_place or self.in_place)


def why_not(call: Call, bound: Bound) -> str:
    """Why this call cannot be softened; empty if it can."""
    x = bound.input
    if call.reason or bound.unwanted:
        return call.reason or bound.unwanted
    if isinstance(x, torch.nn.Parameter):
        return "acts on a parameter, not on what flows through the network"
    if x.dtype not in FLOATING_DTYPES:
        return f"its input is {x.dtype}"
    if x.layout != torch.strided or x.is_nested:
        return "its input is sparse or nested"
    return ""


def _relu(input: Tensor, inplace: bool = False) -> Bound:
    return Bound(input, (), inplace)


def _leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Bound:
    return Bound(input, (negative_slope,), inplace)


def _prelu(input: Tensor, weight: Tensor) -> Bound:
    return Bound(input, (weight,))


def _abs(input: Tensor, *, out: Tensor | None = None) -> Bound:
    return Bound(input, unwanted="" if out is None else "writes its result to out=")


def _max_pool(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Bound:
    options = (kernel_size, stride if stride else None, padding, dilation, ceil_mode)
    return Bound(input, options, unwanted=INDICES if return_indices else "")


INDICES = "returns the indices of the maxima (return_indices=True), which a soft pooling does not have"
_SMOOTH = "is smooth already"
_THREE = "has three pieces; ReLU, leaky ReLU, PReLU, abs and max-pooling are softened"
_OTHER_MAXIMUM = "is a maximum, but no max-pooling in one or two dimensions"
_CLAMP = "is a clamp; a ReLU written so is softened if it is written as F.relu"

_BINDERS: dict[str, Callable[..., Bound]] = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "prelu": _prelu,
    "abs": _abs,
    "absolute": _abs,
    "max_pool1d": _max_pool,
    "max_pool2d": _max_pool,
}


def _each(reason: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


# Why the others are left alone; what of the table stands not here is a maximum.
_LEFT_ALONE = {
    **_each(_SMOOTH, "gelu silu mish elu selu celu softplus softsign logsigmoid tanhshrink glu tanh sigmoid"),
    **_each(_THREE, "relu6 hardtanh hardsigmoid hardswish hardshrink softshrink"),
    **_each(_CLAMP, "clamp clip clamp_min clamp_max"),
    **_each(_OTHER_MAXIMUM, "fractional_max_pool2d fractional_max_pool3d"),
    **_each("takes roots of sums of powers", "lp_pool1d lp_pool2d lp_pool3d"),
    **_each("is fused with the rest of its recurrence", "rnn_relu rnn_relu_cell"),
    "rrelu": "has a random slope",
    "threshold": "has a threshold of its own",
}


def _named() -> Iterator[tuple[str, Any, Call]]:
    """Every function that is softened or left alone, with its name behind that of its holder."""
    for kind in {**PIECES, **_LEFT_ALONE}:
        bind = _BINDERS[kind] if kind in PIECES and PIECES[kind].softened else None
        reason = "" if bind else _LEFT_ALONE.get(kind, _OTHER_MAXIMUM)
        for name, function in functions(kind):
            attribute = name.partition(".")[2]
            if attribute.endswith("_with_indices"):
                yield name, function, Call(attribute, reason=reason or INDICES)
                continue
            in_place = attribute.endswith("_") and not attribute.endswith("__")
            yield name, function, Call(kind.removesuffix("olute"), bind, reason, in_place)


def _table() -> dict[Any, Call]:
    table: dict[Any, Call] = {}
    for _, function, call in _named():
        table.setdefault(function, call)
    table[operator.abs] = table[torch.abs]  # what abs(x) is to torch.fx
    return table


CALLS = _table()
METHODS = {name.partition(".")[2]: call for name, _, call in _named() if name.startswith("Tensor.")}
SOFTENED_NAMES = {name.partition(".")[2] for name, _, call in _named() if call.bind is not None}
