"""What is measured: calls that take turns by a clock of the tests, and what counts as saved. Never a time."""

from dataclasses import dataclass, field

import pytest
import torch
import torch.nn.functional as F

from benchmarks import timing
from benchmarks.bars import judge_memory
from benchmarks.timing import BOTH, FORWARD, Pair, compare, saved_for_backward


@dataclass
class Clock:
    """Stands still, but for calls that say how long they take; the processor takes half as long."""

    now: float = 0.0
    calls: list[str] = field(default_factory=list)

    def perf_counter(self):
        return self.now

    def process_time(self):
        return self.now / 2

    def call(self, name, seconds):
        def call():
            self.calls.append(name)
            self.now += seconds
            return name

        return call

    def rounds(self, size):
        return [tuple(self.calls[i : i + size]) for i in range(0, len(self.calls), size)]


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(timing, "time", made)
    return made


def test_a_call_gives_its_result_and_both_times(clock):
    assert timing.timed(clock.call("done", 3.0)) == ((3.0, 1.5), "done")


def test_all_take_turns_in_an_order_that_changes_and_the_slow_drop_out(clock):
    seconds = {"first": 1.0, "near": 2.0, "slow": 1000.0}
    times = timing.turns({name: clock.call(name, each) for name, each in seconds.items()}, 6, slow=20)
    assert {name: len(taken) for name, taken in times.items()} == {"first": 6, "near": 6, "slow": timing.FEW}
    assert all(taken == [(seconds[name], seconds[name] / 2)] * len(taken) for name, taken in times.items())
    rounds = clock.rounds(3)[: 1 + timing.FEW]  # the first is to warm up
    assert all(sorted(order) == sorted(seconds) for order in rounds)
    assert len(set(rounds)) > 1


def test_ratios_are_taken_round_by_round(clock):
    ours, theirs = ([timing.Time(each, 0.0) for each in each_round] for each_round in ((2, 30, 4), (1, 10, 1)))
    assert timing.ratios(ours, theirs) == (3.0, 2.0, 4.0)
    assert timing.milliseconds(ours) == 4000
    assert clock.now == 0


@pytest.mark.parametrize("passes", [FORWARD, BOTH])
def test_a_pair_takes_turns(clock, passes):
    def layer(name, seconds):
        told = clock.call(name, seconds)

        def run(x):
            assert torch.is_grad_enabled() == (passes == BOTH) or not clock.calls
            told()
            return x * 1

        return run

    pair = Pair("", "", "", layer("ours", 3.0), layer("theirs", 2.0), torch.randn(4), "", passes)
    ratio = compare(pair, 8)
    assert (ratio.median, ratio.low, ratio.high) == (1.5, 1.5, 1.5)
    assert (ratio.milliseconds, ratio.rival_milliseconds) == (3000, 2000)
    assert clock.calls.pop(0) == "ours"  # for the shape of its result
    assert set(clock.rounds(2)) == {("ours", "theirs"), ("theirs", "ours")}


def test_what_is_saved_is_counted_once():
    x = torch.randn(1000)
    assert saved_for_backward(F.silu, x) == 1.0
    assert saved_for_backward(lambda x: x * x, x) == 1.0
    assert saved_for_backward(lambda x: x * torch.sigmoid(x), x) == 2.0
    assert judge_memory("a unit", "", 2.0, 1.0).met is False
