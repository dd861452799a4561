"""The network of two moons while it is trained, as ``experiments/small_networks/moons_training.py`` kept it."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import torch

from .networks import Network


@cache
def moons_snapshots() -> dict[int, Network]:
    """Steps of training done, in order, and the network after each; the last is the trained network."""
    path = resources.files("hardtosoft").joinpath("data", "moons_training.json")
    stored = json.loads(path.read_text(encoding="utf-8"))["snapshots"]
    return {snapshot["step"]: _network(snapshot) for snapshot in stored}


def _network(snapshot: dict[str, list[list[float]]]) -> Network:
    parts = ([torch.tensor(layer, dtype=torch.float64) for layer in snapshot[key]] for key in ("weights", "biases"))
    weights, biases = map(tuple, parts)
    return Network(weights, biases)
