"""Tell what β does from what the scale of the start does: fixed and learned β, each kind at a rate of its own.

Run from the top of the repository: ``python -m experiments.learned_controls --data PATH``, with the data of
``experiments.orthogonal_filters``. A run that was stopped goes on where it was, also from a result file that is not
complete; ``--again RUN`` trains one network of the result file again.

The grid, fixed before the first run. Networks and images are those of ``experiments.orthogonal_controls`` with free
filters: all fit what they learn from. Kinds:

* relu: β = 1;
* soft: β = ½; soft_detached: with a detached code; soft_scaled: the factors of batch normalisation start from 3, the
  output's weights are divided by 3, so that the units are as hard for the data as at β = ¾;
* shared, shared_detached, shared_scaled: the same with one learned β a layer, from ½;
* channel, channel_detached: with one learned β a channel, from ½.

Rates of learning .1, .3, 1 and 2 (further: .03 and 4), of weights and β alike. Each kind, a detached one too, has the
rate of the highest mean accuracy over three seeds on images held out; the grid is extended once, as there. Then ten
other seeds are compared: the networks of a seed start from the same weights, see the same images in the same order,
and read the test images once.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from experiments.learned_controls.runs import LearnedControlBench, Run
from experiments.orthogonal_controls.__main__ import RATES, recipe
from experiments.shared.bench import Make
from experiments.shared.choosing import Point
from experiments.shared.compared import compare
from experiments.shared.comparison import Comparison, Kind, Seeds
from experiments.shared.images import DataSet

# What is learned, β at first, whether the backward pass sees the code, and the scale at first.
KINDS = {
    "relu": ("fixed", 1.0, "attached", 1.0),
    "soft": ("fixed", 0.5, "attached", 1.0),
    "soft_scaled": ("fixed", 0.5, "attached", 3.0),
    "shared": ("shared", 0.5, "attached", 1.0),
    "shared_scaled": ("shared", 0.5, "attached", 3.0),
    "channel": ("channel", 0.5, "attached", 1.0),
    "soft_detached": ("fixed", 0.5, "detached", 1.0),
    "shared_detached": ("shared", 0.5, "detached", 1.0),
    "channel_detached": ("channel", 0.5, "detached", 1.0),
}


def kinds() -> list[Kind[Run]]:
    """All that is compared."""
    return [Kind("beta", name, (RATES,), partial(_run, *setting)) for name, setting in KINDS.items()]


def _run(learned: str, start: float, code: str, scale: float, point: Point, seed: int, judged_on: str) -> Run:
    (rate,) = point
    return Run(learned, start, code, scale, rate, seed, judged_on)


def comparison(bench: LearnedControlBench, make: Make[Run], seeds: Seeds, out: Path) -> Comparison[Run]:
    """The experiment, whose stages are contents of the result file."""
    settings = bench.conditions | {
        "kinds": {name: list(setting) for name, setting in KINDS.items()},
        "rates": [*RATES.values, RATES.below, RATES.above],
        "seeds_of_choice": list(seeds.choosing),
        "seeds": list(seeds.comparing),
    }
    return Comparison(kinds(), seeds, make, settings, out)


def bench_of(data: DataSet, work: Path) -> LearnedControlBench:
    """What trains the networks on a data set."""
    return LearnedControlBench(data, recipe(data), work)


def main() -> None:
    """The command line."""
    compare(
        "Compare fixed and learned β, each kind at a rate of its own.", "learned_controls", Run, bench_of, comparison
    )


if __name__ == "__main__":
    main()
