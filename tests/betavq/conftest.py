"""One thread (the tensors are small) and hypothesis without a clock: its examples are the same in every run."""

from __future__ import annotations

import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("betavq", deadline=None, derandomize=True, database=None)
settings.load_profile("betavq")
