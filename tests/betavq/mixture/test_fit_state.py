"""A fit that is interrupted, fails or is misused leaves the mixture alone; what it reports on the way."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

from betavq.mixture import GaussianMixture

methods = pytest.mark.parametrize("method", ["em", "kmeans"])


def points(n: int = 60, d: int = 2) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def start(shared: bool = True, units: int = 1) -> GaussianMixture:
    means = points()[:4].repeat(units, 1, 1)
    variance = 1.0 if shared else torch.ones(4, dtype=torch.float64)
    return GaussianMixture(means, torch.full((units, 4), 0.25, dtype=torch.float64), variance)


def assert_unchanged(mixture: GaussianMixture, before: GaussianMixture) -> None:
    for (name, now), (_, then) in zip(mixture.named_buffers(), before.named_buffers(), strict=True):
        assert torch.equal(now, then), name


@methods
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_an_interrupted_fit_changes_nothing(method: str, error: type[BaseException], at: int) -> None:
    def interrupt(iteration: int, objective: float) -> None:  # noqa: ARG001
        if iteration == at:
            raise error

    mixture = start()
    before, buffers = copy.deepcopy(mixture), dict(mixture.named_buffers())
    with pytest.raises(error):
        mixture.fit(points(), method=method, tolerance=0, progress=interrupt)
    assert_unchanged(mixture, before)
    assert all(buffer is buffers[name] for name, buffer in mixture.named_buffers())


@methods
def test_progress_gets_the_objective_of_every_iteration(method: str) -> None:
    seen: list[tuple[int, float]] = []
    result = start().fit(points(), method=method, progress=lambda *report: seen.append(report))
    assert [iteration for iteration, _ in seen] == list(range(result.iterations + 1))
    assert [objective for _, objective in seen] == result.objective.tolist()


@methods
def test_stopping_early_is_reported_without_a_warning(method: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stopped = start().fit(points(), method=method, max_iterations=2, tolerance=0)
    assert (stopped.converged, stopped.iterations, len(stopped.objective)) == (False, 2, 3)
    assert start().fit(points(), method=method, tolerance=1e3).converged


@methods
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shapes_and_dtypes_stay(method: str, dtype: torch.dtype, shared: bool) -> None:
    """And what is no part of the distribution: the log-normaliser."""
    mixture = start(shared).to(dtype)
    mixture.log_normalizer.fill_(3.0)
    shapes = {name: (buffer.shape, buffer.dtype) for name, buffer in mixture.named_buffers()}
    x = points().to(dtype).requires_grad_()
    mixture.fit(x, method=method)
    assert {name: (buffer.shape, buffer.dtype) for name, buffer in mixture.named_buffers()} == shapes
    assert mixture.log_normalizer.item() == 3
    assert not any(buffer.requires_grad for buffer in mixture.buffers())
    assert mixture.weights.sum().item() == pytest.approx(1, abs=1e-6)
    GaussianMixture(mixture.means, mixture.weights, mixture.variance)  # its own checks
    fresh = start(shared).to(dtype)
    fresh.load_state_dict(mixture.state_dict())
    assert_unchanged(fresh, mixture)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": points(3)}, ValueError, "x must have at least as many points as components, 4, got 3"),
        ({"x": points(60, 3)}, ValueError, r"x must be of shape \(N, D\) with D = 2, got \(60, 3\)"),
        ({"x": points()[None]}, ValueError, r"x must be of shape \(N, D\) with D = 2, got \(1, 60, 2\)"),
        ({"x": points().float()}, TypeError, "x must have the dtype of the means, torch.float64, got torch.float32"),
        ({"x": {1, 2}}, TypeError, "x must be a tensor, got set"),
        ({"x": points().to("meta")}, ValueError, "x must be on the device of the means, cpu, got meta"),
        ({"x": points().index_fill(0, torch.tensor(7), math.nan)}, ValueError, "x must be finite, got nan"),
        ({"x": points().index_fill(0, torch.tensor(7), -math.inf)}, ValueError, "x must be finite, got -inf"),
        ({"x": 1e160 * points()}, ValueError, "x must have squares whose sum fits into float64"),
        ({"method": "gibbs"}, ValueError, "method must be 'em' or 'kmeans', got 'gibbs'"),
        ({"beta": 0}, ValueError, r"beta must be in \(0, 1\], got 0"),
        ({"beta": 1.5}, ValueError, r"beta must be in \(0, 1\], got 1.5"),
        ({"beta": math.nan}, ValueError, r"beta must be in \(0, 1\], got nan"),
        ({"beta": "soft"}, TypeError, "beta must be a number, got 'soft'"),
        ({"beta": torch.tensor(0.5)}, TypeError, r"beta must be a number, got tensor\(0.5"),
        ({"beta": 1.0, "method": "kmeans"}, ValueError, "beta must be left at 0.5 with method='kmeans'"),
        ({"max_iterations": 0}, ValueError, "max_iterations must be at least 1, got 0"),
        ({"max_iterations": 1.5}, TypeError, "max_iterations must be an integer, got 1.5"),
        ({"tolerance": -1e-3}, ValueError, "tolerance must be non-negative and finite, got -0.001"),
        ({"tolerance": math.inf}, ValueError, "tolerance must be non-negative and finite, got inf"),
        ({"reg_covar": -1}, ValueError, "reg_covar must be non-negative and finite, got -1"),
        ({"reg_covar": math.nan}, ValueError, "reg_covar must be non-negative and finite, got nan"),
        ({"progress": 5}, TypeError, "progress must be True, False, None or callable, got 5"),
    ],
)
def test_errors_name_the_argument(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    mixture = start()
    before = copy.deepcopy(mixture)
    with pytest.raises(error, match=message):
        mixture.fit(**({"x": points()} | arguments))
    assert_unchanged(mixture, before)


def test_layers_of_several_units_are_refused() -> None:
    mixture = start(units=2)
    with pytest.raises(ValueError, match="fit needs a mixture of one unit, K = 1, got num_units = 2"):
        mixture.fit(points())


@pytest.mark.parametrize("arguments", [{}, {"beta": 1.0}, {"method": "kmeans"}])
@pytest.mark.parametrize("shared", [True, False])
def test_a_variance_of_zero_is_refused(arguments: dict[str, Any], shared: bool) -> None:
    """All points of a component in one place: the likelihood has no bound. A positive reg_covar gives it one."""
    heaps = 10 * torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64)
    x = heaps.repeat(9, 1)
    variance = 1.0 if shared else torch.ones(4, dtype=torch.float64)
    mixture = GaussianMixture(heaps[None] + 0.1, torch.full((1, 4), 0.25, dtype=torch.float64), variance)
    before = copy.deepcopy(mixture)
    with pytest.raises(ValueError, match="reg_covar must be larger for these data, got 0: the points of"):
        mixture.fit(x, reg_covar=0, tolerance=0, **arguments)
    assert_unchanged(mixture, before)
    mixture.fit(x, reg_covar=1e-3, **arguments)
    torch.testing.assert_close(mixture.means[0], heaps)
    torch.testing.assert_close(mixture.variance, torch.full_like(mixture.variance, 1e-3))


def test_a_variance_that_float32_cannot_hold_is_refused() -> None:
    x = 1e-30 * points().float()
    mixture = GaussianMixture(x[None, :2], torch.tensor([[0.5, 0.5]]), 1e-30)
    with pytest.raises(ValueError, match=r"reg_covar must make the variance positive, .* in torch.float32, got"):
        mixture.fit(x, method="kmeans", reg_covar=0)
    mixture.fit(x, method="kmeans")
    assert mixture.variance.item() == pytest.approx(1e-6)


def test_a_likelihood_beyond_float64_is_refused() -> None:
    mixture = GaussianMixture(points()[None, :2], torch.full((1, 2), 0.5, dtype=torch.float64), 1e-310)
    before = copy.deepcopy(mixture)
    with pytest.raises(ValueError, match="x must have a log-likelihood that fits into float64"):
        mixture.fit(points())
    assert_unchanged(mixture, before)
