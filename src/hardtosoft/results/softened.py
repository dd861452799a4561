"""Networks softened after training: what ``experiments/softening`` measured, and the one it stored."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from .stored import Floats, stored

Which = Literal["digits", "images", "published"]


@dataclass(frozen=True)
class Measure:
    """One measure at every β of a curve: its level, and the ends of its 95 % interval.

    The interval is that of the difference from the hard network, laid around the hard network's level: where it does
    not hold that level, softening has changed the measure.
    """

    beta: Floats
    level: Floats
    low: Floats
    high: Floats

    def at(self, beta: float) -> float:
        """The level at any β, between those measured on a straight line."""
        return float(np.interp(beta, self.beta, self.level))


@dataclass(frozen=True)
class Choice:
    """The β that was best on validation images by one criterion, and what it did on test images.

    Attributes:
        beta: the choice.
        hard: each measure of the hard networks.
        difference, low, high: softened less hard, and the ends of its 95 % interval.
    """

    beta: float
    hard: dict[str, float]
    difference: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]

    def row(self, measure: str, unit: float = 1.0, digits: int = 1) -> str:
        """``hard, difference (low to high)`` of a measure, all times ``unit``."""
        hard, gap, low, high = (unit * part[measure] for part in (self.hard, self.difference, self.low, self.high))
        return f"{hard:.{digits}f} {gap:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


class Softened:
    """What was measured of one kind of network.

    Args:
        contents: of the result file.
    """

    def __init__(self, contents: dict[str, Any]) -> None:
        self.settings: dict[str, Any] = contents["settings"]
        self._results = {(entry["smoothing"], entry["statistics"]): entry for entry in contents["results"]}

    def measure(self, name: str, smoothing: str = "value", statistics: str = "kept") -> Measure:
        """A measure over β.

        Args:
            name: ``accuracy``, ``nll``, ``confidence``, ``ece``, ``adaptive_ece``, or one of :meth:`names`.
            smoothing: ``value``, ``free_energy`` or ``curvature_tuning``.
            statistics: of batch normalisation: ``kept`` or ``renewed``.
        """
        entry = self._entry(smoothing, statistics)
        curves = entry["curves"] if name in entry["curves"] else entry["under_attack"]
        if name not in curves:
            raise ValueError(f"name must be one of {', '.join(self.names(smoothing, statistics))}, got {name!r}")
        parts = (np.array(curves[name][part]) for part in ("level", "low", "high"))
        level, low, high = parts
        hard = level[-1] if statistics == "kept" else self.measure(name).level[-1]
        return Measure(np.array(curves["beta"]), level, hard + low, hard + high)

    def names(self, smoothing: str = "value", statistics: str = "kept") -> list[str]:
        """The measures that were taken."""
        entry = self._entry(smoothing, statistics)
        return [name for part in ("curves", "under_attack") for name in entry[part] if name != "beta"]

    def chosen(self, criterion: str, smoothing: str = "value", statistics: str = "kept") -> Choice:
        """The β chosen on validation images by ``accuracy``, ``nll``, ``ece``, ``noise`` or ``attack``."""
        found = self._entry(smoothing, statistics)["chosen"][criterion]
        soft = found["soft"]
        parts = ({name: soft[name][part] for name in soft} for part in ("difference", "low", "high"))
        return Choice(found["beta"], found["hard"], *parts)

    def judged_by(self, criterion: str) -> str:
        """The measure of a criterion; with the least noise, or whether both attacks in several steps failed."""
        noise = f"noise {self.settings['sigmas'][0]:.3g}"
        return {"noise": noise, "attack": "worst pgd"}.get(criterion, criterion)

    def diagram(self, beta: float) -> tuple[Floats, Floats, Floats]:
        """Share of test images, mean confidence and share right in each bin, at the nearest β measured."""
        entry = self._entry("value", "kept")
        found = entry["diagrams"][int(np.abs(self.measure("accuracy").beta - beta).argmin())]
        share, confidence, right = (np.array(found[part]) for part in ("share", "confidence", "right"))
        return share, confidence, right

    def _entry(self, smoothing: str, statistics: str) -> dict[str, Any]:
        if (smoothing, statistics) not in self._results:
            offered = "; ".join(f"{one}, {other}" for one, other in self._results)
            raise ValueError(f"smoothing and statistics must be one of {offered}, got {smoothing}, {statistics}")
        entry: dict[str, Any] = self._results[smoothing, statistics]
        return entry


@cache
def load_softened(which: Which) -> Softened:
    """What was measured of the networks for ``digits``, for small colour ``images``, or of the ``published`` one."""
    return Softened(stored(f"softening_{which}"))


class Standardise(nn.Module):
    """Pixels in [0, 1] as a trained network wants them: mean 0 and variance 1 over its training images."""

    factor: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("factor", torch.ones(1, 1, 1, 1))
        self.register_buffer("shift", torch.zeros(1, 1, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        """Any shape ``(N, 1, H, W)``."""
        inputs: Tensor = pixels * self.factor - self.shift
        return inputs


def load_digits_cnn() -> nn.Sequential:
    """The stored network for digits, with ReLU and max-pooling: images ``(N, 1, 8, 8)`` in [0, 1] → ten logits.

    Three convolutions, each with batch normalisation and ReLU, and max-pooling after the first two; then the mean over
    all places and an affine layer. It is in eval mode.
    """
    kept = stored("softening_digits")["network"]
    network = nn.Sequential()
    network.add_module("standard", Standardise())
    channels = 1
    for name, count, size in zip(("first", "second", "third"), kept["filters"], (5, 3, 3), strict=True):
        network.add_module(name, nn.Conv2d(channels, count, size, padding=size // 2, bias=False))
        network.add_module(f"{name}_norm", nn.BatchNorm2d(count))
        network.add_module(f"{name}_activation", nn.ReLU())
        if name != "third":
            network.add_module(f"{name}_pool", nn.MaxPool2d(2))
        channels = count
    network.add_module("mean", nn.AdaptiveAvgPool2d(1))
    network.add_module("flat", nn.Flatten())
    network.add_module("output", nn.Linear(channels, 10))
    network.load_state_dict(dict(_tensors(kept["tensors"])), strict=False)
    return network.eval()


def _tensors(kept: dict[str, Any]) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in kept.items():
        numbers = np.frombuffer(base64.b64decode(tensor["float32"]), dtype="<f4").reshape(tensor["shape"])
        own = f"standard.{name}" if name in ("factor", "shift") else name.removeprefix("network.")
        yield own, torch.from_numpy(numbers.copy())
