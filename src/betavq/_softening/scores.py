"""What is seen of the scores of each site while a model runs: how far they spread, how soft the codes are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .meters import check_images, metered
from .smoothings import FREE_ENERGY, VALUE, softened
from .state import Softening, Unit


@dataclass
class Scores:
    """What was seen of a site: sums over its inputs, and over the entropies of its codes.

    Attributes:
        entropies: as shares of log R, R the number of pieces.
    """

    count: float = 0.0
    mean: float = 0.0
    squares: float = 0.0
    codes: int = 0
    entropies: float = 0.0

    @property
