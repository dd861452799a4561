"""Where the networks of an experiment are trained and kept, one by one or beside each other."""

from __future__ import annotations

import json
import os
import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch

from experiments.shared.images import DataSet, Images, load
from experiments.shared.results import versions, write
from experiments.shared.small_cnn import Recipe
from experiments.shared.workers import workers

HELD_OUT, SEED_OF_SPLIT = 0.2, 0
R = TypeVar("R")
Make = Callable[[Sequence[R]], Iterable[dict[str, Any]]]


class Bench(ABC, Generic[R]):
    """The data, the recipe, and a folder that keeps what is done of each run (a dataclass with a name as its ``str``).

    Args:
        data: the images.
        recipe: of all runs.
        work: folder, made if need be. A finished run of the same conditions there is not made again.
    """

    constants: ClassVar[dict[str, Any]] = {}  # of the experiment, on which all runs depend

    def __init__(self, data: DataSet, recipe: Recipe, work: Path) -> None:
        self.data, self.recipe, self.work = data, recipe, work
        self.parts = parts(data, recipe.most_images)
        self.conditions = conditions(data, recipe) | self.constants
        work.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def train(self, run: R, checkpoint: Path, identity: str) -> dict[str, Any]:
        """Train and judge one network, going on from a checkpoint of the same identity; its entry of the results."""

    def run(self, run: R) -> dict[str, Any]:
        """Train and judge, or take from the folder what an earlier start has left."""
        name = str(run).replace(", ", "-").replace(" ", "_")
        done, checkpoint = self.work / f"{name}.json", self.work / f"{name}.pt"
        identity = json.dumps([self.conditions, asdict(run)])  # type: ignore[call-overload]
        result = kept(done, identity)
        if result is None:
            result = self.train(run, checkpoint, identity)
            write({"identity": identity, "result": result}, done, quiet=True)
        checkpoint.unlink(missing_ok=True)
        return result

    @contextmanager
    def making(self, path: Path | None, processes: int) -> Iterator[Make[R]]:
        """What makes runs on these data, read from ``path``, in this process or in more: the numbers are the same."""
        if processes == 1:
            yield partial(map, self.run)
            return
        with workers(processes, _prepare, (type(self), path, self.recipe, self.work)) as pool:
            yield partial(pool.map, _run_prepared)


_prepared: list[Bench[Any]] = []


def _prepare(bench: Callable[..., Bench[Any]], path: Path | None, recipe: Recipe, work: Path) -> None:
    """Make the bench of a process of its own."""
    _prepared[:] = [bench(load(path), recipe, work)]


def _run_prepared(run: Any) -> dict[str, Any]:
    return _prepared[0].run(run)


def make_all(make: Make[R], runs: Sequence[R], label: str) -> list[dict[str, Any]]:
    """Make runs, in the order given, and say what came out of each."""
    start, results = time.monotonic(), []
    for number, (run, result) in enumerate(zip(runs, make(runs), strict=True), 1):
        results.append(result)
        seconds = time.monotonic() - start
        print(f"{label} {number} of {len(runs)}: {run}: {result['accuracy']:.4f} ({seconds:.0f} s)", flush=True)
    return results


def kept(done: Path, identity: str) -> dict[str, Any] | None:
    """The result of the same run that an earlier start has left in the file ``done``."""
    if not done.exists():
        return None
    try:
        found = json.loads(done.read_text(encoding="utf-8"))
        result: dict[str, Any] | None = found["result"] if found["identity"] == identity else None
    except (ValueError, KeyError, TypeError):
        print(f"{done} cannot be read: its run starts anew", flush=True)
        return None
    return result


def parts(data: DataSet, most: int | None) -> dict[str, tuple[Images, Images]]:
    """Images to learn from and images to be judged by, while settings are chosen (held_out) and compared (test).

    With a limit, settings are chosen and compared with the same images; else all of them are learned from in the end.
    """
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(SEED_OF_SPLIT))
    held_out = round(HELD_OUT * len(order))
    learned = data.train.rows(order[held_out:][:most])
    return {
        "held_out": (learned, data.train.rows(order[:held_out])),
        "test": (data.train if most is None else learned, data.test),
    }


def conditions(data: DataSet, recipe: Recipe) -> dict[str, Any]:
    """All that the numbers of one run depend on, besides the run itself."""
    return {
        "data": data.name,
        "data_sha256": data.sha256,
        "train_images": len(data.train),
        "test_images": len(data.test),
        "classes": data.num_classes,
        "held_out_share": HELD_OUT,
        "seed_of_split": SEED_OF_SPLIT,
        **asdict(recipe),
        "versions": versions(),
        "hardware": hardware(),
    }


def hardware() -> dict[str, Any]:
    """Processor, its cores, and the threads in use."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    return {"processor": processor, "cores": os.cpu_count(), "threads": torch.get_num_threads()}
