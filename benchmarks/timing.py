"""What is measured of a call, and of calls that take turns: nothing else here looks at a clock."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hardtosoft.results.measured import Ratio

Layer = Callable[[Tensor], Tensor]
Call = Callable[[], object]

FORWARD, BOTH = "forward", "forward+backward"
WARM_UP = 3  # rounds of a pair that warm caches and allocators, and count for nothing
FEW = 3  # rounds in which also what is slow takes part


class Time(NamedTuple):
    """Seconds by the clock, and those that the processor spent."""

    seconds: float
    processor: float


def timed(call: Callable[[], Any]) -> tuple[Time, Any]:
    """The time that a call takes, and what it returns."""
    start, spent = time.perf_counter(), time.process_time()
    result = call()
    return Time(time.perf_counter() - start, time.process_time() - spent), result


def turns(
    calls: Mapping[str, Call], rounds: int, *, warm_up: int = 1, slow: float = math.inf
) -> dict[str, list[Time]]:
    """Times of calls that take turns, so that a busy moment of the machine meets them all.

    Args:
        calls: by name.
        rounds: that count. In a new order each: what one leaves in caches and allocator matters to the next.
        warm_up: rounds before, that do not.
        slow: what takes so many times as long as the first call drops out after a few rounds.
    """
    order = random.Random(1)
    times: dict[str, list[Time]] = {name: [] for name in calls}
    for number in range(-warm_up, rounds):
        limit = slow * milliseconds(times[next(iter(calls))]) if number >= FEW else math.inf
        for name, call in order.sample([*calls.items()], len(calls)):
            if number < FEW or milliseconds(times[name]) <= limit:
                spent = timed(call)[0]
                if number >= 0:
                    times[name].append(spent)
    return times


def milliseconds(times: Sequence[Time]) -> float:
    """The middle of some times by the clock."""
    return 1000 * statistics.median(each.seconds for each in times)


def ratios(ours: Sequence[Time], theirs: Sequence[Time]) -> tuple[float, float, float]:
    """The median of the rounds' ratios, and the range in which their middle half lies."""
    low, median, high = statistics.quantiles([a.seconds / b.seconds for a, b in zip(ours, theirs, strict=False)], n=4)
    return median, low, high


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
    """Time an operator and its rival in turn."""
    upstream = torch.randn_like(pair.layer(pair.x))

    def passing(layer: Layer) -> Call:
        if pair.passes == FORWARD:
            return lambda: layer(pair.x)
        return lambda: layer(pair.x.detach().requires_grad_()).backward(upstream)

    with torch.set_grad_enabled(pair.passes == BOTH):
        times = turns({"ours": passing(pair.layer), "theirs": passing(pair.other)}, rounds, warm_up=WARM_UP)
    named = (pair.group, pair.operator, pair.rival, pair.size, pair.x.numel(), pair.passes)
    return Ratio(*named, *ratios(times["ours"], times["theirs"]), *map(milliseconds, times.values()))


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
