"""Train a small convolutional network with filters left free, penalised or kept orthogonal, and compare in pairs.

Run from the top of the repository: ``python -m experiments.orthogonal_filters --data PATH``, where PATH is an ``.npz``
file with uint8 images ``x_train``, ``x_test`` of shape ``(N, H, W, C)`` and labels ``y_train``, ``y_test``, or the
folder of CIFAR-10; without it, on the digits that come with scikit-learn. A run that was stopped goes on where it was.

For ReLU and for swish (β = ½), the learning rate of each setting is the one that does best on a part of the training
images that is held out, with one seed that the comparison does not use, and so is the strength of the penalty. Then
all networks of a seed start from the same weights (made orthogonal, where they are to be), and see all training images
in the same order. The test images are read by these networks alone, once each. The result file keeps every run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from experiments.orthogonal_filters.runs import BETAS, OrthogonalBench, Run
from experiments.orthogonal_filters.summary import best_rates, best_strength, summary
from experiments.shared.bench import Make, make_all
from experiments.shared.command import of_images, one_line, parse, recipe
from experiments.shared.images import DataSet, load
from experiments.shared.results import write
from experiments.shared.small_cnn import Recipe

SETTINGS = (("none", 0.0), ("penalty", 0.01), ("penalty", 0.1), ("penalty", 1.0), ("orthogonal", 0.0))
SEED_OF_SELECTION = 100


@dataclass(frozen=True)
class Plan:
    """All that is tried: the recipe, and the rates and seeds of the runs."""

    recipe: Recipe
    rates: tuple[float, ...] = (0.03, 0.1, 0.3)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)


def plan(data: DataSet, seeds: int) -> Plan:
    """That of the book."""
    return Plan(recipe(data), seeds=tuple(range(seeds)))


def experiment(bench: OrthogonalBench, plan: Plan, make: Make[Run]) -> dict[str, Any]:
    """Choose, compare, sum up: the contents of the result file, whose runs ``make`` makes in the order given."""
    tried = [
        Run(activation, constraint, strength, rate, SEED_OF_SELECTION, "held_out")
        for activation in BETAS
        for constraint, strength in SETTINGS
        for rate in plan.rates
    ]
    selection = make_all(make, tried, "choosing")
    rates = best_rates(selection)
    chosen = [
        replace(tried[0], activation=activation, constraint=constraint, strength=strength, rate=rate)
        for activation in BETAS
        for constraint, strength, rate in (
            ("none", 0.0, rates[activation, "none", 0.0]),
            ("penalty", *best_strength(selection, activation)),
            ("orthogonal", 0.0, rates[activation, "orthogonal", 0.0]),
        )
    ]
    compared = [replace(run, seed=seed, judged_on="test") for seed in plan.seeds for run in chosen]
    runs = make_all(make, compared, "comparing")
    filters = [
        {"activation": run["activation"], "constraint": run["constraint"], "filters": run["first_filters"]}
        for run in runs[: len(chosen)]
    ]
    without = [{key: value for key, value in run.items() if key != "first_filters"} for run in selection + runs]
    return {
        "settings": bench.conditions
        | {
            "settings": [list(setting) for setting in SETTINGS],
            "rates": list(plan.rates),
            "seeds": list(plan.seeds),
            "seed_of_selection": SEED_OF_SELECTION,
        },
        "selection": without[: len(selection)],
        "chosen": [
            {key: asdict(run)[key] for key in ("activation", "constraint", "strength", "rate")} for run in chosen
        ],
        "runs": without[len(selection) :],
        **summary(runs),
        "filters_of_first_seed": filters,
    }


def carry_out(path: Path | None, data: DataSet, plan: Plan, work: Path, processes: int) -> dict[str, Any]:
    """The experiment on the data of ``path``, in one process or in more: the numbers are the same."""
    torch.set_num_threads(1)
    bench = OrthogonalBench(data, plan.recipe, work)
    with bench.making(path, processes) as make:
        return experiment(bench, plan, make)


def reproduce(data: DataSet, recipe: Recipe, out: Path, setting: Sequence[str]) -> str:
    """Train one network of the comparison in a result file again; tell both accuracies."""
    torch.set_num_threads(1)
    try:
        contents = json.loads(out.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"--out: {out} cannot be read ({error})")
    if contents["settings"]["data_sha256"] != data.sha256:
        sys.exit(f"--data: the result file {out} is not of these images, but of {contents['settings']['data']}")
    activation, constraint, seed = setting
    for found in contents["runs"]:
        if [found["activation"], found["constraint"], str(found["seed"])] == [activation, constraint, seed]:
            run = Run(**{field.name: found[field.name] for field in fields(Run)})
            with tempfile.TemporaryDirectory() as work:
                start = time.monotonic()
                again = OrthogonalBench(data, recipe, Path(work)).run(run)
            seconds = time.monotonic() - start
            return f"{run}: {found['accuracy']:.4f} in {out.name}, {again['accuracy']:.4f} now ({seconds:.0f} s)"
    sys.exit(f"--again: there is no run {' '.join(setting)} in {out}")


def main() -> None:
    """The command line."""
    name = "orthogonal_filters"
    parser = of_images("Compare free, penalised and orthogonal filters.")
    setting = ("ACTIVATION", "CONSTRAINT", "SEED")
    parser.add_argument("--again", nargs=3, metavar=setting, help="only train this network of the result file again")
    args = parse(parser, name)
    with one_line():
        data = load(args.data)
        if args.again:
            print(reproduce(data, recipe(data), args.out, args.again))
        else:
            write(carry_out(args.data, data, plan(data, args.seeds), args.work, args.processes), args.out)


if __name__ == "__main__":
    main()
