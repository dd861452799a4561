"""The two small data sets of the book, drawn the same way wherever they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

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

    Args:
        size: number of points, half of them in each moon.
        noise: standard deviation of the Gaussian noise; a moon has radius 1.
        draw: seed of scikit-learn's generator.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    points, labels = _scikit_learn("datasets").make_moons(size, noise=noise, random_state=draw)
    return torch.tensor(points), torch.tensor(labels)


def split_digits(test_points: int, draw: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Scikit-learn's 1797 handwritten digits, 64 grey levels in [0, 1]: (training set, test set).

    Args:
        test_points: size of the test set, in which every digit has its share.
        draw: seed of scikit-learn's generator.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    images, labels = _scikit_learn("datasets").load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = _scikit_learn("model_selection").train_test_split(
        images / 16, labels, test_size=test_points, stratify=labels, random_state=draw
    )
    return (torch.tensor(train_x), torch.tensor(train_y)), (torch.tensor(test_x), torch.tensor(test_y))


def _scikit_learn(module: str) -> Any:
    """A part of scikit-learn, imported only when data are drawn."""
    try:
        return import_module(f"sklearn.{module}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("the data come from scikit-learn: pip install scikit-learn") from error
