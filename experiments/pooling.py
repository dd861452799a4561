"""Train a small convolutional network on handwritten digits with each kind of pooling, and compare them in pairs.

Run from the top of the repository: ``python -m experiments.pooling``; a run that was stopped goes on where it was.
For each seed all kinds of pooling start from the same weights and learn from the same images. The learning rate of
each kind is the one of four that does best on images of the training split that were not learned from, with seeds
that the comparison does not use. The test images are read once, by the networks that are compared.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from betavq.nn import BetaMaxPool2d
from experiments.shared.command import parser
from experiments.shared.results import DATA, band, progress, versions, write
from experiments.shared.training import LARGEST_BETA, Set, keep_below_one, parameter_groups
from hardtosoft.results.networks import digits_test_set, digits_training_set

KINDS = {"mean": 0.0, "soft": 0.5, "harder": 0.9, "max": 1.0, "learned": 0.5}  # and the β that it has, or starts at
RATES = (0.003, 0.01, 0.03, 0.1)
SEEDS, SEEDS_OF_RATES = range(20), range(100, 104)
CHANNELS = (8, 16)
IMAGES, HELD_OUT, STEPS, WEIGHT_DECAY = 300, 500, 200, 1e-3
SIDE = 8


def network(kind: str, seed: int) -> nn.Sequential:
    """Two convolutions, each with a ReLU and pooling of 2×2, and an affine output; weights by seed alone."""
    torch.manual_seed(seed)
    first, second = CHANNELS
    layers = [nn.Conv2d(1, first, 3, padding=1), nn.Conv2d(first, second, 3, padding=1)]
    output = nn.Linear(second * (SIDE // 4) ** 2, 10)
    learnable = kind == "learned"
    pools = [
        BetaMaxPool2d(2, beta=KINDS[kind], learnable=learnable, num_channels=channels if learnable else None)
        for channels in CHANNELS
    ]
    return nn.Sequential(layers[0], nn.ReLU(), pools[0], layers[1], nn.ReLU(), pools[1], nn.Flatten(), output)


def train(kind: str, rate: float, seed: int, data: Set) -> nn.Sequential:
    """Adam on the whole training set at once, its rate falling to 0 along a half cosine."""
    trained = network(kind, seed)
    optimiser = torch.optim.Adam(parameter_groups(trained, WEIGHT_DECAY), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        optimiser.zero_grad()
        F.cross_entropy(trained(data[0]), data[1]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        keep_below_one(trained)
    return trained


def accuracy(trained: nn.Sequential, data: Set) -> float:
    """Share of images, in [0, 1], that are read rightly."""
    with torch.no_grad():
        return int((trained(data[0]).argmax(1) == data[1]).sum()) / len(data[1])


def draw(seed: int, split: Set) -> tuple[Set, Set]:
    """The images that a seed learns from, and others to choose by."""
    order = torch.randperm(len(split[1]), generator=torch.Generator().manual_seed(seed))
    rows, rest = order[:IMAGES], order[IMAGES : IMAGES + HELD_OUT]
    return (split[0][rows], split[1][rows]), (split[0][rest], split[1][rest])


def as_images(data: Set) -> Set:
    """Rows of 64 grey levels as float32 images ``(N, 1, 8, 8)``."""
    return data[0].float().reshape(-1, 1, SIDE, SIDE), data[1]


def settings() -> dict[str, Any]:
    """All that the numbers depend on."""
    return {
        "data": "scikit-learn load_digits",
        "betas": KINDS,
        "rates": list(RATES),
        "seeds": list(SEEDS),
        "seeds_of_rates": list(SEEDS_OF_RATES),
        "channels": list(CHANNELS),
        "train_points": IMAGES,
        "held_out_points": HELD_OUT,
        "test_points": len(digits_test_set()[1]),
        "steps": STEPS,
        "weight_decay": WEIGHT_DECAY,
        "largest_learned_beta": LARGEST_BETA,
        "versions": versions(),
    }


def started(out: Path) -> dict[str, Any]:
    """The runs that an earlier start with the same settings has left in the result file."""
    if out.exists():
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        if found["settings"] == settings():
            return found
    return {"settings": settings(), "held_out": {}, "runs": {}, "learned_betas": {}}


def main() -> None:
    """Choose rates, train, compare; write after each seed."""
    args = parser("Compare kinds of pooling on handwritten digits.", DATA / "pooling.json").parse_args()
    torch.set_num_threads(1)
    split, test = as_images(digits_training_set()), as_images(digits_test_set())
    found = started(args.out)
    for seed in progress(SEEDS_OF_RATES, "learning rates, seed"):
        data, held_out = draw(seed, split)
        if str(seed) not in found["held_out"]:
            found["held_out"][str(seed)] = {
                kind: [accuracy(train(kind, rate, seed, data), held_out) for rate in RATES] for kind in KINDS
            }
            write(found, args.out)
    found["chosen_rates"] = {}
    for kind in KINDS:
        totals = [sum(run[kind][i] for run in found["held_out"].values()) for i in range(len(RATES))]
        found["chosen_rates"][kind] = RATES[totals.index(max(totals))]
    for seed in progress(SEEDS, "digits, seed"):
        data, _ = draw(seed, split)
        if str(seed) not in found["runs"]:
            trained = {kind: train(kind, found["chosen_rates"][kind], seed, data) for kind in KINDS}
            found["runs"][str(seed)] = {kind: accuracy(net, test) for kind, net in trained.items()}
            pools = [layer for layer in trained["learned"] if isinstance(layer, BetaMaxPool2d)]
            found["learned_betas"][str(seed)] = [[round(b, 4) for b in pool.beta.tolist()] for pool in pools]
            write(found, args.out)
    runs = list(found["runs"].values())
    found["accuracy"] = {kind: band([run[kind] for run in runs]) for kind in KINDS}
    found["minus_max"] = {kind: band([run[kind] - run["max"] for run in runs]) for kind in KINDS if kind != "max"}
    write(found, args.out)


if __name__ == "__main__":
    main()
