"""Keep the small network of two moons as it was at several steps of its training.

Run from the top of the repository: ``python -m experiments.small_networks.moons_training``. It trains the network
whose last state ``experiments.small_networks.two_moons`` stores, of the same seed and data, and writes its weights at
each of ``STEPS``.
"""

from __future__ import annotations

from dataclasses import asdict

import torch

from experiments.shared.command import parser
from experiments.shared.results import DATA, versions, write
from experiments.shared.training import train
from experiments.small_networks.two_moons import NOISE, SEEDS, SIZES, TRAIN_POINTS, TRAINING, moons
from hardtosoft.results.networks import Network

#: Dense where most changes: half of them in the first tenth of the training.
STEPS = (0, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1250, 1500)
SEED = SEEDS[0]


def main() -> None:
    """Train, watch, write."""
    args = parser("Train on two moons and keep several steps.", DATA / "moons_training.json").parse_args()
    torch.set_num_threads(1)
    kept: list[dict[str, object]] = []

    def keep(step: int, network: Network) -> None:
        if step in STEPS:
            print(f"two moons, step {step}", flush=True)
            weights, biases = ([part.tolist() for part in parts] for parts in (network.weights, network.biases))
            kept.append({"step": step, "weights": weights, "biases": biases})

    train_set, _ = moons(SEED)
    train(train_set, SIZES, TRAINING, SEED, keep)
    data = {"data": "scikit-learn make_moons", "noise": NOISE, "train_points": TRAIN_POINTS}
    settings = {**data, "sizes": SIZES, "seed": SEED, **asdict(TRAINING), "versions": versions()}
    write({"settings": settings, "snapshots": kept}, args.out)


if __name__ == "__main__":
    main()
