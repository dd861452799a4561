"""The small convolutional network of the book, and training it in a way that may be stopped at any moment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.shared.images import DataSet, Images
from experiments.shared.kept import keep, kept
from experiments.shared.training import keep_below_one, parameter_groups

EVALUATION_BATCH = 500
CONVOLUTIONS = ("first", "second", "third")
Penalty = Callable[[nn.Module], Tensor]
Note = Callable[[nn.Module], Any]


@dataclass(frozen=True)
class Recipe:
    """How every network is trained: SGD, its rate falling from that of the run to 0 along a half cosine.

    Attributes:
        filters: of the three convolutions.
        most_images: to learn from; None for all that there are.
        weight_decay: L2 penalty on all parameters but a learned β.
    """

    filters: tuple[int, int, int] = (32, 64, 128)
    epochs: int = 10
    batch: int = 128
    most_images: int | None = None
    momentum: float = 0.9
    weight_decay: float = 5e-4


def network(data: DataSet, filters: tuple[int, int, int], activation: Callable[[], nn.Module]) -> nn.Sequential:
    """Filters of 5×5, 3×3 and 3×3, each with batch normalisation and an activation; pooling of 2×2 between them.

    The mean over all places and an affine output follow. The convolutions are called first, second and third.
    """
    network = nn.Sequential()
    channels = data.train.pixels.shape[3]
    for name, count, size in zip(CONVOLUTIONS, filters, (5, 3, 3), strict=True):
        network.add_module(name, nn.Conv2d(channels, count, size, padding=size // 2, bias=False))
        network.add_module(f"{name}_norm", nn.BatchNorm2d(count))
        network.add_module(f"{name}_activation", activation())
        if name != CONVOLUTIONS[-1]:
            network.add_module(f"{name}_pool", nn.MaxPool2d(2))
        channels = count
    network.add_module("mean", nn.AdaptiveAvgPool2d(1))
    network.add_module("flat", nn.Flatten())
    network.add_module("output", nn.Linear(channels, data.num_classes))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


@dataclass(frozen=True)
class Standard:
    """Makes of bytes numbers with mean 0 and variance 1 in each channel, over the images learned from."""

    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, images: Images) -> Standard:
        """That of some images."""
        flat = images.pixels.flatten(0, 2).double()
        scale = flat.std(0).clamp_min(1)  # a level of grey: also where all are equal
        return cls(flat.mean(0).float().view(1, -1, 1, 1), scale.float().view(1, -1, 1, 1))

    def __call__(self, pixels: Tensor) -> Tensor:
        """From ``(N, H, W, C)`` of bytes to ``(N, C, H, W)`` in the memory format channels_last."""
        return pixels.permute(0, 3, 1, 2).float().sub_(self.mean).div_(self.scale)


@torch.no_grad()
def accuracy(trained: nn.Module, standard: Standard, images: Images) -> float:
    """Share of images, in [0, 1], that are classified rightly."""
    trained.eval()
    right = 0
    for start in range(0, len(images), EVALUATION_BATCH):
        part = slice(start, start + EVALUATION_BATCH)
        right += int((trained(standard(images.pixels[part])).argmax(1) == images.labels[part]).sum())
    return right / len(images)


@dataclass(frozen=True)
class History:
    """What happened while a network was trained.

    Attributes:
        losses: mean cross-entropy of each epoch, without the penalty; None where it is not finite.
        notes: what was noted before the first epoch and after each; empty where nothing was to be noted.
    """

    losses: list[float | None]
    notes: list[Any]


def train(
    trained: nn.Module,
    images: Images,
    recipe: Recipe,
    *,
    rate: float,
    seed: int,
    checkpoint: Path,
    identity: str,
    penalty: Penalty | None = None,
    note: Note | None = None,
    label: str = "",
) -> History:
    """Train in place, keeping a checkpoint after each epoch; go on from the one that is there.

    A run that was stopped, by whatever means, loses the epoch it was in at most, and ends with the same weights to the
    last bit.

    Args:
        trained: as it was made from the seed.
        images: to learn from.
        recipe: what all runs share.
        rate: of learning, at the first step.
        seed: of the order in which the images come.
        checkpoint: where to keep the state; the file is left there at the end.
        identity: of the run; a checkpoint of another one is not used.
        penalty: what is added to the loss, made of the network.
        note: what to note before the first epoch and after each, made of the network: numbers in lists.
        label: what lines of progress start with.

    A learned β is kept in [0, 0.99].
    """
    standard = Standard.of(images)
    optimiser = torch.optim.SGD(
        parameter_groups(trained, recipe.weight_decay), lr=rate, momentum=recipe.momentum, nesterov=True
    )
    order = torch.Generator().manual_seed(seed)
    losses: list[float | None] = []
    notes = [] if note is None else [note(trained)]
    found = kept(checkpoint, identity)
    if found is not None:
        trained.load_state_dict(found["network"])
        optimiser.load_state_dict(found["optimiser"])
        order.set_state(found["order"])
        torch.set_rng_state(found["random"])
        losses, notes = found["losses"], found["notes"]
    steps = math.ceil(len(images) / recipe.batch)
    for epoch in range(len(losses), recipe.epochs):
        start, total = time.monotonic(), torch.zeros(())
        trained.train()
        shuffled = torch.randperm(len(images), generator=order)
        for step in range(steps):
            rows = shuffled[step * recipe.batch : (step + 1) * recipe.batch]
            progress = (epoch * steps + step) / (recipe.epochs * steps)
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 + math.cos(math.pi * progress)) / 2
            optimiser.zero_grad()
            loss = F.cross_entropy(trained(standard(images.pixels[rows])), images.labels[rows])
            (loss if penalty is None else loss + penalty(trained)).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            keep_below_one(trained)
            total += loss.detach() * len(rows)
        losses.append(finite(total.item() / len(images)))
        if note is not None:
            notes.append(note(trained))
        keep(
            checkpoint,
            identity,
            network=trained.state_dict(),
            optimiser=optimiser.state_dict(),
            order=order.get_state(),
            random=torch.get_rng_state(),
            losses=losses,
            notes=notes,
        )
        seconds = time.monotonic() - start
        if seconds > 1:
            print(f"{label}: epoch {epoch + 1} of {recipe.epochs}, loss {losses[-1]} ({seconds:.0f} s)", flush=True)
    return History(losses, notes)


def finite(number: float) -> float | None:
    """The number to six decimals, as a result file may hold it; None for NaN and infinities."""
    return round(number, 6) if math.isfinite(number) else None
