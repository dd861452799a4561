"""Train small ReLU networks on handwritten digits, then measure them at every β without retraining.

Run from the top of the repository: ``python -m experiments.small_networks.digits``. An affine classifier already
reads these digits well, so accuracy need not fall at β = 0, where the network is affine. Controls: the same images and
architecture with a question that no affine classifier answers well (is the digit odd?); twice as many hidden
layers; and at β = 0 with only the output biases fitted again.
"""

from __future__ import annotations

from dataclasses import asdict

import torch
from sklearn.model_selection import train_test_split

from experiments.shared.command import parser
from experiments.shared.results import DATA, band, bands, progress, versions, write
from experiments.shared.training import Training, train
from experiments.small_networks.sweeps import at_beta_0, curves, ends, linear_accuracy, stored_network
from hardtosoft.results.datasets import load_digits

SEEDS = range(10)
SIZES = [64, 32, 32, 10]
DEEP = [64, 32, 32, 32, 32, 10]
ODD = [64, 32, 32, 1]
TRAINING = Training(steps=300, lr=0.01, weight_decay=1e-3, digits=5)
TEST_POINTS, SPLIT_SEED = 500, 0


def main() -> None:
    """Train, measure, write."""
    args = parser("Train on handwritten digits at β = 1 and measure at every β.", DATA / "digits.json").parse_args()
    torch.set_num_threads(1)
    images, labels = load_digits()
    # Every digit has its share of the test set.
    train_rows, test_rows = train_test_split(
        range(len(labels)), test_size=TEST_POINTS, stratify=labels, random_state=SPLIT_SEED
    )
    train_set, test = ((images[rows], labels[rows]) for rows in (train_rows, test_rows))
    odd_train, odd_test = ((x, y % 2) for x, y in (train_set, test))
    trained, deep, odd = [], [], []
    for seed in progress(SEEDS, "digits, seed"):
        trained.append((train(train_set, SIZES, TRAINING, seed), train_set, test))
        deep.append(ends(train(train_set, DEEP, TRAINING, seed), train_set, test))
        odd.append(ends(train(odd_train, ODD, TRAINING, seed), odd_train, odd_test))
    # Logistic regression has no seed and the split is one: its numbers have no interval.
    linear = linear_accuracy(train_set, test)
    write(
        {
            "settings": {
                "data": "scikit-learn load_digits",
                "train_points": len(train_set[1]),
                "test_points": TEST_POINTS,
                "split_seed": SPLIT_SEED,
                "sizes": SIZES,
                "sizes_deep": DEEP,
                "sizes_odd": ODD,
                "seeds": list(SEEDS),
                **asdict(TRAINING),
                "versions": versions(),
            },
            **curves(trained),
            "linear": band([linear]),
            "controls": {
                "beta_0": at_beta_0(trained),
                "deep": bands(deep) | {"linear": band([linear])},
                "odd": bands(odd) | {"linear": band([linear_accuracy(odd_train, odd_test)])},
            },
            "network": stored_network(trained[0][0], SEEDS[0], test),
            "test_rows": test_rows,
        },
        args.out,
    )


if __name__ == "__main__":
    main()
