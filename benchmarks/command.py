"""What the benchmarks share at their beginning and in what they print."""

from __future__ import annotations

import argparse

import torch

from experiments.shared.program import program
from hardtosoft.results.measured import Ratio


def parser(description: str, rounds: int, what: str = "rounds of which the median counts") -> argparse.ArgumentParser:
    """The command line of the benchmark that was started."""
    made = argparse.ArgumentParser(prog=program(), description=description)
    made.add_argument("--rounds", type=int, default=rounds, help=f"{what} (default: %(default)s)")
    return made


def begin(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """What was asked for. From here on torch has one thread, and its random numbers are the same each time."""
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return options


def spread(median: float, low: float, high: float) -> str:
    """A ratio with the range in which the middle half of the rounds lies."""
    return f"{median:8.2f} × ({low:.2f}–{high:.2f})"


def told(ratio: Ratio) -> str:
    """A pair and what was measured of it."""
    numbers = spread(ratio.median, ratio.low, ratio.high)
    pair = f"{ratio.operator:34} ÷ {ratio.rival:32} {ratio.size:28}{ratio.passes:18}"
    return f"{pair}{numbers:24}{ratio.milliseconds:9.3f} ms"


def verdict(met: bool) -> str:
    """Whether a bar is met, in a word."""
    return "met" if met else "missed"
