"""What the tests of the experiments share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from experiments.shared.images import DataSet, load


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
