"""The two small trained networks of the book, evaluated at any β without retraining.

Both were trained with ReLU units (β = 1) by the scripts in ``experiments/``, which also wrote the result
files read here. All that depends on β goes through ``betavq``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from betavq import code
from betavq.functional import beta_relu

from .datasets import draw_moons, load_digits, test_draw
from .stored import Band, Floats, band, stored

Experiment = Literal["two_moons", "digits"]


@dataclass(frozen=True)
class Network:
    r"""A fully connected network whose hidden units are β-ReLUs, one β for all of them.

    .. math:: a_0 = x, \quad u_\ell = W_\ell a_{\ell-1} + b_\ell, \quad
              a_\ell = \sum_r T_r z_r \text{ with scores } z = (0, u_\ell), \quad \text{logits} = u_L

    At β = 1 it is the ReLU network that was trained; at β = 0 every unit is u/2 and it is affine in x.

    Args:
        weights: W of each layer, ``(outputs, inputs)``, the output layer last.
        biases: b of each layer, ``(outputs,)``.

    Raises:
        ValueError: the shapes of weights and biases do not chain.
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        if not self.weights or len(self.weights) != len(self.biases):
            counts = f"{len(self.weights)} and {len(self.biases)}"
            raise ValueError(f"weights and biases must be as many, at least one each, got {counts}")
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if weight.ndim != 2 or bias.shape != weight.shape[:1]:
                shapes = f"{tuple(weight.shape)} and {tuple(bias.shape)}"
                raise ValueError(f"layer {layer} must have shapes (K, D) and (K,), got {shapes}")
        for layer, (below, above) in enumerate(pairwise(self.weights), start=1):
            if above.shape[1] != below.shape[0]:
                raise ValueError(f"layer {layer} must take {below.shape[0]} inputs, got {above.shape[1]}")

    def preactivations(self, x: Tensor, beta: float) -> tuple[Tensor, ...]:
        """Pre-activations u of every hidden layer at ``beta``: ``(N, D)`` → one ``(N, K)`` a layer."""
        return tuple(u for u, _ in self._hidden(x, beta))

    def logits(self, x: Tensor, beta: float) -> Tensor:
        """Outputs at ``beta``: ``(N, D)`` → ``(N, C)``; one column where there are two classes."""
        for _, value in self._hidden(x, beta):
            x = value
        return x @ self.weights[-1].T + self.biases[-1]

    def predict(self, x: Tensor, beta: float) -> Tensor:
        """Class of every point: the largest logit, or the sign of the only one; ``(N, D)`` → ``(N,)``."""
        logits = self.logits(x, beta)
        return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)

    def accuracy(self, x: Tensor, labels: Tensor, beta: float) -> float:
        """Share of points, in [0, 1], whose predicted class is the label."""
        return int((self.predict(x, beta) == labels).sum()) / len(labels)

    def codes(self, x: Tensor, beta: float) -> tuple[Tensor, ...]:
        """How much each hidden unit selects its active piece u over 0, in [0, 1]: one ``(N, K)`` a layer."""
        # The value is t·u: its quotient by u is the code at a tenth of the work, except at u = 0, where pieces tie.
        tied = code(x.new_zeros(2), beta)[1]
        return tuple(torch.where(u == 0, tied, value / u) for u, value in self._hidden(x, beta))

    def normalised_entropy(self, x: Tensor, beta: float) -> tuple[float, ...]:
        """Mean over points and units of H(t)/log 2, one number a hidden layer: 0 decided, 1 undecided."""
        entropies = (torch.special.entr(_relu_code(u, beta)).sum(-1) for u in self.preactivations(x, beta))
        return tuple(float(entropy.mean()) / log(2) for entropy in entropies)

    def _hidden(self, x: Tensor, beta: float) -> Iterator[tuple[Tensor, Tensor]]:
        """Pre-activation u and value of every hidden layer."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            u = x @ weight.T + bias
            x = beta_relu(u, beta=beta)
            yield u, x


def _relu_code(u: Tensor, beta: float) -> Tensor:
    """The β-VQ code of ReLU units, pieces (0, u): ``(..., K)`` → ``(..., K, 2)``."""
    return code(torch.stack((torch.zeros_like(u), u), dim=-1), beta)


def module_of(network: Network) -> nn.Sequential:
    """The network at β = 1 as PyTorch's own layers."""
    layers: list[nn.Module] = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
        layer.load_state_dict({"weight": weight, "bias": bias})
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


