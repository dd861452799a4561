"""One thread (the tensors are small) and hypothesis without a clock: its examples are the same in every run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("betavq", deadline=None, derandomize=True, database=None)
settings.load_profile("betavq")


@pytest.fixture
def float64_and_a_seed() -> Iterator[None]:
    """Layers are made in float64, with the same random weights in every run."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.set_default_dtype(torch.float64)
        yield
        torch.set_default_dtype(torch.float32)
