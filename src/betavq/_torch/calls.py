"""Which of PyTorch's functions are softened and which are known nonlinearities that are left alone, and why."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .._numerics.dtypes import FLOATING_DTYPES


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

_SOFTENED: tuple[tuple[str, Callable[..., Bound], str], ...] = (
    ("relu", _relu, "F.relu F.relu_ torch.relu torch.relu_ Tensor.relu Tensor.relu_ aten.relu aten.relu_"),
    ("leaky_relu", _leaky_relu, "F.leaky_relu F.leaky_relu_ aten.leaky_relu aten.leaky_relu_"),
    ("prelu", _prelu, "F.prelu torch.prelu Tensor.prelu aten.prelu"),
    (
        "abs",
        _abs,
        "torch.abs torch.abs_ torch.absolute Tensor.abs Tensor.abs_ Tensor.absolute Tensor.absolute_ Tensor.__abs__ "
        "aten.abs aten.abs_",
    ),
    ("max_pool1d", _max_pool, "F.max_pool1d torch.max_pool1d aten.max_pool1d"),
    ("max_pool2d", _max_pool, "F.max_pool2d torch.max_pool2d aten.max_pool2d"),
)
_LEFT_ALONE: tuple[tuple[str, str], ...] = (
    (INDICES, "F.max_pool1d_with_indices F.max_pool2d_with_indices torch.max_pool1d_with_indices"),
    (
        _SMOOTH,
        "F.gelu F.silu F.mish F.elu F.elu_ F.selu F.selu_ torch.selu_ F.celu F.celu_ torch.celu_ F.softplus "
        "F.softsign F.logsigmoid F.tanhshrink F.glu torch.tanh Tensor.tanh Tensor.tanh_ F.tanh torch.sigmoid "
        "Tensor.sigmoid Tensor.sigmoid_ F.sigmoid",
    ),
    (
        _THREE,
        "F.relu6 F.hardtanh F.hardtanh_ F.hardsigmoid F.hardswish F.hardshrink torch.hardshrink F.softshrink",
    ),
    ("has a random slope", "F.rrelu F.rrelu_ torch.rrelu torch.rrelu_"),
    ("has a threshold of its own", "F.threshold F.threshold_ torch.threshold torch.threshold_"),
    (
        _OTHER_MAXIMUM,
        "F.max_pool3d F.max_pool3d_with_indices torch.max_pool3d F.adaptive_max_pool1d F.adaptive_max_pool2d "
        "F.adaptive_max_pool3d F.adaptive_max_pool1d_with_indices F.adaptive_max_pool2d_with_indices "
        "F.adaptive_max_pool3d_with_indices F.fractional_max_pool2d F.fractional_max_pool3d "
        "F.fractional_max_pool2d_with_indices F.fractional_max_pool3d_with_indices torch.maximum Tensor.maximum "
        "torch.minimum Tensor.minimum torch.max Tensor.max torch.min Tensor.min torch.amax Tensor.amax torch.amin "
        "Tensor.amin torch.fmax Tensor.fmax",
    ),
    (
        _CLAMP,
        "torch.clamp torch.clamp_ Tensor.clamp Tensor.clamp_ torch.clip torch.clip_ Tensor.clip Tensor.clip_ "
        "torch.clamp_min torch.clamp_min_ Tensor.clamp_min Tensor.clamp_min_",
    ),
    ("takes roots of sums of powers", "F.lp_pool1d F.lp_pool2d F.lp_pool3d"),
    ("is fused with the rest of its recurrence", "torch.rnn_relu torch.rnn_relu_cell"),
)
_HOLDERS: dict[str, Any] = {"F": F, "torch": torch, "Tensor": Tensor, "aten": torch.ops.aten}


def _functions(names: str) -> Iterator[tuple[str, Any]]:
    """Those of the names that this version of PyTorch has."""
    for name in names.split():
        holder, _, attribute = name.partition(".")
        found = getattr(_HOLDERS[holder], attribute, None)
        if found is not None:
            yield name, getattr(found, "default", found) if holder == "aten" else found


def _table() -> dict[Any, Call]:
    table: dict[Any, Call] = {}
    for kind, bind, names in _SOFTENED:
        for name, function in _functions(names):
            table[function] = Call(kind, bind, in_place=name.endswith("_") and not name.endswith("__"))
    for reason, names in _LEFT_ALONE:
        for name, function in _functions(names):
            table.setdefault(function, Call(name.partition(".")[2].rstrip("_"), reason=reason))
    table[operator.abs] = table[torch.abs]  # what abs(x) is to torch.fx
    return table


CALLS = _table()
METHODS = {
    name.partition(".")[2]: CALLS[function]
    for _, names in [*((kind, names) for kind, _, names in _SOFTENED), *_LEFT_ALONE]
    for name, function in _functions(names)
    if name.startswith("Tensor.")
}
SOFTENED_NAMES = {name.partition(".")[2] for _, _, names in _SOFTENED for name in names.split()}
