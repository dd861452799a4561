"""Checks of a Gaussian mixture's arguments."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor

from .._numerics.checks import check_alike, check_floating, check_number, check_numbers, check_vectors
from .._numerics.eager import has_values

P = ParamSpec("P")
T = TypeVar("T")

Array: TypeAlias = Tensor | np.ndarray[Any, Any]
Points: TypeAlias = Array | list[Any]

# A density in 16 bits would be noise.
DTYPES = (torch.float32, torch.float64)


def as_tensor(name: str, given: Any, like: Tensor | None = None) -> Any:
    """An array, which NumPy or pandas keep, as a tensor; anything else as it is.

    In the dtype and on the device of ``like``; without it float32 stays float32, and other numbers become float64.
    """
    if isinstance(given, Tensor) or not hasattr(given, "__array__"):
        return given
    array = np.asarray(given)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of numbers, got one of dtype {array.dtype}")
    is_single = array.dtype.str[1:] == "f4" if like is None else like.dtype == torch.float32
    tensor = torch.from_numpy(array.astype(np.float32 if is_single else np.float64, order="C"))  # a copy
    return tensor if like is None else tensor.to(like.device)


def as_points(x: Any, like: Tensor | None = None) -> Any:
    """:func:`as_tensor` of x, which may be a list of lists too."""
    if isinstance(x, list | tuple):
        try:
            x = np.asarray(x)
        except ValueError as error:
            raise ValueError(f"x must be rows of equal length: {error}") from None
    return as_tensor("x", x, like)


def hinting(hint: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Have a function that is called with other arguments than it takes raise an error that says what to do."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)
        name = function.__qualname__.removesuffix(".__init__")

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{name}(): {error}. {hint}") from None
            return function(*args, **kwargs)

        return checked

    return decorate


def check_means(means: Any, name: str = "means") -> None:
    """Raise unless ``means`` are finite, float32 or float64 and of a shape ``(K, R, D)`` with no size 0."""
    check_vectors(name, means)
    if means.dtype not in DTYPES:
        raise TypeError(f"{name} must be float32 or float64, got {means.dtype}")


def check_weights(weights: Any, means: Tensor) -> None:
    """Raise unless ``weights`` of shape ``(K, R)`` are non-negative and each unit's sum to 1, up to rounding."""
    check_numbers("weights", weights, "means", means)
    if not has_values(weights, wait=True):
        return
    weights = weights.detach()
    allowed = weights >= 0
    if not bool(allowed.all()):
        raise ValueError(f"weights must be non-negative, got {weights[~allowed][0].item():.6g}")
    sums = weights.sum(1)
    off = ~((sums - 1).abs() <= math.sqrt(torch.finfo(weights.dtype).eps))
    if bool(off.any()):
        unit = int(off.nonzero()[0])
        raise ValueError(f"weights must sum to 1 in every unit, got {sums[unit].item():.9g} for unit {unit}")


def check_variance(variance: Any, means: Tensor, means_name: str = "means") -> Tensor:
    """Return a copy as a tensor of shape ``()`` or ``(R,)`` like ``means``; raise unless positive and finite."""
    needs = f"positive and finite in {means.dtype}"
    if isinstance(variance, Tensor):
        check_floating("variance", variance)
        check_alike("variance", variance, means_name, means)
        if variance.shape not in ((), means.shape[1:2]):
            shapes = f"() for one that is shared, or (R,) = ({means.shape[1]},) for one a component"
            raise ValueError(f"variance must be of shape {shapes}, got {tuple(variance.shape)}")
        copy = variance.detach().clone()
    else:
        number = check_number("variance", variance, 0.0, torch.finfo(means.dtype).max, needs)
        copy = means.new_tensor(number)
    if has_values(copy, wait=True):
        allowed = (copy > 0) & copy.isfinite()
        if not bool(allowed.all()):
            got = copy[~allowed][0].item() if isinstance(variance, Tensor) else variance
            raise ValueError(f"variance must be {needs}, got {got}")
    return copy


def check_shared_variance(variance: Any, slopes: Tensor) -> Tensor:
    """Return a MASO's variance as a tensor of shape ``()``; raise unless there is a mixture of it."""
    check_means(slopes, name="slopes")
    spread = check_variance(variance, slopes, means_name="slopes")
    if spread.dim():
        raise ValueError(f"variance must be one number, which all components share, got {tuple(spread.shape)}")
    return spread


def check_log_normalizer(log_normalizer: Any, means: Tensor) -> None:
    """Raise unless ``log_normalizer`` are finite, one for each unit."""
    check_floating("log_normalizer", log_normalizer)
    if log_normalizer.shape != means.shape[:1]:
        raise ValueError(
            f"log_normalizer must be of shape (K,) = ({means.shape[0]},), got {tuple(log_normalizer.shape)}"
        )
    check_alike("log_normalizer", log_normalizer, "means", means)
    if has_values(log_normalizer, wait=True) and not bool(log_normalizer.isfinite().all()):
        got = log_normalizer.detach()[~log_normalizer.isfinite()][0].item()
        raise ValueError(f"log_normalizer must be finite, got {got}")
