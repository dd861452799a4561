"""What the page of benchmarks reads: how long operators take beside what they replace, as measured and stored.

The file was written by ``python -m benchmarks.operators``, which says what its fields mean.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

PASSES = {"forward": "Forward", "forward+backward": "Forward and backward"}
GROUPS = ("units", "selections", "pools")


@dataclass(frozen=True)
class Measured:
    """An operator's time over its rival's on one input: the median of the rounds, and where their middle half lies."""

    group: str
    operator: str
    rival: str
    size: str
    numbers: int
    passes: str
    median: float
    low: float
    high: float
    milliseconds: float
    rival_milliseconds: float


@dataclass(frozen=True)
class Limit:
    """What an operator is held to beside its rival, and the worst that was seen; None where nothing was measured.

    ``size`` is the input that gave it, ``covers`` are all inputs for which the limit holds.
    """

    operator: str
    rival: str
    passes: str
    size: str
    covers: tuple[str, ...]
    limit: float
    stretch: float | None
    seen: float | None
    met: bool | None


@dataclass(frozen=True)
class Benchmark:
    """One run of the benchmark: ratios, limits, who was left out and why, and what it ran on."""

    ratios: tuple[Measured, ...]
    limits: tuple[Limit, ...]
    left_out: dict[str, str]
    date: str
    rounds: int
    machine: dict[str, Any]
    versions: dict[str, str]

    def of(self, group: str) -> list[Measured]:
        """The ratios of a group, in the order in which they were taken.

        Raises:
            ValueError: no such group.
        """
        if group not in GROUPS:
            raise ValueError(f"group must be one of {', '.join(GROUPS)}, got {group!r}")
        return [ratio for ratio in self.ratios if ratio.group == group]


@cache
def load_benchmark() -> Benchmark:
    """The stored run."""
    text = resources.files("hardtosoft").joinpath("data", "operators.json").read_text(encoding="utf-8")
    return parse_benchmark(json.loads(text))


def parse_benchmark(stored: dict[str, Any]) -> Benchmark:
    """A run from what the benchmark writes."""
    ratios = tuple(Measured(**ratio) for ratio in stored["ratios"])
    limits = tuple(Limit(**bar | {"covers": tuple(bar["covers"])}) for bar in stored["bars"])
    about = {name: stored[name] for name in ("left_out", "date", "rounds", "machine", "versions")}
    return Benchmark(ratios, limits, **about)
