"""Train a small convolutional network whose β is fixed, or learned for a layer or a channel, and compare in pairs.

Run from the top of the repository: ``python -m experiments.learned_beta --data PATH``, with the data and options of
``experiments.orthogonal_filters``. All networks of a seed start from the same weights and see all training images in
the same order; a learned β starts from ½, has the rate of learning of the weights and no weight decay. That rate is
not chosen here: it is the one that did best for swish without a constraint when ``experiments.orthogonal_filters``
chose its rates on images held out, and ReLU has the one that did best for ReLU. Then some networks learn β from other
starts, to see whether they meet. The test images are read once by each network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from experiments.learned_beta.runs import LearnedBench, Run
from experiments.learned_beta.summary import summary
from experiments.shared.bench import Make, make_all
from experiments.shared.command import of_images, one_line, parse, recipe
from experiments.shared.images import DataSet, load
from experiments.shared.results import write
from experiments.shared.small_cnn import Recipe

# What is learned, β at first, and whether the backward pass sees the code.
SETTINGS = (
    ("shared", 0.5, "attached"),
    ("shared", 0.5, "detached"),
    ("channel", 0.5, "attached"),
    ("channel", 0.5, "detached"),
    ("fixed", 0.5, "attached"),
    ("fixed", 0.5, "detached"),
    ("fixed", 1.0, "attached"),
)
OTHER_STARTS = [(learned, start, "attached") for learned in ("shared", "channel") for start in (0.1, 0.9)]
# What experiments.orthogonal_filters chose for swish and for ReLU, of colour images (True) and of grey ones.
RATES = {True: (0.3, 0.3), False: (0.1, 0.03)}


@dataclass(frozen=True)
class Plan:
    """All that is tried.

    Attributes:
        recipe: of all runs.
        rate: of learning.
        relu_rate: that of ReLU, which is β = 1.
        seeds: of the comparison.
        seeds_of_starts: of the networks that start from another β.
    """

    recipe: Recipe
    rate: float
    relu_rate: float
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    seeds_of_starts: tuple[int, ...] = (0,)

    def runs(self, settings: Sequence[tuple[str, float, str]], seeds: Sequence[int]) -> list[Run]:
        """All settings of a seed, then those of the next."""
        return [
            Run(learned, start, code, self.relu_rate if start == 1 else self.rate, seed)
            for seed in seeds
            for learned, start, code in settings
        ]


def plan(data: DataSet, seeds: int) -> Plan:
    """That of the book."""
    compared = tuple(range(seeds))
    return Plan(recipe(data), *RATES[data.colour], seeds=compared, seeds_of_starts=(0,) if data.colour else compared)


def experiment(bench: LearnedBench, plan: Plan, make: Make[Run]) -> dict[str, Any]:
    """Compare, start elsewhere, sum up: what is in the result file; ``make`` makes runs in the order given."""
    compared = plan.runs(SETTINGS, plan.seeds)
    elsewhere = plan.runs(OTHER_STARTS, plan.seeds_of_starts)
    made = make_all(make, compared + elsewhere, "learning β")
    runs, starts = made[: len(compared)], made[len(compared) :]
    return {
        "settings": bench.conditions
        | {
            "settings": [list(setting) for setting in SETTINGS],
            "other_starts": [list(setting) for setting in OTHER_STARTS],
            "rate": plan.rate,
            "relu_rate": plan.relu_rate,
            "seeds": list(plan.seeds),
            "seeds_of_starts": list(plan.seeds_of_starts),
        },
        "runs": [_short(run, first=run["seed"] == plan.seeds[0]) for run in runs],
        "starts": [_short(run, first=run["seed"] == plan.seeds_of_starts[0]) for run in starts],
        **summary(runs),
    }


def _short(run: dict[str, Any], *, first: bool) -> dict[str, Any]:
    """Without a β that is fixed; β after each epoch and the scales of the first seed alone.

    A ReLU has no hardness that its scales could change.
    """
    kept = {key: value for key, value in run.items() if key not in ("beta", "scales")}
    if run["learned"] != "fixed":
        kept["beta"] = run["beta"][-1]
    if first and run["learned"] != "fixed":
        kept["beta_by_epoch"] = run["beta"]
    if first and run["start"] < 1:
        kept["scales"] = run["scales"]
    return kept


def carry_out(path: Path | None, data: DataSet, plan: Plan, work: Path, processes: int) -> dict[str, Any]:
    """The experiment on the data of ``path``, in one process or in more: the numbers are the same."""
    torch.set_num_threads(1)
    bench = LearnedBench(data, plan.recipe, work)
    with bench.making(path, processes) as make:
        return experiment(bench, plan, make)


def main() -> None:
    """The command line."""
    name = "learned_beta"
    args = parse(of_images("Learn β for a layer or for each channel."), name)
    with one_line():
        data = load(args.data)
        write(carry_out(args.data, data, plan(data, args.seeds), args.work, args.processes), args.out)


if __name__ == "__main__":
    main()
