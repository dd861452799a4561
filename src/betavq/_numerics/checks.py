"""Argument checks shared by the public functions; each error names the argument, what it got and what it needs.

Python numbers are always checked. The values of a tensor are read only where reading them is free and allowed:
a CPU tensor in plain eager mode. On an accelerator the read would wait for the device at every call; while a graph
is being captured, or inside a ``torch.func`` transform, there is no value to read.
"""

from __future__ import annotations

import math
import numbers
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from .hardness import compute_dtype

FLOATING_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def check_floating(name: str, tensor: Any) -> None:
    """Raise TypeError unless ``tensor`` is a tensor of one of the four supported floating dtypes."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
    if tensor.dtype not in FLOATING_DTYPES:
        raise TypeError(f"{name} must be float16, bfloat16, float32 or float64, got {tensor.dtype}")


def check_dim(scores: Tensor, dim: int) -> int:
    """Return ``dim`` counted from the end; raise unless it exists and holds at least one piece."""
    if not isinstance(dim, numbers.Integral) or isinstance(dim, bool):
        raise TypeError(f"dim must be an integer, got {dim!r}")
    ndim = scores.dim()
    if not -ndim <= dim < ndim:
        raise ValueError(
            f"dim must be one of the {ndim} dimensions of scores, got dim={dim} for shape {tuple(scores.shape)}"
        )
    dim = int(dim) if dim < 0 else int(dim) - ndim
    if scores.shape[dim] == 0:
        raise ValueError(f"scores must have at least one piece along dim={dim}, got {tuple(scores.shape)}")
    return dim


def check_number(
    name: str, value: Any, low: float, high: float, needs: str, *, or_else: str = " or a floating tensor"
) -> float:
    """Return ``value`` as a float; raise unless it is a real number in [low, high].

    The error says that it must be a number, ``or_else`` what the caller takes besides.
    """
    if type(value) is float and low <= value <= high:
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number{or_else}, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name} must be {needs}, got a number beyond the range of a float") from None
    if not low <= number <= high:  # false for NaN too
        # The value as it came: under torch.compile it may be symbolic, and takes no format.
        raise ValueError(f"{name} must be {needs}, got {value}")
    return number


def check_number_or_tensor(
    name: str, value: Any, low: float, high: float, needs: str, *, wait: bool = False
) -> float | Tensor:
    """Return a number as a float, a floating tensor unchanged; raise if a value is outside [low, high]."""
    if not isinstance(value, Tensor):
        return check_number(name, value, low, high, needs)
    check_floating(name, value)
    if has_values(value, wait=wait):
        outside = ~((value >= low) & (value <= high))
        if bool(outside.any()):
            raise ValueError(f"{name} must be {needs}, got {value.detach()[outside][0].item():.8g}")
    return value


def check_beta(beta: Any, *, wait: bool = False) -> float | Tensor:
    """:func:`check_number_or_tensor` for β; with ``wait`` also read a tensor that lives on an accelerator."""
    return check_number_or_tensor("beta", beta, 0.0, 1.0, "in [0, 1]", wait=wait)


def check_slope(slope: Any, dtype: torch.dtype, *, wait: bool = False) -> float | Tensor:
    """:func:`check_number_or_tensor` for the slope ν of a leaky ReLU that is computed in ``dtype``."""
    largest = torch.finfo(dtype).max
    needs = f"finite in {str(dtype).removeprefix('torch.')}"
    return check_number_or_tensor("negative_slope", slope, -largest, largest, needs, wait=wait)


def check_broadcast(name: str, tensor: Tensor, shape: torch.Size, what: str) -> None:
    """Raise ValueError unless ``tensor`` broadcasts against ``shape``."""
    sizes = zip(reversed(tensor.shape), reversed(shape), strict=False)
    if any(a != b and a != 1 and b != 1 for a, b in sizes):
        raise ValueError(f"{name} of shape {tuple(tensor.shape)} must broadcast against {what}, got {tuple(shape)}")


def check_flag(name: str, value: Any) -> None:
    """Raise TypeError unless ``value`` is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")


# No public function tells of these. Should a private one go, the answer is the one that is right, if slower: there
# are no values to read, and nothing may run in place.
_functorch = getattr(torch._C, "_functorch", None)
_is_legacy_batch = getattr(_functorch, "is_legacy_batchedtensor", lambda _: True)  # of ``is_grads_batched=True``
_is_wrapped = getattr(_functorch, "is_functorch_wrapped_tensor", lambda _: True)  # one may outlive its transform
_innermost_transform = getattr(_functorch, "peek_interpreter_stack", lambda: True)
_count_dispatch_modes = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 1)  # fake tensors, make_fx and others
_forward_mode: Any = torch.autograd.forward_ad


def has_values(tensor: Tensor, *, wait: bool) -> bool:
    """Whether ``tensor`` has values to read now, without waiting for an accelerator unless ``wait``."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return False
    here = tensor.is_cpu or (wait and not tensor.is_meta)
    plain = type(tensor) in (Tensor, Parameter) and not _is_legacy_batch(tensor) and not _is_wrapped(tensor)
    return here and plain and _innermost_transform() is None and _count_dispatch_modes() == 0


def is_plain(tensor: Tensor) -> bool:
    """Whether it is a CPU tensor in plain eager mode with no forward-mode derivative at work.

    Only then may code run in place, read numbers, and take for constants what autograd should know of.
    """
    return has_values(tensor, wait=False) and getattr(_forward_mode, "_current_level", 0) < 0


def all_finite(tensor: Tensor) -> bool:
    """Whether all numbers are finite, their sum included, which is the cheapest pass that tells; it may overflow."""
    dtype = compute_dtype(tensor)
    total = tensor.sum() if tensor.dtype == dtype else tensor.sum(dtype=dtype)
    return math.isfinite(total.item())
