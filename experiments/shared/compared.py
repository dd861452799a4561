"""The command line of an experiment that compares kinds of networks, each at the setting that did best for it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from experiments.shared.bench import Make
from experiments.shared.command import of_images, one_line, parse
from experiments.shared.comparison import Comparison, Seeds, again
from experiments.shared.images import DataSet, load
from experiments.shared.results import write
from experiments.shared.trainings import TrainingBench

R = TypeVar("R")
B = TypeVar("B", bound=TrainingBench[Any])


def compare(
    description: str,
    name: str,
    run: type[R],
    bench_of: Callable[[DataSet, Path], B],
    comparison: Callable[[B, Make[R], Seeds, Path], Comparison[R]],
) -> None:
    """Compare, or make one stored run again.

    Args:
        description: of the experiment, in a line.
        name: what its result files begin with.
        run: what one network is told by.
        bench_of: what trains on a data set, with its unfinished work in a folder.
        comparison: the experiment on a bench, whose stages are contents of the result file.
    """
    parser = of_images(description, seeds=10)
    parser.add_argument("--again", metavar="RUN", help="only train this network of the result file again")
    args = parse(parser, name)
    torch.set_num_threads(1)
    with one_line():
        data = load(args.data)
        if args.again:
            with tempfile.TemporaryDirectory() as work:
                print(again(bench_of(data, Path(work)), run, args.out, args.again))
            return
        bench = bench_of(data, args.work)
        with bench.making(args.data, args.processes) as make:
            seeds = Seeds(comparing=tuple(range(args.seeds)))
            for contents in comparison(bench, make, seeds, args.out).stages():
                write(contents, args.out)
