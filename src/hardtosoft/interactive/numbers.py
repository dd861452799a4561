"""Numbers as readers see them: a true minus sign, and none before a zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import SupportsFloat

import torch
from torch import Tensor


def number(value: SupportsFloat | str, digits: int = 2, *, signed: bool = False) -> str:
    """So many digits after the point: ``−0.50``; ``signed`` puts a plus before what is not negative."""
    return _written(value, f"{'+' if signed else ''}z.{digits}f")


def short(value: SupportsFloat | str, digits: int = 6) -> str:
    """As few digits as it takes, at most so many: ``−0.5``."""
    return _written(value, f"z.{digits}g")


def summand(value: SupportsFloat | str, digits: int = 2) -> str:
    """``value`` as it follows another in a sum: ``+ 0.50`` or ``− 0.50``."""
    return number(value, digits, signed=True).replace("+", "+ ").replace("−", "− ")


def factor(value: SupportsFloat | str, digits: int = 2) -> str:
    """``value`` as it follows another in a product: ``0.5`` or ``(−0.5)``, at most so many digits after the point."""
    exact = value if isinstance(value, Tensor) else torch.tensor(float(value), dtype=torch.float64)
    rounded = (exact * 10**digits).round() / 10**digits
    return f"({short(rounded, 15)})" if rounded < 0 else short(rounded, 15)


def saying(symbol: str, digits: int = 2) -> Callable[[float | str], str]:
    """A slider's value in words: ``u = −0.50``."""
    return lambda value: f"{symbol} = {number(value, digits)}"


def raised(exponent: int | str) -> str:
    """A whole number as an exponent: ``⁻⁵``."""
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _written(value: SupportsFloat | str, specification: str) -> str:
    shown = value.item() if isinstance(value, Tensor) else float(value)
    return format(shown, specification).replace("-", "−")  # z in it: what rounds to 0 has no minus
