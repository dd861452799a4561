"""Let small networks learn labels that are partly drawn at random, with and without a penalty on their templates.

Run from the top of the repository: ``python -m experiments.memorisation``. Three questions: how far do training and
test accuracy part, do networks learn labels that say nothing, and does the penalty on what templates have in common
keep them from it? Theory has a sign of memory: the template of an image's class points along the image. So the
cosine of the two is measured on training images and on new ones.

Fixed before the runs, after a look at two networks of seed 0: networks, images, steps and seeds of
:mod:`experiments.template_penalty`; shares 0, 0.4 and 1 of the training labels replaced by labels drawn at random; no
penalty, that on the last layer, two strengths of the one on all of the network, and as a control two strengths of the
plain sum of squared weights. Test labels are the true ones.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from betavq import geometry
from experiments.shared.command import parser
from experiments.shared.results import DATA, band, progress, versions, write
from experiments.shared.training import Set
from experiments.template_penalty import (
    FULL,
    LAST,
    SEEDS,
    SIZES,
    STEPS,
    TEST_POINTS,
    TRAIN_POINTS,
    Penalty,
    accuracy,
    penalty,
    split,
    train,
)

SHARES = (0.0, 0.4, 1.0)
WEIGHTS = "squared weights"
PENALTIES = (("none", 0.0), (LAST, 1.0), (FULL, 1e-2), (FULL, 1e-1), (WEIGHTS, 1e-3), (WEIGHTS, 1e-2))


def relabelled(labels: Tensor, share: float, seed: int) -> Tensor:
    """The labels with so large a share of them, chosen at random, drawn anew among the ten classes."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    found = labels.clone()
    found[chosen] = torch.randint(10, (len(chosen),), generator=generator)
    return found


def likeness(network: nn.Sequential, points: Tensor) -> float:
    """Mean cosine of an image and the template of the class that the network reads in it."""
    read = network(points).argmax(1)
    own = geometry.templates(network, points)[torch.arange(len(points)), read]
    return float(F.cosine_similarity(own, points, dim=1).mean())


@torch.no_grad()
def measure(network: nn.Sequential, train_set: Set, test: Set) -> dict[str, float]:
    """What is compared between penalties and shares."""
    train_accuracy, test_accuracy = accuracy(network, train_set), accuracy(network, test)
    return {
        "train": train_accuracy,
        "test": test_accuracy,
        "gap": train_accuracy - test_accuracy,
        "likeness_train": likeness(network, train_set[0]),
        "likeness_test": likeness(network, test[0]),
    }


def added_to_loss(where: str, strength: float) -> Penalty:
    """What is added to the cross-entropy: one of the penalties on templates, squared weights, or nothing."""
    if where == WEIGHTS:
        return lambda network, _: (
            strength * sum(each.square().sum() for each in network.parameters() if each.dim() == 2)
        )
    return penalty(where, strength) if strength else lambda *_: 0.0


def run(share: float, where: str, strength: float, seed: int) -> dict[str, float]:
    """Train one network and measure it."""
    (images, labels), test = split(seed)
    train_set = images, relabelled(labels, share, seed)
    return measure(train(train_set, added_to_loss(where, strength), seed), train_set, test)


def main() -> None:
    """Train, measure, write."""
    args = parser("Train on labels that are partly random.", DATA / "memorisation.json").parse_args()
    torch.set_num_threads(1)
    settings = list(product(SHARES, PENALTIES))
    runs: list[dict[str, Any]] = []
    for number in progress(range(len(settings)), "memorisation, setting"):
        share, (where, strength) = settings[number]
        own = [run(share, where, strength, seed) for seed in SEEDS]
        measured = {name: band([found[name] for found in own]) for name in own[0]}
        runs.append({"random": share, "where": where, "strength": strength, **measured})
    fixed = {"train_points": TRAIN_POINTS, "test_points": TEST_POINTS, "sizes": SIZES, "steps": STEPS}
    about = {"data": "scikit-learn load_digits", **fixed, "seeds": list(SEEDS), "versions": versions()}
    write({"settings": about, "runs": runs}, args.out)


if __name__ == "__main__":
    main()
