"""Train small ReLU networks on two moons, then measure them at every β without retraining.

Run from the top of the repository: ``python -m experiments.small_networks.two_moons``. The two moons cannot be told
apart by a line, so at β = 0, where the network is affine, accuracy has to fall. Controls: the same with the moons
pulled apart until a line does it; and at β = 0 with only the output bias fitted again.
"""

from __future__ import annotations

from dataclasses import asdict

import torch

from experiments.shared.command import parser
from experiments.shared.results import DATA, band, bands, progress, versions, write
from experiments.shared.training import Set, Training, train
from experiments.small_networks.sweeps import at_beta_0, curves, ends, linear_accuracy, stored_network
from hardtosoft.results.datasets import draw_moons, test_draw, train_draw

SEEDS = range(20)
SIZES = [2, 6, 6, 1]
TRAINING = Training(steps=1500, lr=0.02, weight_decay=1e-3, digits=6)
TRAIN_POINTS, TEST_POINTS, NOISE = 200, 2000, 0.15
GAP = 1.0  # the lower moon moved this far down leaves room for a line between them
DECIMALS = 4  # of the training points


def moons(seed: int, gap: float = 0.0) -> tuple[Set, Set]:
    """Training and test set of one seed; the training points to as many decimals as are stored."""
    sets = []
    for size, draw in ((TRAIN_POINTS, train_draw(seed)), (TEST_POINTS, test_draw(seed))):
        points, labels = draw_moons(size, NOISE, draw)
        sets.append((points - gap * torch.stack((0 * labels, labels), dim=1), labels))
    (train_x, train_y), test = sets
    return (train_x.round(decimals=DECIMALS), train_y), test


def main() -> None:
    """Train, measure, write."""
    args = parser("Train on two moons at β = 1 and measure at every β.", DATA / "two_moons.json").parse_args()
    torch.set_num_threads(1)
    trained, linear, apart = [], [], []
    for seed in progress(SEEDS, "two moons, seed"):
        train_set, test = moons(seed)
        trained.append((train(train_set, SIZES, TRAINING, seed), train_set, test))
        linear.append(linear_accuracy(train_set, test))
        train_set, test = moons(seed, GAP)
        network_apart = train(train_set, SIZES, TRAINING, seed)
        apart.append(ends(network_apart, train_set, test) | {"linear": linear_accuracy(train_set, test)})
    first = SEEDS[0]
    (points, labels), test = moons(first)
    write(
        {
            "settings": {
                "data": "scikit-learn make_moons",
                "noise": NOISE,
                "train_points": TRAIN_POINTS,
                "test_points": TEST_POINTS,
                "gap_of_control": GAP,
                "sizes": SIZES,
                "seeds": list(SEEDS),
                **asdict(TRAINING),
                "versions": versions(),
            },
            **curves(trained),
            "linear": band(linear),
            "controls": {"beta_0": at_beta_0(trained), "moons_apart": bands(apart)},
            "network": stored_network(trained[0][0], first, test),
            "training_set": {"points": points.tolist(), "labels": labels.tolist()},
        },
        args.out,
    )


if __name__ == "__main__":
    main()
