"""What ``experiments/inversion`` measured: learning from few labels, with and without rebuilding the other inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from .networks import digits_test_set, digits_training_set
from .stored import Band, band, stored

FILES = ("digits", "mnist", "cifar")
DIGITS, MNIST = "scikit-learn load_digits, 8 × 8", "mnist.npz, 8 × 8"
TITLES = {"scikit-learn load_digits": "digits", "mnist.npz": "MNIST", "cifar.npz": "CIFAR-10"}
GREY = 255 / 16  # the experiment has the digits' levels, 0 to 16, as bytes
LOSSES = ("labels", "reconstruction", "multiscale", "with entropy")


@dataclass(frozen=True)
class Few:
    """Networks of one setting, one a split.

    Attributes:
        data, unit, loss, labels: the setting; ``labels`` a class has.
        accuracy: shares of test inputs whose class is found.
        error: relative error of rebuilt test inputs, by split.
        cpu_seconds: to train all of them.
    """

    data: str
    unit: str
    loss: str
    labels: int
    accuracy: Band
    error: tuple[float, ...]
    cpu_seconds: float

    @property
    def typical_error(self) -> float:
        """The median over splits."""
        return float(torch.tensor(self.error).quantile(0.5))


def runs(file: str = "digits") -> list[Few]:
    """All settings of a result file."""
    return [
        Few(
            each["data"],
            each["unit"],
            each["loss"],
            each["labels"],
            band(each["interval"]),
            tuple(each["error"]),
            each["cpu_seconds"],
        )
        for each in contents(file)["runs"]
    ]


def gains(file: str = "digits") -> list[tuple[str, str, int, str, Band]]:
    """Data, unit, labels a class, loss, and what it finds more than labels alone in the same splits."""
    keys = ("data", "unit", "labels", "loss")
    return [(*(each[key] for key in keys), band(each["accuracy"])) for each in contents(file)["gains"]]


def title(data: str) -> str:
    """Data as the book calls them, with their size."""
    name, comma, size = data.partition(", ")
    return TITLES.get(name, name) + comma + size


def contents(file: str) -> dict[str, Any]:
    """A result file."""
    return stored(f"few_labels_{file}")


@dataclass(frozen=True)
class Way:
    """A network on digits at some steps of its training, by loss, with the digits that a figure shows.

    Attributes:
        steps: at which it was stored.
        images: of the digits 0 to 9, which it never saw, less the mean and in units of the pixels' deviation,
            ``(10, 1, 8, 8)``.
        mean, size: of all pixels, to see them again.
        accuracies, errors: on test digits, one a step, by loss.
        networks: one a step, by loss.
    """

    steps: tuple[int, ...]
    images: Tensor
    mean: Tensor
    size: float
    accuracies: dict[str, list[float]]
    errors: dict[str, list[float]]
    networks: dict[str, list[nn.Sequential]]


def all_digits() -> tuple[Tensor, Tensor]:
    """Images and labels in the order of the experiment: the book's training set, then its test set."""
    images, labels = zip(digits_training_set(), digits_test_set(), strict=True)
    return torch.cat(images), torch.cat(labels)


@cache
def way() -> Way:
    """The stored network."""
    entry = contents("digits")["way"]
    mean, size = torch.tensor(entry["mean"], dtype=torch.float64).view(1, 8, 8) * GREY, entry["size"] * GREY
    images = all_digits()[0][entry["rows"]].view(-1, 1, 8, 8)
    losses = ("labels", "reconstruction")
    return Way(
        steps=tuple(entry["steps"]),
        images=(images - mean) / size,
        mean=mean,
        size=size,
        accuracies={loss: [each["accuracy"] for each in entry[loss]] for loss in losses},
        errors={loss: [each["error"] for each in entry[loss]] for loss in losses},
        networks={loss: [network(each["weights"]) for each in entry[loss]] for loss in losses},
    )


def network(weights: list[list[int]]) -> nn.Sequential:
    """The network of the experiment with weights in thousandths."""
    shapes = ((8, 1, 5, 5), (16, 8, 3, 3), (10, 64))
    made = nn.Sequential(
        *(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(64, 10)),
    )
    layers = [layer for layer in made if isinstance(layer, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        for layer, (weight, bias), shape in zip(
            layers, zip(weights[::2], weights[1::2], strict=True), shapes, strict=True
        ):
            layer.weight.copy_(torch.tensor(weight).view(shape) / 1000)
            layer.bias.copy_(torch.tensor(bias) / 1000)  # type: ignore[union-attr]
    return made.double().eval()
