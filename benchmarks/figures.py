"""How fast a figure function answers a move: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.figures``.

For every figure of the book, warm and on one thread: median and 95th percentile of the time that
``figure.frame(**values)`` takes, over random values between the ends of its axes, not only those of its slider; and
that at the setting it starts with, most often an end of β, where the code is hard. In a live kernel a move takes this,
and about 25 ms for the way there and back and the painting. Figures take turns, so that a busy moment of the machine
meets all of them. Numbers are this machine's: compare within one run.
"""

from __future__ import annotations

import random
from functools import partial

import numpy as np

from hardtosoft.figures import every_figure
from hardtosoft.interactive.axes import Axis, Value

from .command import begin, parser
from .timing import timed


def anywhere(axis: Axis, draw: random.Random) -> Value:
    """A random value of an axis: one of its choices, or any number between its ends."""
    if axis.is_choice:
        return draw.choice(axis.values)
    return draw.uniform(float(min(axis.values)), float(max(axis.values)))


def main() -> None:
    """Measure and print."""
    command = parser("How fast a figure function answers a move.", 200, "random values that every figure is asked for")
    command.add_argument("--seed", type=int, default=0, help="of the random values")
    options = begin(command)
    draw = random.Random(options.seed)
    figures = every_figure()
    moved: dict[str, list[float]] = {figure.name: [] for figure in figures}
    at_start: dict[str, list[float]] = {figure.name: [] for figure in figures}
    for figure in figures:
        figure.frame()  # what is made once, is made here
    for _ in range(options.rounds):
        for figure in figures:
            for found, values in (
                (moved, {axis.name: anywhere(axis, draw) for axis in figure.axes}),
                (at_start, figure.start),
            ):
                found[figure.name].append(1000 * timed(partial(figure.frame, **values))[0].seconds)
    print(f"{'ms':20}{'median':>8}{'p95':>8}{'start: median':>16}{'p95':>8}")
    for name in moved:
        median, p95 = np.percentile(moved[name], (50, 95))
        median_at_start, p95_at_start = np.percentile(at_start[name], (50, 95))
        print(f"{name:20}{median:8.1f}{p95:8.1f}{median_at_start:16.1f}{p95_at_start:8.1f}")


if __name__ == "__main__":
    main()
