"""Where the runs of an experiment are made and kept, one by one or beside each other."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch

from experiments.shared.images import DataSet, load
from experiments.shared.kept import keep, kept
from experiments.shared.results import hardware, versions

P = TypeVar("P")
R = TypeVar("R")
Make = Callable[[Sequence[R]], Iterable[dict[str, Any]]]


class Bench(ABC, Generic[P, R]):
    """The data, the plan of all runs, and a folder that keeps what is done of each.

    A run is a dataclass with a name as its ``str``.

    Args:
        data: the images.
        plan: what all runs share.
        work: folder, made if need be. A finished run of the same conditions there is not made again.
    """

    conditions: dict[str, Any]  # all that the numbers of a run depend on, besides the run itself

    def __init__(self, data: DataSet, plan: P, work: Path) -> None:
        self.data, self.plan, self.work = data, plan, work
        work.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def make(self, run: R, checkpoint: Path, identity: str) -> dict[str, Any]:
        """Carry out one run; one that takes long goes on from a checkpoint of the same identity."""

    def run(self, run: R) -> dict[str, Any]:
        """Carry out one run, or take from the folder what an earlier start has left."""
        name = str(run).replace(", ", "-").replace(" ", "_")
        done, checkpoint = self.work / f"{name}.done", self.work / f"{name}.pt"
        identity = json.dumps([self.conditions, asdict(run)])  # type: ignore[call-overload]
        found = kept(done, identity)
        if found is None:
            found = {"result": self.make(run, checkpoint, identity)}
            keep(done, identity, **found)
        checkpoint.unlink(missing_ok=True)
        result: dict[str, Any] = found["result"]
        return result

    @contextmanager
    def making(self, path: Path | None, processes: int) -> Iterator[Make[R]]:
        """What makes runs on these data, read from ``path``, in this process or in more: the numbers are the same."""
        if processes == 1:
            yield partial(map, self.run)
            return
        with _processes(processes, type(self), path, self.plan, self.work) as pool:
            yield partial(pool.map, _run_prepared)


def make_all(make: Make[R], runs: Sequence[R], label: str) -> list[dict[str, Any]]:
    """Make runs, in the order given, and say what came out of each."""
    start, results = time.monotonic(), []
    for number, (run, result) in enumerate(zip(runs, make(runs), strict=True), 1):
        results.append(result)
        found = f": {result['accuracy']:.4f}" if "accuracy" in result else ""
        print(f"{label} {number} of {len(runs)}: {run}{found} ({time.monotonic() - start:.0f} s)", flush=True)
    return results


def conditions(data: DataSet, **more: Any) -> dict[str, Any]:
    """What the numbers of every experiment on images depend on, around ``more`` that those of this one do."""
    return {
        "data": data.name,
        "data_sha256": data.sha256,
        **more,
        "versions": versions(),
        "hardware": hardware(),
    }


@contextmanager
def _processes(processes: int, *bench: Any) -> Iterator[ProcessPoolExecutor]:
    """Processes with a bench and one thread each: faster than two threads at one run. They end with this one."""
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _prepare, bench)
    try:
        yield pool
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_prepared: list[Bench[Any, Any]] = []


def _prepare(bench: Callable[..., Bench[Any, Any]], path: Path | None, plan: Any, work: Path) -> None:
    # The process that started this one answers an interrupt from the keyboard, for all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _prepared[:] = [bench(load(path), plan, work)]


def _run_prepared(run: Any) -> dict[str, Any]:
    return _prepared[0].run(run)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
