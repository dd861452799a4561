"""The command line that the experiments on images share: the same options, and one clear line for what goes wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from experiments.shared.images import DataError, DataSet
from experiments.shared.results import DATA
from experiments.shared.small_cnn import Recipe

WORK = Path(__file__).resolve().parents[2] / "_build" / "experiments"


def options(name: str, description: str) -> argparse.ArgumentParser:
    """Those of all experiments on images."""
    parser = argparse.ArgumentParser(prog=f"python -m experiments.{name}", description=description)
    parser.add_argument("--data", type=Path, help="an .npz file or the folder of CIFAR-10 (default: digits)")
    parser.add_argument("--out", type=Path, help="result file (default: by the data, beside those of the book)")
    parser.add_argument("--work", type=Path, help="folder that keeps what is done (default: in _build/experiments)")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds to compare with (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="runs at a time (default: %(default)s)")
    return parser


def parse(parser: argparse.ArgumentParser, name: str) -> argparse.Namespace:
    """What was asked for, with the names of the files filled in."""
    args = parser.parse_args()
    args.out = args.out or DATA / f"{name}_{'digits' if args.data is None else 'images'}.json"
    args.work = args.work or WORK / args.out.stem
    if args.seeds < 2 or args.processes < 1:
        parser.error("--seeds must be at least 2, --processes at least 1")
    if not args.out.parent.is_dir():
        parser.error(f"--out: there is no folder {args.out.parent}")
    return args


@contextmanager
def one_line() -> Iterator[None]:
    """End with one line where the data cannot be used, or the work was stopped."""
    try:
        yield
    except DataError as error:
        sys.exit(f"--data: {error}")
    except BrokenProcessPool:
        sys.exit("a process was killed, perhaps for want of memory; the same command goes on from here")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")


def recipe(data: DataSet) -> Recipe:
    """Colour images as they come. Of grey ones few, for they are easy, and fewer first filters of their few inputs."""
    colour = data.train.pixels.shape[3] == 3
    return Recipe() if colour else Recipe(filters=(16, 64, 128), epochs=20, batch=10, most_images=100)
