"""Which of PyTorch's functions are softened and which are known nonlinearities that are left alone, and why.

The table has thousands of entries and takes a while to make: it is imported by what softens, when it is called.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from .calls import Bound, Call
from .left_alone import INDICES, QUANTISED, REASONS
from .pieces import PIECES, functions


def _relu(input: Tensor, inplace: bool = False) -> Bound:
    return Bound(input, (), inplace)


def _leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Bound:
    return Bound(input, (negative_slope,), inplace)


def _prelu(input: Tensor, weight: Tensor) -> Bound:
    return Bound(input, (weight,))


def _abs(input: Tensor) -> Bound:
    return Bound(input)


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


_BINDERS: dict[str, Callable[..., Bound]] = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "prelu": _prelu,
    "abs": _abs,
    "absolute": _abs,
    "max_pool1d": _max_pool,
    "max_pool2d": _max_pool,
}


_OTHER_MAXIMUM = "is a maximum, but no max-pooling in one or two dimensions"
_QUANTISED = "computes with quantised numbers, which are left as they are"
_REASONS = {name: reason for reason, names in REASONS.items() for name in names.split()}
_C: Any = torch._C
_OTHER_HOLDERS = {"special": _C._special, "linalg": _C._linalg, "nn": _C._nn, "torch": torch}


def _others(kind: str) -> Iterator[tuple[str, Any]]:
    """Where else in PyTorch a name stands, and every other form of its operators: ``"aten.abs.out"``."""
    names = (kind, f"{kind}_", f"{kind}_with_indices", *(["_prelu_kernel"] if kind == "prelu" else []))
    for attribute in names:
        for holder, owner in _OTHER_HOLDERS.items():
            if hasattr(owner, attribute):
                yield f"{holder}.{attribute}", getattr(owner, attribute)
        for overload, function in _forms(torch.ops.aten, attribute):
            yield f"aten.{attribute}.{overload}", function


def _forms(namespace: Any, name: str) -> Iterator[tuple[str, Any]]:
    """An operator, if there is one of this name, and each of its overloads."""
    packet = getattr(namespace, name, None)
    if packet is not None:
        yield from (("", packet), *((overload, getattr(packet, overload)) for overload in packet.overloads()))


def _call(kind: str, attribute: str) -> Call:
    bind = _BINDERS[kind] if kind in PIECES and PIECES[kind].softened else None
    reason = "" if bind else _REASONS.get(kind, _OTHER_MAXIMUM)
    word, in_place = kind.removesuffix("olute").lstrip("_"), attribute.endswith("_") and not attribute.endswith("__")
    if attribute.endswith("_with_indices"):
        return Call(attribute, bind, reason or INDICES)
    return Call(word, bind, reason, in_place)


def _named() -> Iterator[tuple[str, Any, Call]]:
    """Every function that is softened or left alone, with its name behind that of its holder."""
    for kind in {**PIECES, **_REASONS}:
        for name, function in (*functions(kind), *_others(kind)):
            yield name, function, _call(kind, name.split(".")[1])
    listed: list[str] = getattr(_C, "_dispatch_get_all_op_names", list)()
    for name in {name.partition(".")[0] for name in listed if name.startswith("quantized::")}:
        attribute = name.removeprefix("quantized::")
        if any(word in attribute for word in QUANTISED):
            for _, function in _forms(torch.ops.quantized, attribute):
                yield name, function, Call(attribute, reason=_QUANTISED)


_NAMED = list(_named())
CALLS: dict[Any, Call] = {}
for _, _function, _entry in _NAMED:
    CALLS.setdefault(_function, _entry)
CALLS[operator.abs] = CALLS[torch.abs]  # what abs(x) is to torch.fx
METHODS = {name.partition(".")[2]: call for name, _, call in _NAMED if name.startswith("Tensor.")}
SOFTENED_NAMES = {name.split(".")[1] for name, _, call in _NAMED if not call.reason}
