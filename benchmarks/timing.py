"""Two layers in turn: how many times the other's time one takes, and what it keeps for its backward pass."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hardtosoft.results.measured import Ratio

Layer = Callable[[Tensor], Tensor]

FORWARD, BOTH = "forward", "forward+backward"
WARM_UP = 3  # rounds that warm caches and allocators, and count for nothing


@dataclass(frozen=True)
class Pair:
    """An operator beside what a user would pick instead, and the input on which both are timed."""

    group: str
    operator: str
    rival: str
    layer: Layer
    other: Layer
    x: Tensor
    size: str
    passes: str


def compare(pair: Pair, rounds: int) -> Ratio:
    """Time an operator and its rival in turn, the other one first in every second round."""
    upstream = torch.randn_like(pair.layer(pair.x))
    ours, theirs = [], []
    for round_ in range(rounds + WARM_UP):
        turns = ((pair.layer, ours), (pair.other, theirs))
        for layer, times in turns if round_ % 2 else reversed(turns):
            times.append(_seconds(layer, pair.x, upstream, pair.passes))
    ours, theirs = ours[WARM_UP:], theirs[WARM_UP:]
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4)
    times = (1000 * statistics.median(times) for times in (ours, theirs))
    named = (pair.group, pair.operator, pair.rival, pair.size, pair.x.numel(), pair.passes)
    return Ratio(*named, median, low, high, *times)


def _seconds(layer: Layer, x: Tensor, upstream: Tensor, passes: str) -> float:
    if passes == FORWARD:
        with torch.no_grad():
            start = time.perf_counter()
            layer(x)
            return time.perf_counter() - start
    leaf = x.detach().requires_grad_()
    start = time.perf_counter()
    layer(leaf).backward(upstream)
    return time.perf_counter() - start


def saved_for_backward(layer: Layer, x: Tensor) -> float:
    """What a layer keeps between forward and backward, in units of its input; memory kept twice counts once."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = layer(x.detach().requires_grad_())
    assert result.requires_grad
    return sum(kept.values()) / x.untyped_storage().nbytes()
