"""In which dtype things are computed."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

FLOATING_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
#: Those in which a β or a density is kept: half precision would round β = 0.999 to 1.
FULL_DTYPES = (torch.float32, torch.float64)


def widened(input: Tensor) -> Tensor:
    """``input`` in the dtype in which it is computed."""
    dtype = compute_dtype(input)
    return input if input.dtype == dtype else input.to(dtype)


def narrowed(result: Tensor, dtype: torch.dtype) -> Tensor:
    """``result`` in the dtype of the input; ``to`` alone takes its time where it has nothing to do."""
    return result if result.dtype == dtype else result.to(dtype)


def compute_dtype(input: Tensor) -> torch.dtype:
    """The dtype in which ``input`` is computed."""
    return wide_dtype(input.dtype)


def wide_dtype(dtype: torch.dtype) -> torch.dtype:
    """float32 for the 16-bit floats, whose range η·x leaves too easily; else the dtype itself."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def saturation(dtype: torch.dtype) -> float:
    """The u beyond which exp(−u) is below the smallest normal number: 87.3 in float32, 708.4 in float64."""
    return -math.log(torch.finfo(dtype).tiny)


def full_precision(x: Tensor) -> AbstractContextManager[Any]:
    """Where autocast is off on the device of x: it would multiply in 16 bits."""
    lowered = torch.is_autocast_enabled(x.device.type)
    return torch.autocast(x.device.type, enabled=False) if lowered else nullcontext()
