"""Argument checks shared by the public functions; each error names the argument, what it got and what it needs.

Python numbers are always checked. The values of a tensor are read where ``eager.py`` allows it.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .dtypes import FLOATING_DTYPES
from .eager import has_values


def check_floating(name: str, tensor: Any) -> None:
    """Raise TypeError unless ``tensor`` is a tensor of one of the four supported floating dtypes."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
    if tensor.dtype not in FLOATING_DTYPES:
        raise TypeError(f"{name} must be float16, bfloat16, float32 or float64, got {tensor.dtype}")


def check_dim(scores: Tensor, dim: int) -> int:
    """Return ``dim`` counted from the end; raise unless it exists and holds at least one piece."""
    dim, ndim = check_integer("dim", dim), scores.dim()
    if not -ndim <= dim < ndim:
        raise ValueError(
            f"dim must be one of the {ndim} dimensions of scores, got dim={dim} for shape {tuple(scores.shape)}"
        )
    dim = dim if dim < 0 else dim - ndim
    if scores.shape[dim] == 0:
        raise ValueError(f"scores must have at least one piece along dim={dim}, got {tuple(scores.shape)}")
    return dim


def check_integer(name: str, value: Any) -> int:
    """Return ``value`` as an int; raise TypeError unless it is an integer."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    return int(value)


def check_count(name: str, count: Any) -> int:
    """Return ``count`` as an int; raise unless it is an integer of at least 1."""
    count = check_integer(name, count)
    if count < 1:
        raise ValueError(f"{name} must be at least 1, got {count}")
    return count  # type: ignore[no-any-return]


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
    if not broadcasts(tensor.shape, shape):
        raise ValueError(f"{name} of shape {tuple(tensor.shape)} must broadcast against {what}, got {tuple(shape)}")


def broadcasts(shape: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two shapes broadcast. (``torch.broadcast_shapes`` brings in sympy, 35 MB.)"""
    sizes = zip(reversed(shape), reversed(other), strict=False)
    return not any(a != b and a != 1 and b != 1 for a, b in sizes)


def check_flag(name: str, value: Any) -> None:
    """Raise TypeError unless ``value`` is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")


def check_vectors(name: str, vectors: Any) -> None:
    """Raise unless ``vectors`` are finite, floating and of a shape ``(K, R, D)`` with no size 0."""
    check_floating(name, vectors)
    if vectors.dim() != 3 or 0 in vectors.shape:
        raise ValueError(f"{name} must be of shape (K, R, D) with K, R, D at least 1, got {tuple(vectors.shape)}")
    # The ends alone: those of a convolution's slopes are found without another tensor of their size.
    if has_values(vectors, wait=True) and not all(end.isfinite() for end in vectors.detach().aminmax()):
        raise ValueError(f"{name} must be finite, got {vectors.detach()[~vectors.isfinite()][0].item()}")


def check_numbers(name: str, numbers: Any, vectors_name: str, vectors: Tensor) -> None:
    """Raise unless ``numbers`` are one for each piece, in the dtype and on the device of its vectors."""
    check_floating(name, numbers)
    if numbers.shape != vectors.shape[:2]:
        needs = f"(K, R) = {tuple(vectors.shape[:2])}, that of {vectors_name} without D"
        raise ValueError(f"{name} must be of shape {needs}, got {tuple(numbers.shape)}")
    check_alike(name, numbers, vectors_name, vectors)


def check_alike(name: str, tensor: Tensor, vectors_name: str, vectors: Tensor) -> None:
    """Raise unless ``tensor`` has the dtype of ``vectors`` and is on their device."""
    if tensor.dtype != vectors.dtype:
        raise TypeError(f"{name} must have the dtype of {vectors_name}, {vectors.dtype}, got {tensor.dtype}")
    if tensor.device != vectors.device:
        raise ValueError(f"{name} must be on the device of {vectors_name}, {vectors.device}, got {tensor.device}")


def check_finite_or_excluded(name: str, numbers: Tensor) -> None:
    """Raise unless ``numbers`` of shape ``(K, R)`` are finite or −∞, and one of each unit finite."""
    if not has_values(numbers, wait=True):
        return
    numbers = numbers.detach()
    allowed = numbers < math.inf
    if not bool(allowed.all()):
        raise ValueError(f"{name} must be finite or -inf, got {numbers[~allowed][0].item()}")
    empty = (numbers == -math.inf).all(1)
    if bool(empty.any()):
        raise ValueError(f"{name} must leave a piece to every unit, got only -inf for unit {int(empty.nonzero()[0])}")


def check_rows(x: Any, num_inputs: int, owner: str, dtype: torch.dtype) -> None:
    """Raise unless ``x`` is a floating tensor of shape ``(..., num_inputs)`` and the dtype of ``owner``."""
    check_floating("x", x)
    if x.dim() == 0 or x.shape[-1] != num_inputs:
        raise ValueError(f"x must be of shape (..., D) with D = {num_inputs}, got {tuple(x.shape)}")
    if x.dtype != dtype and not torch.is_autocast_enabled(x.device.type):
        raise TypeError(f"x must have the dtype of {owner}, {dtype}, got {x.dtype}")
