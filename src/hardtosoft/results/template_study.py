"""What ``experiments/template_penalty.py`` measured: networks trained on few digits, with and without a penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .stored import Band, band, stored

FILE = "template_penalty"


@dataclass(frozen=True)
class Penalised:
    """Networks trained with one penalty on their templates, over seeds.

    Attributes:
        where: what the penalty acts on, ``"none"``, ``"last layer"`` or ``"all of the network"``.
        strength: λ, what the penalty is multiplied by.
        accuracy: share of test images whose class is found, in [0, 1].
        accuracy_minus_none: how much more that is than without a penalty, the same seed with the same seed.
        cosine: mean size of the cosine between the templates of two classes at a test image, in [0, 1].
    """

    where: str
    strength: float
    accuracy: Band
    accuracy_minus_none: Band
    cosine: Band


def penalised() -> list[Penalised]:
    """One entry a penalty, that without a penalty first."""
    return [
        Penalised(
            entry["where"],
            entry["strength"],
            *(band(entry[key]) for key in ("accuracy", "accuracy_minus_none", "cosine")),
        )
        for entry in stored(FILE)["penalties"]
    ]


def neighbour_accuracy() -> dict[str, Band]:
    """How often the nearest training image has the right class, by distance, for the networks without a penalty."""
    return {name: band(entry) for name, entry in stored(FILE)["neighbours"].items()}


def settings() -> dict[str, Any]:
    """How it was made: seeds, sizes, training, versions."""
    return dict(stored(FILE)["settings"])
