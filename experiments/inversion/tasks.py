"""What is learned from: images of a data set at one or two sizes, two digits alone, and a made-up series."""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor
from torch.nn import functional as F

from experiments.inversion.few_labels import Task
from experiments.shared.images import DataSet

SMALL = 8
TWO = (3, 8)
SERIES, LENGTH, SEED_OF_SERIES = 1200, 64, 0


def tested(count: int) -> int:
    """How many are kept for the test: a quarter, at most 2000."""
    return min(2000, count // 4)


def images(data: DataSet) -> Task:
    """All images of a data set; a split draws its own test from them."""
    pixels = torch.cat((data.train.pixels, data.test.pixels)).permute(0, 3, 1, 2).float() / 255
    labels = torch.cat((data.train.labels, data.test.labels))
    side = pixels.shape[2]
    return Task(f"{data.name}, {side} × {side}", pixels, labels, tested(len(labels)))


def small(task: Task) -> Task:
    """The same images at 8 × 8: a border that rounds their sides up, and the mean of each block."""
    side = task.inputs.shape[2]
    block = ceil(side / SMALL)
    border = SMALL * block - side
    before = border // 2
    padded = F.pad(task.inputs, (before, border - before, before, border - before))
    name = task.name.replace(f"{side} × {side}", f"{SMALL} × {SMALL}")
    return Task(name, F.avg_pool2d(padded, block), task.classes, task.num_test)


def two_digits(task: Task) -> Task:
    """Threes and eights alone."""
    rows = torch.isin(task.classes, torch.tensor(TWO))
    classes = (task.classes[rows] == TWO[1]).long()
    return Task("3 and 8 alone", task.inputs[rows], classes, tested(len(classes)))


def series() -> Task:
    """Saito's cylinder, bell and funnel: noise, and on a stretch of it a plateau, a rise or a fall."""
    generator = torch.Generator().manual_seed(SEED_OF_SERIES)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(SERIES, 1, generator=generator)

    begin, length = uniform(LENGTH / 8, LENGTH / 4), uniform(LENGTH / 4, 3 * LENGTH / 4)
    height = 6 + torch.randn(SERIES, 1, generator=generator)
    noise = torch.randn(SERIES, LENGTH, generator=generator)
    classes = torch.arange(SERIES) % 3
    time = torch.arange(LENGTH)
    done = (time - begin) / length
    inside = ((done >= 0) & (done <= 1)).float()
    shapes = torch.stack((torch.ones_like(done), done, 1 - done))[classes, torch.arange(SERIES)]
    return Task("series", (height * shapes * inside + noise)[:, None], classes, tested(SERIES))
