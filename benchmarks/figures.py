"""How fast a figure function answers a move: ``OMP_NUM_THREADS=1 .venv/bin/python benchmarks/figures.py``.

For every figure of the book, warm and on one thread: median and 95th percentile of the time that
``figure.frame(**values)`` takes, over random values between the ends of its axes, not only those of its slider; and
that at the setting it starts with, most often an end of β, where the code is hard. In a live kernel a move takes this,
and about 25 ms for the way there and back and the painting. Figures take turns, so that a busy moment of the machine
meets all of them. Numbers are this machine's: compare within one run.
"""

from __future__ import annotations

import argparse
import random
import time

import numpy as np
import torch

from hardtosoft.figures import every_figure
from hardtosoft.interactive.axes import Axis, Value
from hardtosoft.interactive.figure import InteractiveFigure


def anywhere(axis: Axis, draw: random.Random) -> Value:
    """A random value of an axis: one of its choices, or any number between its ends."""
    if axis.is_choice:
        return draw.choice(axis.values)
    return draw.uniform(float(min(axis.values)), float(max(axis.values)))


def milliseconds(figure: InteractiveFigure, values: dict[str, Value]) -> float:
    """Time that one frame takes."""
    start = time.perf_counter()
    figure.frame(**values)
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How fast a figure function answers a move.")
    parser.add_argument("--rounds", type=int, default=200, help="random values that every figure is asked for")
    parser.add_argument("--seed", type=int, default=0, help="of the random values")
    options = parser.parse_args()
    torch.set_num_threads(1)
    draw = random.Random(options.seed)
    figures = every_figure()
    moved: dict[str, list[float]] = {figure.name: [] for figure in figures}
    at_start: dict[str, list[float]] = {figure.name: [] for figure in figures}
    for figure in figures:
        figure.frame()  # what is made once, is made here
    for _ in range(options.rounds):
        for figure in figures:
            moved[figure.name].append(milliseconds(figure, {a.name: anywhere(a, draw) for a in figure.axes}))
            at_start[figure.name].append(milliseconds(figure, figure.start))
    print(f"{'ms':20}{'median':>8}{'p95':>8}{'start: median':>16}{'p95':>8}")
    for name in moved:
        median, p95 = np.percentile(moved[name], (50, 95))
        median_at_start, p95_at_start = np.percentile(at_start[name], (50, 95))
        print(f"{name:20}{median:8.1f}{p95:8.1f}{median_at_start:16.1f}{p95_at_start:8.1f}")


if __name__ == "__main__":
    main()
