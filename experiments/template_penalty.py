"""Train small networks on few handwritten digits with and without a penalty on what their templates have in common.

Run from the top of the repository: ``python -m experiments.template_penalty``. Three questions: does the penalty do
to the templates what it says, does it help on test images, and how good is the networks' VQ distance at finding an
image of the same class? All networks of a seed start from the same weights and see the same images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

from betavq import geometry
from experiments.shared.command import parser
from experiments.shared.results import DATA, band, progress, versions, write
from experiments.shared.training import Set
from hardtosoft.results.datasets import load_digits

SEEDS = range(5)
SIZES = [64, 64, 64, 10]
TRAIN_POINTS, TEST_POINTS = 200, 1000
STEPS, RATE = 300, 0.01
FULL, LAST = "all of the network", "last layer"
#: Where the penalty acts, and its strength λ.
PENALTIES: tuple[tuple[str, float], ...] = ((LAST, 1.0), (FULL, 1e-4), (FULL, 1e-3), (FULL, 1e-2), (FULL, 1e-1))
Penalty = Callable[[nn.Sequential, Tensor], Tensor | float]


def penalty(where: str, strength: float) -> Penalty:
    """What is added to the cross-entropy."""
    if where == FULL:
        return lambda network, x: strength * geometry.template_penalty(network, x)
    return lambda network, _: strength * geometry.last_layer_penalty(network[-1].weight)  # type: ignore[arg-type]


def split(seed: int) -> tuple[Set, Set]:
    """Training and test images of a seed, every digit with its share in both."""
    images, labels = load_digits()
    sizes = {"train_size": TRAIN_POINTS, "test_size": TEST_POINTS}
    rows = train_test_split(range(len(labels)), **sizes, stratify=labels, random_state=seed)
    train_set, test = ((images[part], labels[part]) for part in rows)
    return train_set, test


def train(data: Set, added: Penalty, seed: int) -> nn.Sequential:
    """A ReLU network after ``STEPS`` of Adam on all training images at once, the rate falling along a half cosine."""
    torch.manual_seed(seed)
    layers = [layer for sizes in pairwise(SIZES) for layer in (nn.Linear(*sizes), nn.ReLU())]
    network = nn.Sequential(*layers[:-1]).double()
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        optimiser.zero_grad()
        (F.cross_entropy(network(data[0]), data[1]) + added(network, data[0])).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return network.eval()


def accuracy(network: nn.Sequential, test: Set) -> float:
    """Share of test images whose class is found."""
    return float((network(test[0]).argmax(1) == test[1]).double().mean())


def alikeness(network: nn.Sequential, points: Tensor) -> float:
    """Mean |cosine| between the templates of two classes, over pairs and points."""
    rows = F.normalize(geometry.templates(network, points), dim=2)
    cosines = (rows @ rows.transpose(1, 2)).abs()
    count = cosines.shape[1]
    return float((cosines.sum((1, 2)) - count).mean() / (count * (count - 1)))


def neighbours(network: nn.Sequential, train_set: Set, test: Set) -> Iterator[tuple[str, float]]:
    """How often the nearest training image has the right class, by each distance."""
    distance = geometry.vq_distance(network, test[0], train_set[0], pairwise=True)
    for number, found in enumerate(distance.by_layer.values(), start=1):
        yield f"VQ, layer {number}", nearest(found, train_set[1], test[1])
    yield "VQ, mean of both", nearest(distance.mean, train_set[1], test[1])
    yield "pixels", nearest(torch.cdist(test[0], train_set[0]), train_set[1], test[1])
    hidden = [network[:-1](points) for points in (test[0], train_set[0])]
    yield "last hidden values", nearest(torch.cdist(*hidden), train_set[1], test[1])


def nearest(distances: Tensor, known: Tensor, labels: Tensor) -> float:
    """Accuracy of the nearest neighbour; of several, the mean over all that are equally near."""
    near = (distances <= distances.min(1, keepdim=True).values + 1e-12).double()
    right = (near * (labels[:, None] == known)).sum(1) / near.sum(1)
    return float(right.mean())


@torch.no_grad()
def measure(network: nn.Sequential, test: Set) -> dict[str, float]:
    """What is compared between penalties."""
    return {"accuracy": accuracy(network, test), "cosine": alikeness(network, test[0])}


def main() -> None:
    """Train, measure, write."""
    args = parser("Train on few digits with penalties on the templates.", DATA / "template_penalty.json").parse_args()
    torch.set_num_threads(1)
    runs: dict[tuple[str, float], list[dict[str, float]]] = {each: [] for each in (("none", 0.0), *PENALTIES)}
    near: list[dict[str, float]] = []
    for seed in progress(SEEDS, "template penalty, seed"):
        train_set, test = split(seed)
        for where, strength in runs:
            added: Penalty = penalty(where, strength) if strength else lambda *_: 0.0
            network = train(train_set, added, seed)
            runs[where, strength].append(measure(network, test))
            if not strength:
                with torch.no_grad():
                    near.append(dict(neighbours(network, train_set, test)))
    write(
        {
            "settings": {
                "data": "scikit-learn load_digits",
                "train_points": TRAIN_POINTS,
                "test_points": TEST_POINTS,
                "sizes": SIZES,
                "seeds": list(SEEDS),
                "steps": STEPS,
                "lr": RATE,
                "versions": versions(),
            },
            "penalties": [_entry(where, strength, runs) for where, strength in runs],
            "neighbours": {name: band([run[name] for run in near]) for name in near[0]},
        },
        args.out,
    )


def _entry(where: str, strength: float, runs: dict[tuple[str, float], list[dict[str, float]]]) -> dict[str, Any]:
    own, plain = runs[where, strength], runs["none", 0.0]
    more = [run["accuracy"] - other["accuracy"] for run, other in zip(own, plain, strict=True)]
    quantities = {name: band([run[name] for run in own]) for name in own[0]}
    return {"where": where, "strength": strength, **quantities, "accuracy_minus_none": band(more)}


if __name__ == "__main__":
    main()
