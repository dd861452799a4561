"""Slopes and attacks: does a network of small slopes resist, and does one in a flat minimum?

Run from the top of the repository: ``python -m experiments.risk``. A run that was stopped goes on from its result
file.

The protocol, set down before any of its splits was drawn.

* Splits 2000 to 2004, the numbers being seeds: of scikit-learn's digits, shuffled, the first 400 are trained on and
  the last 1000 tested on. Pixels are in [0, 1], less the mean image of those trained on.
* Networks: 64 inputs, two layers of 64 ReLUs, 10 logits; 300 steps of Adam with rate .003 on batches of 64. Weights
  and batches of a seed are the same whatever is added to the cross-entropy.
* Added: nothing; λ times the squared slopes, by one random product (`jacobian_penalty`); λ times the squares of the
  outputs' gradients in the weights (`flatness`). λ of 1e-4, 3e-4, .001, .003, .01 and .03. The one to be compared by
  is .003 for slopes, from other splits; for flatness all of them.
* Attacks: 30 steps of projected gradient ascent within a Euclidean ball, of one radius for all test images, or of
  multiples of each image's own radii.
* Compared within splits: means over five splits, and of differences from no penalty, with 95 % t-intervals.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from betavq.papers.inversion import flatness
from experiments.risk import attacks, networks
from experiments.risk.attacks import measured, right, share_right
from experiments.risk.networks import PENALTIES, STRENGTHS, digits, train
from experiments.shared.command import one_line, parser
from experiments.shared.results import DATA, band, versions, write
from hardtosoft.results.attack import ATTACK_STEPS

SEEDS = tuple(range(2000, 2005))
SETTINGS = (("none", 0.0), *((kind, strength) for kind in list(PENALTIES)[1:] for strength in STRENGTHS))
SHOWN = (("none", 0.0), ("slopes", 3e-3))
THOUSANDTHS = 1000
COMPARED = ("accuracy", "attacked_0.5", "attacked_1", "slope", "flatness")


def run(penalty: str, strength: float, seed: int) -> dict[str, Any]:
    """Train and measure one network; the entry of the result file."""
    data = digits(seed)
    network = train(data, penalty, strength, seed)
    test = data.test_x, data.test_y
    entry = {
        "penalty": penalty,
        "strength": strength,
        "seed": seed,
        "accuracy": share_right(network, *test, 0),
        "attacked_0.5": share_right(network, *test, 0.5),
        "attacked_1": share_right(network, *test, 1),
        "flatness": float(f"{flatness(network, data.test_x).item():.4g}"),
    }
    return entry | measured(network, *test)


def shown() -> list[dict[str, Any]]:
    """Two networks in thousandths, and the images that a figure shows: the first of each digit that both read."""
    data = digits(SEEDS[0])
    networks = [train(data, *setting, SEEDS[0]) for setting in SHOWN]
    known = torch.stack([right(network, data.test_x, data.test_y) for network in networks]).all(0)
    rows = [int(data.rows[known & (data.test_y == digit)][0]) for digit in range(10)]
    mean = [float(f"{level:.5g}") for level in data.mean.tolist()]
    return [
        {
            "penalty": penalty,
            "strength": strength,
            "weights": [(p.detach() * THOUSANDTHS).round().int().tolist() for p in network.parameters()],
            "rows": rows,
            "mean": mean,
        }
        for (penalty, strength), network in zip(SHOWN, networks, strict=True)
    ]


def contents(runs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The result file."""
    settings = {
        "data": "scikit-learn load_digits",
        "train_points": networks.TRAINED,
        "test_points": networks.TESTED,
        "sizes": networks.SIZES,
        "steps": networks.STEPS,
        "rate": networks.RATE,
        "batch": networks.BATCH,
        "splits": list(SEEDS),
        "attack_steps": ATTACK_STEPS,
        "radii": attacks.RADII,
        "edges": [float(f"{edge:.5g}") for edge in attacks.EDGES],
        "versions": versions(),
    }
    return {"settings": settings, "penalties": penalties(runs), "runs": runs} | more


def penalties(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every setting that all splits have, with its bands and those of the difference from no penalty."""
    found: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for each in sorted(runs, key=lambda each: each["seed"]):
        found.setdefault((each["penalty"], each["strength"]), []).append(each)
    plain = found["none", 0.0]
    return [
        {"penalty": penalty, "strength": strength}
        | {name: band([each[name] for each in own]) for name in COMPARED}
        | {
            f"{name}_minus_none": band([a[name] - b[name] for a, b in zip(own, plain, strict=True)])
            for name in COMPARED
        }
        | {"slopes": [sum(counts) for counts in zip(*(each["slopes"] for each in own), strict=True)]}
        for (penalty, strength), own in found.items()
        if len(own) == len(SEEDS)
    ]


def done(out: Path) -> list[dict[str, Any]]:
    """The runs that a result file holds of the same splits."""
    if not out.exists():
        return []
    found = json.loads(out.read_text(encoding="utf-8"))
    runs: list[dict[str, Any]] = found["runs"] if found["settings"]["splits"] == list(SEEDS) else []
    return runs


def main() -> None:
    """The command line."""
    args = parser("Train on digits with penalties on slopes, and attack.", DATA / "risk_digits.json").parse_args()
    torch.set_num_threads(1)
    with one_line():
        runs = done(args.out)
        for penalty, strength in SETTINGS:
            for seed in SEEDS:
                if (penalty, strength, seed) not in {
                    (each["penalty"], each["strength"], each["seed"]) for each in runs
                }:
                    runs.append(run(penalty, strength, seed))
            write(contents(runs), args.out)
        write(contents(runs, shown=shown()), args.out)


if __name__ == "__main__":
    main()