@dataclass(frozen=True)
class Results:
    """What an experiment measured on test points, over networks that differ in their seed.

    Attributes:
        beta: the grid of β, ``(51,)`` from 0 to 1.
        accuracy: test accuracy at every β, in [0, 1].
        entropy: normalised code entropy at every β, one band a hidden layer.
        linear: test accuracy of logistic regression, the affine classifier to compare with; 0-dimensional.
        network_accuracy: test accuracy at every β of the one network whose weights are stored.
        network_entropy: its normalised code entropy, ``(layers, 51)``.
        settings: how it was made: seeds, sizes, training, versions.
        controls: the comparisons that test an explanation; bands by control and quantity.
    """

    beta: Floats
    accuracy: Band
    entropy: tuple[Band, ...]
    linear: Band
    network_accuracy: Floats
    network_entropy: Floats
    settings: dict[str, Any]
    controls: dict[str, dict[str, Band]]


def results(experiment: Experiment) -> Results:
    """The curves that ``experiments/<experiment>.py`` measured and stored."""
    found = stored(experiment)
    return Results(
        beta=np.array(found["beta"]),
        accuracy=band(found["accuracy"]),
        entropy=tuple(band(layer) for layer in found["entropy"]),
        linear=band(found["linear"]),
        network_accuracy=np.array(found["network"]["accuracy"]),
        network_entropy=np.array(found["network"]["entropy"]),
        settings=found["settings"],
        controls={
            control: {quantity: band(entry) for quantity, entry in quantities.items()}
            for control, quantities in found["controls"].items()
        },
    )


def load_two_moons() -> Network:
    """The network trained on two moons: 2 inputs, one logit (positive: the lower moon, class 1)."""
    return _network(stored("two_moons")["network"])


def load_digits_network() -> Network:
    """The network trained on 8×8 handwritten digits: 64 inputs in [0, 1], ten logits."""
    return _network(stored("digits")["network"])


def two_moons_training_set() -> tuple[Tensor, Tensor]:
    """Points ``(200, 2)`` that trained the stored network (to 4 decimals) and their classes ``(200,)``."""
    found = stored("two_moons")["training_set"]
    return torch.tensor(found["points"], dtype=torch.float64), torch.tensor(found["labels"])


@cache
def two_moons_test_set() -> tuple[Tensor, Tensor]:
    """Points ``(2000, 2)`` that tested the stored network and their classes ``(2000,)``; as `draw_moons`."""
    found = stored("two_moons")
    settings = found["settings"]
    return draw_moons(settings["test_points"], settings["noise"], test_draw(found["network"]["seed"]))


@cache
def digits_test_set() -> tuple[Tensor, Tensor]:
    """The 500 digits left out of training: images ``(500, 64)`` in [0, 1] and labels ``(500,)``."""
    images, labels = load_digits()
    rows = stored("digits")["test_rows"]
    return images[rows], labels[rows]


@cache
def digits_training_set() -> tuple[Tensor, Tensor]:
    """The other 1297 digits: images ``(1297, 64)`` in [0, 1] and labels ``(1297,)``."""
    images, labels = load_digits()
    kept = torch.ones(len(labels), dtype=torch.bool)
    kept[stored("digits")["test_rows"]] = False
    return images[kept], labels[kept]


@cache
def moons_snapshots() -> dict[int, Network]:
    """Steps of training done, in order, and the two-moons network after each; the last is the trained one."""
    return {found["step"]: _network(found) for found in stored("moons_training")["snapshots"]}


@cache
def digits_model() -> nn.Sequential:
    """The digits network as PyTorch's own layers: 64 inputs in [0, 1], ten logits."""
    return module_of(load_digits_network())


def _network(found: dict[str, Any]) -> Network:
    weights, biases = (
        tuple(torch.tensor(layer, dtype=torch.float64) for layer in found[part]) for part in ("weights", "biases")
    )
    return Network(weights, biases)
