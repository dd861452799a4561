"""Entries that are no more than close: their numbers found anew, and what keeps them from being exact."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

from betavq import beta_from_eta
from hardtosoft.atlas import ATLAS, Coordinates, points
from hardtosoft.atlas.misfits import GELU_SCALE, STRETCH, around


def fit(make: Callable[[float], Coordinates], reference: Tensor, bounds: tuple[float, float]) -> tuple[float, float]:
    """The number that makes the largest error smallest, and that error."""
    x = points(make(1.0).inputs)
    found = minimize_scalar(
        lambda number: (make(number)(x) - reference).abs().max().item(),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(found.x), float(found.fun)


def test_every_misfit_says_why_and_no_other_entry_does() -> None:
    assert [entry.name for entry in ATLAS.inexact] == ["GELU, tanh form", "SELU, as a maximum alone", "L2-pooling"]
    assert all(entry.misfit == "" for entry in ATLAS.exact)


def test_gelu_in_its_tanh_form() -> None:
    entry = ATLAS["GELU, tanh form"]
    reference = F.gelu(points(1), approximate="tanh")
    scale, error = fit(
        lambda s: dataclasses.replace(entry.coordinates, beta=beta_from_eta(1 / s)), reference, (0.9, 1.1)
    )
    assert pytest.approx(scale, abs=1e-7) == GELU_SCALE
    assert entry.error == pytest.approx(error, rel=1e-5)
    assert entry.error == pytest.approx(4.2615e-4, rel=1e-4)
    assert entry.error < (ATLAS["GELU"](points(1)) - reference).abs().max().item()
    # Another selection would not do better.
    for selection in ("shannon", "quadratic", "exponential", "lomax"):
        _, other = fit(
            lambda s, selection=selection: dataclasses.replace(
                entry.coordinates, selection=selection, beta=beta_from_eta(1 / s)
            ),
            reference,
            (0.1, 10.0),
        )
        assert other > 10 * entry.error


def convex_below(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The largest convex function that is nowhere above the points: their lower hull."""
    hull: list[tuple[float, float]] = []
    for point in zip(x.tolist(), y.tolist(), strict=True):
        while len(hull) > 1:
            (ax, ay), (bx, by) = hull[-2:]
            if (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax) > 0:
                break
            hull.pop()
        hull.append(point)
    corners = np.array(hull)
    return np.interp(x, corners[:, 0], corners[:, 1])


def test_selu_as_a_maximum_is_as_close_as_any_convex_function() -> None:
    """A convex function within e of f is within it of f's lower hull too: e is at least half the largest gap."""
    u = points(1)
    y = F.selu(u).numpy()
    bound = (y - convex_below(u.numpy(), y)).max() / 2
    assert bound == pytest.approx(0.0818638, rel=1e-5)
    assert ATLAS["SELU, as a maximum alone"].error == pytest.approx(bound, rel=1e-6)


def test_a_length_by_sixteen_pieces() -> None:
    entry = ATLAS["L2-pooling"]

    length = points(2).norm(dim=-1)
    stretch, error = fit(lambda s: Coordinates(around(16, s)), length, (0.9, 1.1))
    assert pytest.approx(stretch, abs=1e-6) == STRETCH
    assert entry.error == pytest.approx(error, rel=1e-5)
    assert entry.error == pytest.approx(0.36551, rel=1e-4)
    _, of_twice_as_many = fit(lambda s: Coordinates(around(32, s)), length, (0.9, 1.1))
    assert error / of_twice_as_many == pytest.approx(4, rel=0.1)
