"""Tell "orthogonal filters help" from "orthogonal filters train faster": free filters against five other kinds.

Run from the top of the repository: ``python -m experiments.orthogonal_controls --data PATH``, with the data of
``experiments.orthogonal_filters``. A run that was stopped goes on where it was, also from a result file that is not
complete; ``--again RUN`` trains one network of the result file again.

The grid, fixed before the first run. Networks of 16, 32 and 64 filters (5×5, 3×3, 3×3) learn from 2,000 photographs
of 16×16 pixels for 40 epochs in batches of 100, so that all of them fit what they learn from; or from 100 digits for
40 epochs in batches of 10, the first layer with 16 filters. Units are ReLU, then swish (β = ½). Kinds:

* none: free filters;
* orthogonal: by parametrisation, through all of training;
* start: orthogonal at first, free from then on;
* weight_norm: length and direction of each filter learned apart;
* penalty: λ times the squares of the filters' inner products, λ of .01, .03, .1, .3 (further: .003 and 1);
* cosines: λ times the squares of their cosines, which do not fall as filters shrink, λ of .001, .003, .01, .03
  (further: .0003 and .1).

Rates of learning .1, .3, 1 and 2 (further: .03 and 4). Each kind has the rate and λ of the highest mean accuracy over
three seeds on 2,000 (259) training images held out. Where that is an end of the grid, the grid is extended once, by
the value in brackets; an end that does best even so is noted as an edge. Then ten other seeds are compared: the
networks of a seed start from the same weights, made orthogonal where they are to be, see the same images in the same
order, and read the test images once.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from experiments.orthogonal_controls.runs import Control, ControlBench
from experiments.orthogonal_filters.runs import BETAS
from experiments.shared.bench import Make
from experiments.shared.choosing import Axis, Point
from experiments.shared.compared import compare
from experiments.shared.comparison import Comparison, Kind, Seeds
from experiments.shared.images import DataSet
from experiments.shared.small_cnn import Recipe

NO_STRENGTH = Axis("strength", (0.0,))
STRENGTHS = {
    "none": NO_STRENGTH,
    "orthogonal": NO_STRENGTH,
    "start": NO_STRENGTH,
    "weight_norm": NO_STRENGTH,
    "penalty": Axis("strength", (0.01, 0.03, 0.1, 0.3), 0.003, 1.0),
    "cosines": Axis("strength", (0.001, 0.003, 0.01, 0.03), 0.0003, 0.1),
}
RATES = Axis("rate", (0.1, 0.3, 1.0, 2.0), 0.03, 4.0)


def recipe(data: DataSet) -> Recipe:
    """That of the book: small networks, few images, and epochs enough to fit them."""
    if data.colour:
        return Recipe(filters=(16, 32, 64), epochs=40, batch=100, most_images=2000)
    return Recipe(filters=(16, 32, 64), epochs=40, batch=10, most_images=100)


def kinds() -> list[Kind[Control]]:
    """All that is compared."""
    return [
        Kind(activation, constraint, (strengths, RATES), partial(_run, activation, constraint))
        for activation in BETAS
        for constraint, strengths in STRENGTHS.items()
    ]


def _run(activation: str, constraint: str, point: Point, seed: int, judged_on: str) -> Control:
    strength, rate = point
    return Control(activation, constraint, strength, rate, seed, judged_on)


def comparison(bench: ControlBench, make: Make[Control], seeds: Seeds, out: Path) -> Comparison[Control]:
    """The experiment, whose stages are contents of the result file."""
    grid = {name: [*axis.values, axis.below, axis.above] for name, axis in STRENGTHS.items() if len(axis.values) > 1}
    settings = bench.conditions | {
        "rates": [*RATES.values, RATES.below, RATES.above],
        "strengths": grid,
        "seeds_of_choice": list(seeds.choosing),
        "seeds": list(seeds.comparing),
    }
    return Comparison(kinds(), seeds, make, settings, out)


def bench_of(data: DataSet, work: Path) -> ControlBench:
    """What trains the networks on a data set."""
    return ControlBench(data, recipe(data), work)


def main() -> None:
    """The command line."""
    compare(
        "Compare free filters with orthogonal ones and what else may help so.",
        "orthogonal_controls",
        Control,
        bench_of,
        comparison,
    )


if __name__ == "__main__":
    main()
