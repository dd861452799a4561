"""The command lines of the experiments: the same options, and one clear line for what goes wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from experiments.shared.images import DataError, DataSet
from experiments.shared.program import program
from experiments.shared.results import DATA
from experiments.shared.small_cnn import Recipe

WORK = DATA.parents[2] / "_build" / "experiments"


def parser(description: str, out: Path | None = None) -> argparse.ArgumentParser:
    """The command line of the experiment that was started: where to write.

    Args:
        description: what the experiment does.
        out: the result file, unless another is asked for; None where that goes by the data.
    """
    made = argparse.ArgumentParser(prog=program(), description=description)
    default = "by the data, beside those of the book" if out is None else "%(default)s"
    made.add_argument("--out", type=_in_a_folder, default=out, help=f"result file (default: {default})")
    return made


def _in_a_folder(name: str) -> Path:
    path = Path(name)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}")
    return path


def of_images(description: str, seeds: int = 5) -> argparse.ArgumentParser:
    """That of all experiments on images."""
    made = parser(description)
    made.add_argument("--data", type=Path, help="an .npz file or the folder of CIFAR-10 (default: digits)")
    made.add_argument("--work", type=Path, help="folder that keeps what is done (default: in _build/experiments)")
    made.add_argument("--seeds", type=int, default=seeds, help="how many seeds to compare with (default: %(default)s)")
    made.add_argument("--processes", type=int, default=2, help="runs at a time (default: %(default)s)")
    return made


def parse(parser: argparse.ArgumentParser, name: str) -> argparse.Namespace:
    """What was asked for of an experiment on images, with the names of the files filled in."""
    args = parser.parse_args()
    args.out = args.out or DATA / f"{name}_{'digits' if args.data is None else 'images'}.json"
    args.work = args.work or WORK / args.out.stem
    if args.seeds < 2 or args.processes < 1:
        parser.error("--seeds must be at least 2, --processes at least 1")
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
    return Recipe() if data.colour else Recipe(filters=(16, 64, 128), epochs=20, batch=10, most_images=100)
