"""Operators beside what they replace: what ``python -m benchmarks.operators`` stores and the book shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

PASSES = {"forward": "Forward", "forward+backward": "Forward and backward"}
GROUPS = ("units", "selections", "pools")


@dataclass(frozen=True)
class Ratio:
    """How many times its rival's time an operator takes on one input.

    Attributes:
        group: one of ``GROUPS``.
        size, numbers: the input in words, and how many numbers it has.
        median, low, high: of the rounds' ratios the median, and the range in which their middle half lies.
        milliseconds, rival_milliseconds: the median times themselves.
    """

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
class Verdict:
    """A limit on an operator beside its rival, and the largest ratio seen; None where nothing was measured.

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

    ratios: tuple[Ratio, ...]
    limits: tuple[Verdict, ...]
    left_out: dict[str, str]
    date: str
    rounds: int
    machine: dict[str, Any]
    versions: dict[str, str]

    def of(self, group: str) -> list[Ratio]:
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
    ratios = tuple(Ratio(**ratio) for ratio in stored["ratios"])
    limits = tuple(Verdict(**bar | {"covers": tuple(bar["covers"])}) for bar in stored["bars"])
    about = {name: stored[name] for name in ("left_out", "date", "rounds", "machine", "versions")}
    return Benchmark(ratios, limits, **about)
