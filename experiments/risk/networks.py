"""Networks on digits, trained with one penalty or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from betavq.papers.inversion import flatness, jacobian_penalty
from hardtosoft.results.datasets import load_digits

TRAINED, TESTED = 400, 1000
SIZES = (64, 64, 64, 10)
STEPS, RATE, BATCH = 300, 3e-3, 64
PENALTIES: dict[str, Callable[[nn.Sequential, Tensor, torch.Generator], Tensor]] = {
    "none": lambda _network, x, _generator: x.new_zeros(()),
    "slopes": jacobian_penalty,
    "flatness": lambda network, x, _generator: flatness(network, x),
}
STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)


@dataclass(frozen=True)
class Digits:
    """The digits of a seed, less the mean of those that are trained on.

    Attributes:
        x, y: to train on.
        test_x, test_y: to test on.
        mean: ``(64,)``.
        rows: of the test images, among scikit-learn's.
    """

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor
    mean: Tensor
    rows: Tensor


def digits(seed: int) -> Digits:
    """Shuffled by a seed; the first are trained on, the last tested on."""
    images, labels = load_digits()
    images = images.float()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    some, test = order[:TRAINED], order[-TESTED:]
    mean = images[some].mean(0)
    return Digits(images[some] - mean, labels[some], images[test] - mean, labels[test], mean, test)


def train(data: Digits, penalty: str, strength: float, seed: int) -> nn.Sequential:
    """A ReLU network after some steps of Adam. Weights and batches are those of the seed, whatever the penalty."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [layer for into, out in pairwise(SIZES) for layer in (nn.Linear(into, out), nn.ReLU())]
    network = nn.Sequential(*layers[:-1])
    batches = torch.Generator().manual_seed(seed)
    products = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    for _ in range(STEPS):
        rows = torch.randint(0, TRAINED, (BATCH,), generator=batches)
        x, y = data.x[rows], data.y[rows]
        loss = F.cross_entropy(network(x), y)
        if strength:
            loss = loss + strength * PENALTIES[penalty](network, x, products)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return network.eval()
