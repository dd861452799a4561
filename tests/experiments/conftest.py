"""What the tests of the experiments share."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments.shared import small_cnn
from experiments.shared.images import DataSet, load

ROOT = Path(__file__).parents[2]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread, on which an experiment gives the same numbers again; random numbers go on as if it had used none."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def digits() -> DataSet:
    """The packaged digits, split."""
    return load(None)


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Call something, such that training stops as the checkpoint after so many epochs is there."""

    def call(epochs: int, work: Callable[..., Any], *arguments: Any) -> None:
        saved: list[Path] = []
        keep = small_cnn.keep

        def counted(path: Path, identity: str, **state: Any) -> None:
            keep(path, identity, **state)
            saved.append(path)
            if len(saved) == epochs:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(small_cnn, "keep", counted)
            with pytest.raises(KeyboardInterrupt):
                work(*arguments)
        torch.rand(3)  # whatever else has moved the random numbers since

    return call


@pytest.fixture
def kill() -> Callable[..., None]:
    """Start a program that works in a folder, and kill it once enough runs are done and another has begun."""

    def killed(program: str, work: Path, done: int) -> None:
        started = subprocess.Popen([sys.executable, "-c", program, str(work)], cwd=ROOT, stdout=subprocess.PIPE)
        while len(list(work.glob("*.done"))) < done or not list(work.glob("*.pt")):
            time.sleep(0.005)
            assert started.poll() is None
        started.kill()
        started.communicate(timeout=60)  # until no process that it started holds its output any more

    return killed
