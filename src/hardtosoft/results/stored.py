"""Result files: what the scripts in ``experiments/`` measured and the book reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: One network that an experiment trained: its setting, its seed and what was measured.
Run = dict[str, Any]


@cache
def stored(name: str) -> dict[str, Any]:
    """The contents of ``data/<name>.json``."""
    text = resources.files("hardtosoft").joinpath("data", f"{name}.json").read_text(encoding="utf-8")
    contents: dict[str, Any] = json.loads(text)
    return contents


@dataclass(frozen=True)
class Band:
    """A mean over trained networks and the half-width of its 95 % t-interval."""

    mean: Floats
    half_width: Floats

    @property
    def low(self) -> Floats:
        """Lower end of the interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> Floats:
        """Upper end of the interval."""
        return self.mean + self.half_width


def band(entry: Mapping[str, Any]) -> Band:
    """Mean and half-width as a result file holds them."""
    return Band(np.array(entry["mean"]), np.array(entry["half_width"]))


def runs_of(runs: Iterable[Run], order: str = "seed", **entries: Any) -> list[Run]:
    """The runs that have these entries, sorted by another one."""
    return sorted((run for run in runs if run.items() >= entries.items()), key=lambda run: run[order])
