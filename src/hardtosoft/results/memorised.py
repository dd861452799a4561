"""What ``experiments/memorisation.py`` measured: networks that learned labels of which a share was drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .stored import Band, band, stored

FILE = "memorisation"


@dataclass(frozen=True)
class Memorised:
    """Networks trained with one penalty on one share of random labels, over seeds.

    Attributes:
        random: share of the training labels that were drawn anew.
        where: what the penalty acts on, ``"none"`` for no penalty.
        strength: λ, what the penalty is multiplied by.
        train: share of training images whose label, random or not, is found.
        test: share of test images whose class is found.
        gap: how much less the second is than the first.
        likeness_train: mean cosine of a training image and the template of the class that is read in it.
        likeness_test: the same for test images.
    """

    random: float
    where: str
    strength: float
    train: Band
    test: Band
    gap: Band
    likeness_train: Band
    likeness_test: Band


def memorised() -> list[Memorised]:
    """One entry a share and penalty."""
    names = ("train", "test", "gap", "likeness_train", "likeness_test")
    return [
        Memorised(entry["random"], entry["where"], entry["strength"], *(band(entry[name]) for name in names))
        for entry in stored(FILE)["runs"]
    ]


def settings() -> dict[str, Any]:
    """How it was made: seeds, sizes, training, versions."""
    return dict(stored(FILE)["settings"])
