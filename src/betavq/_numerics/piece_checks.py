"""Checks of tensors that hold one vector, or one number, for each of R pieces of K units."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .checks import check_floating, has_values


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
