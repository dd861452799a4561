"""Train small ReLU networks on two moons, then measure them at every β without retraining.

Run from the top of the repository: ``python -m experiments.small_networks.two_moons``. The two moons cannot be told
apart by a line, so at β = 0, where the network is affine, accuracy has to fall. Controls: the same with the moons
pulled apart until a line does it; and at β = 0 with only the output bias fitted again.
"""

from __future__ import annotations

from dataclasses import asdict

import torch

from experiments.shared.results import DATA, arguments, band, bands, progress, versions, write
from experiments.shared.training import Set, Training, train
from experiments.small_networks.sweeps import (
    BETAS,
    accuracy_curve,
    affine_share,
    closest_affine,
    ends,
    entropy_curves,
    linear_accuracy,
    refitted_output_accuracy,
    stored_network,
)
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
    args = arguments("Train on two moons at β = 1 and measure at every β.", DATA / "two_moons.json")
    torch.set_num_threads(1)
    networks, accuracies, entropies, linear = [], [], [], []
    at_the_ends, apart = [], []
    for seed in progress(SEEDS, "two moons, seed"):
        train_set, test = moons(seed)
        network = train(train_set, SIZES, TRAINING, seed)
        networks.append(network)
        accuracies.append(accuracy_curve(network, test))
        entropies.append(entropy_curves(network, test[0]))
        linear.append(linear_accuracy(train_set, test))
        at_the_ends.append(
            {
                "output_bias_refitted": refitted_output_accuracy(network, train_set, test, 0.0),
                "closest_affine_map": closest_affine(network, train_set[0]).accuracy(*test, 1.0),
                "affine_share": affine_share(network, train_set, test),
            }
        )
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
            "beta": BETAS,
            "accuracy": band(accuracies),
            "entropy": [band(layer) for layer in zip(*entropies, strict=True)],
            "linear": band(linear),
            "controls": {"beta_0": bands(at_the_ends), "moons_apart": bands(apart)},
            "network": stored_network(networks[0], first, test),
            "training_set": {"points": points.tolist(), "labels": labels.tolist()},
        },
        args.out,
    )


if __name__ == "__main__":
    main()
