"""What operators cost on an accelerator by counts: what ``python -m benchmarks.counts`` stores and the book shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Count:
    """One pass of an operator.

    Attributes:
        launches, big: kernels, and those of them over the whole input.
        moved: numbers read and written, in units of the input.
        reads: how often the processor waits for the accelerator.
    """

    launches: int
    big: int
    moved: float
    reads: int


@dataclass(frozen=True)
class Counted:
    """Both passes of an operator, and what it saves between them, in units of the input."""

    group: str
    operator: str
    forward: Count
    backward: Count
    saved: float


@cache
def load_counts() -> tuple[Counted, ...]:
    """The stored counts."""
    text = resources.files("hardtosoft").joinpath("data", "counts.json").read_text(encoding="utf-8")
    return tuple(
        Counted(**each | {name: Count(**each[name]) for name in ("forward", "backward")})
        for each in json.loads(text)["counts"]
    )
