"""What the pooling chapter reads: a photograph, and networks that pool in different ways.

Both files were written by scripts in ``experiments/``; the photograph's file names its author and its licence.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .stored import Band, band, stored


@cache
def load_photograph() -> Tensor:
    """A grey picture of a tower: brightness from 0, black, to 1, white, ``(96, 96)``, the first row on top."""
    found = stored("photograph")
    levels = np.frombuffer(base64.b64decode(found["pixels"]), dtype=np.uint8)
    return torch.from_numpy(levels.reshape(found["rows"], found["columns"]) / 255)


def photograph_credit() -> dict[str, str]:
    """Title, author, source, licence of the photograph, and what was changed."""
    return {name: text for name, text in stored("photograph").items() if isinstance(text, str) and name != "pixels"}


@dataclass(frozen=True)
class Comparison:
    """Test accuracy of networks that differ in their pooling, over seeds.

    Attributes:
        accuracy: by kind of pooling, in [0, 1].
        minus_max: how much more than with max-pooling, the same seed with the same seed.
        learned_betas: where a learned β ended, ``(seeds, channels)``, one array a layer of pooling.
        settings: how it was made: seeds, sizes, training, versions; ``chosen_rates`` has the learning rates.
    """

    accuracy: dict[str, Band]
    minus_max: dict[str, Band]
    learned_betas: tuple[np.ndarray[Any, np.dtype[np.float64]], ...]
    settings: dict[str, Any]


def pooling_comparison() -> Comparison:
    """What ``experiments/pooling.py`` measured and stored."""
    found = stored("pooling")
    accuracy, minus_max = (
        {kind: band(entry) for kind, entry in found[part].items()} for part in ("accuracy", "minus_max")
    )
    layers = zip(*found["learned_betas"].values(), strict=True)
    betas = tuple(np.array(layer) for layer in layers)
    return Comparison(accuracy, minus_max, betas, found["settings"] | {"chosen_rates": found["chosen_rates"]})
