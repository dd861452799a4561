"""k-means++: reproducible, from the data, with the probabilities it claims; what a start is; errors."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from betavq.mixture import GaussianMixture


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=seeded(seed), dtype=torch.float64)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_a_start_is(dtype: torch.dtype, shared: bool) -> None:
    """Means distinct points; equal weights; the mean squared distance to the nearest mean, by dimension."""
    x = points(200, 3).to(dtype)
    mixture = GaussianMixture.from_data(x, 5, shared_variance=shared, reg_covar=0.1, generator=seeded(1))
    assert mixture.means.shape == (1, 5, 3)
    assert mixture.means.dtype == dtype
    distances = torch.cdist(x, mixture.means[0], compute_mode="donot_use_mm_for_euclid_dist")
    assert len({int(n) for n in distances.argmin(0)}) == 5
    assert distances.amin(0).max() < 1e-6
    torch.testing.assert_close(mixture.weights, torch.full((1, 5), 0.2, dtype=dtype))
    variance = distances.amin(1).square().mean() / 3 + 0.1
    torch.testing.assert_close(mixture.variance, variance if shared else variance.expand(5))
    assert mixture.log_normalizer.item() == 0


def test_the_generator_makes_it_reproducible() -> None:
    x = points(100, 2)
    first, again, other = (GaussianMixture.from_data(x, 4, generator=seeded(seed)).means for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    torch.manual_seed(3)
    unseeded = GaussianMixture.from_data(x, 4).means
    torch.manual_seed(3)
    assert torch.equal(unseeded, GaussianMixture.from_data(x, 4).means)


def test_draws_are_proportional_to_squared_distances() -> None:
    """On a line of four points: all pairs, each as often as by enumeration of the two greedy draws."""
    x = torch.tensor([[0.0], [1.0], [3.0], [7.0]], dtype=torch.float64)
    expected: dict[tuple[int, int], float] = {}
    for first in range(4):
        distance = (x[:, 0] - x[first, 0]).square()
        left = torch.stack([torch.minimum(distance, (x[:, 0] - x[n, 0]).square()).sum() for n in range(4)])
        for draws in itertools.product(range(4), repeat=2):
            probability = math.prod((distance[n] / distance.sum()).item() for n in draws) / 4
            best = min(draws, key=lambda n: left[n].item())
            expected[first, best] = expected.get((first, best), 0) + probability
    runs, generator = 4000, seeded(0)
    found = dict.fromkeys(expected, 0)
    for _ in range(runs):
        first, second = GaussianMixture.from_data(x, 2, generator=generator).means[0, :, 0]
        found[int((x[:, 0] - first).abs().argmin()), int((x[:, 0] - second).abs().argmin())] += 1
    for pair, probability in expected.items():
        deviation = math.sqrt(max(probability * (1 - probability), 1e-9) / runs)
        assert abs(found[pair] / runs - probability) < 5 * deviation, pair


def test_every_heap_gets_a_mean() -> None:
    heaps = 100 * torch.eye(10, dtype=torch.float64)
    x = heaps.repeat(20, 1) + points(200, 10)
    for seed in range(20):
        means = GaussianMixture.from_data(x, 10, generator=seeded(seed)).means[0]
        assert means.argmax(1).unique().numel() == 10


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_duplicates_are_taken_once(offset: float) -> None:
    """As many components as distinct points: each is a mean, and nothing is left but reg_covar."""
    distinct = points(7, 5) + offset
    x = distinct.repeat(30, 1)
    for seed in range(10):
        mixture = GaussianMixture.from_data(x, 7, reg_covar=0.5, generator=seeded(seed))
        nearest = (distinct[:, None] - mixture.means[0]).square().sum(2).min(1)
        assert nearest.values.max() < 1e-12
        assert nearest.indices.unique().numel() == 7
        assert mixture.variance.item() == pytest.approx(0.5)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_rounding_makes_no_duplicate_distinct(offset: float) -> None:
    for seed in range(10):
        x = (points(7, 50, seed) + offset).repeat(30, 1)
        with pytest.raises(ValueError, match="distinct points as components, 8, got 7 that differ"):
            GaussianMixture.from_data(x, 8, generator=seeded(seed))


def bad(**changes: Any) -> dict[str, Any]:
    return {"x": points(20, 2), "num_components": 3} | changes


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (bad(num_components=0), ValueError, "num_components must be at least 1, got 0"),
        (bad(num_components=2.0), TypeError, "num_components must be an integer, got 2.0"),
        (bad(num_components=21), ValueError, "x must have at least as many points as components, 21, got 20"),
        (bad(x=torch.ones(20, 2)), ValueError, "x must have at least as many distinct points as components, 3, got 1"),
        (bad(x=points(2, 2).repeat(9, 1)), ValueError, "distinct points as components, 3, got 2"),
        (bad(x=points(20, 2)[0]), ValueError, r"x must be of shape \(N, D\) with D at least 1, got \(2,\)"),
        (bad(x=torch.ones(20, 0)), ValueError, r"x must be of shape \(N, D\) with D at least 1, got \(20, 0\)"),
        (bad(x=torch.ones(20, 2, dtype=torch.int64)), TypeError, "x must be float"),
        (bad(x=points(20, 2).half()), TypeError, "x must be float32 or float64, got torch.float16"),
        (bad(x={1.0}), TypeError, "x must be a tensor, got set"),
        (bad(x=points(20, 2) / 0), ValueError, "x must be finite, got"),
        (bad(x=1e200 * points(20, 2)), ValueError, "x must have squares whose sum fits into float64"),
        (bad(reg_covar=-1.0), ValueError, "reg_covar must be non-negative and finite, got -1.0"),
        (bad(generator=0), TypeError, "generator must be a torch.Generator or None, got 0"),
        (bad(x=torch.eye(3), reg_covar=0), ValueError, "reg_covar must make the variance positive"),
    ],
)
def test_errors_name_the_argument(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        GaussianMixture.from_data(**arguments)
