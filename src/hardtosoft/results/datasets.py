"""The two small data sets of the book, the same wherever they are needed.

Both are scikit-learn's, made without importing it: the import alone takes 85 MB and a second, which a reader's
kernel has better uses for.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def train_draw(seed: int) -> int:
    """Number of the random draw that a network of this seed is trained on."""
    return 2 * seed


def test_draw(seed: int) -> int:
    """Number of the random draw that a network of this seed is tested on; never one trained on."""
    return 2 * seed + 1


def draw_moons(size: int, noise: float, draw: int) -> tuple[Tensor, Tensor]:
    """Two moons of ``size`` points ``(size, 2)`` and their classes, 0 the upper moon, 1 the lower.

    To the last bit what scikit-learn's ``make_moons`` gives, for it is the same recipe: half circles, shuffled
    and moved by noise with numbers of the same generator in the same order.

    Args:
        size: number of points, half of them in each moon.
        noise: standard deviation of the Gaussian noise; a moon has radius 1.
        draw: seed of the generator; scikit-learn's ``random_state``.
    """
    generator = np.random.RandomState(draw)
    upper, lower = (np.linspace(0, np.pi, count) for count in (size // 2, size - size // 2))
    x = np.concatenate((np.cos(upper), 1 - np.cos(lower)))
    y = np.concatenate((np.sin(upper), 1 - np.sin(lower) - 0.5))
    order = np.arange(size)
    generator.shuffle(order)
    points = np.stack((x, y), axis=1)[order] + generator.normal(scale=noise, size=(size, 2))
    return torch.from_numpy(points), torch.from_numpy((order >= len(upper)).astype(np.int64))


def load_digits() -> tuple[Tensor, Tensor]:
    """The 1797 handwritten digits that come with scikit-learn, in its order: images and labels.

    Returns:
        Grey levels in [0, 1], ``(1797, 64)`` for 8×8 pixels row by row, and the digits ``(1797,)``.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the digits come with scikit-learn: pip install scikit-learn")
    table = np.loadtxt(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    return torch.from_numpy(table[:, :-1] / 16), torch.from_numpy(table[:, -1].astype(np.int64))
