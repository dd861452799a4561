"""What GaussianMixture and MASO.to_mixture refuse, and that the error names it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from mixture_examples import random, random_maso, random_mixture

from betavq import MASO
from betavq.mixture import GaussianMixture

M, W = torch.zeros(2, 4, 3), torch.full((2, 4), 0.25)
V = torch.ones(4)


@pytest.mark.parametrize(
    ("means", "weights", "options", "error", "message"),
    [
        ([1.0], W, {}, TypeError, "means must be a tensor, got list"),
        (M.int(), W, {}, TypeError, "means must be float16, bfloat16, float32 or float64, got torch.int32"),
        (M.half(), W.half(), {}, TypeError, "means must be float32 or float64, got torch.float16"),
        (W, W, {}, ValueError, r"means must be of shape \(K, R, D\) with K, R, D at least 1, got \(2, 4\)"),
        (M[:0], W[:0], {}, ValueError, r"at least 1, got \(0, 4, 3\)"),
        (M[:, :0], W[:, :0], {}, ValueError, r"at least 1, got \(2, 0, 3\)"),
        (M + math.nan, W, {}, ValueError, "means must be finite, got nan"),
        (M, W.t(), {}, ValueError, r"weights must be of shape \(K, R\) = \(2, 4\), that of means .* got \(4, 2\)"),
        (M, W.double(), {}, TypeError, "weights must have the dtype of means, torch.float32, got torch.float64"),
        (M, W.to("meta"), {}, ValueError, "weights must be on the device of means, cpu, got meta"),
        (M, W.long(), {}, TypeError, "weights must be float16"),
        (M, W - 0.5, {}, ValueError, "weights must be non-negative, got -0.25"),
        (M, W * math.nan, {}, ValueError, "weights must be non-negative, got nan"),
        (M, W * 1.01, {}, ValueError, "weights must sum to 1 in every unit, got 1.0.* for unit 0"),
        (M, W * math.inf, {}, ValueError, "weights must sum to 1 in every unit, got inf for unit 0"),
        (M, W, {"variance": 0}, ValueError, "variance must be positive and finite in torch.float32, got 0"),
        (M, W, {"variance": -1.0}, ValueError, "variance must be positive .*, got -1"),
        (M, W, {"variance": math.inf}, ValueError, "variance must be positive .*, got inf"),
        (M, W, {"variance": 1e-60}, ValueError, "variance must be positive .*, got 1e-60"),
        (M, W, {"variance": "1"}, TypeError, "variance must be a number or a floating tensor, got '1'"),
        (M, W, {"variance": V[:3]}, ValueError, r"variance must be of shape \(\) .* or \(R,\) = \(4,\) .* got \(3,\)"),
        (M, W, {"variance": V - V}, ValueError, "variance must be positive .*, got 0"),
        (M, W, {"variance": V * math.nan}, ValueError, "variance must be positive .*, got nan"),
        (M, W, {"variance": V.double()}, TypeError, "variance must have the dtype of means, torch.float32, got"),
        (M, W, {"variance": V.int()}, TypeError, "variance must be float16"),
        (M, W, {"log_normalizer": V}, ValueError, r"log_normalizer must be of shape \(K,\) = \(2,\), got \(4,\)"),
        (M, W, {"log_normalizer": V[:2] / 0}, ValueError, "log_normalizer must be finite, got inf"),
        (M, W, {"log_normalizer": V[:2].double()}, TypeError, "log_normalizer must have the dtype of means"),
        (M, W, {"log_normalizer": 0.0}, TypeError, "log_normalizer must be a tensor, got float"),
    ],
)
def test_bad_parameters_are_named(
    means: Any, weights: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        GaussianMixture(means, weights, **options)


@pytest.mark.parametrize(
    ("log_weights", "error", "message"),
    [
        (W[:1], ValueError, r"log_weights must be of shape \(K, R\) = \(2, 4\), .*, got \(1, 4\)"),
        (W.double(), TypeError, "log_weights must have the dtype of means"),
        (W / 0, ValueError, "log_weights must be finite or -inf, got inf"),
        (-W / 0, ValueError, "log_weights must leave a piece to every unit, got only -inf for unit 0"),
    ],
)
def test_bad_log_weights_are_named(log_weights: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        GaussianMixture.from_log_weights(M, log_weights)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (3.0, TypeError, "x must be a tensor, got float"),
        (torch.zeros(2, 4, dtype=torch.long), TypeError, "x must be float16"),
        (torch.zeros(5, 3), ValueError, r"x must be of shape \(..., D\) with D = 4, got \(5, 3\)"),
        (torch.tensor(1.0), ValueError, r"with D = 4, got \(\)"),
        (torch.zeros(4), TypeError, "x must have the dtype of the means, torch.float64, got torch.float32"),
    ],
)
@pytest.mark.parametrize("method", ["log_joint", "responsibilities", "map_code", "log_prob"])
def test_bad_inputs_are_named(method: str, x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        getattr(random_mixture(), method)(x)


@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        (0, ValueError, "n must be at least 1, got 0"),
        (2.0, TypeError, "n must be an integer, got 2.0"),
        (True, TypeError, "n must be an integer, got True"),
    ],
)
def test_bad_sample_sizes_are_named(n: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        random_mixture().sample(n)


def test_a_variance_per_component_has_no_maso() -> None:
    with pytest.raises(ValueError, match=r"to_maso needs one variance .* quadratic .* one for each of 5 components"):
        random_mixture(shared=False).to_maso()


@pytest.mark.parametrize(
    ("variance", "error", "message"),
    [
        (0.0, ValueError, "variance must be positive and finite in torch.float64, got 0.0"),
        (math.nan, ValueError, "variance must be positive .*, got nan"),
        (torch.ones(5, dtype=torch.float64), ValueError, r"variance must be one number, .*, got \(5,\)"),
        (torch.ones(()), TypeError, "variance must have the dtype of slopes, torch.float64, got torch.float32"),
        (None, TypeError, "variance must be a number or a floating tensor, got None"),
        (1e-308, ValueError, r"variance must be large enough that \(B \+ ‖A‖²/2\) / variance is finite"),
    ],
)
def test_bad_variances_of_a_maso_are_named(variance: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        random_maso().to_mixture(variance)


def test_a_maso_of_16_bits_has_no_mixture() -> None:
    maso = MASO(random(1, 2, 3).half(), random(1, 2).half())
    with pytest.raises(TypeError, match=r"slopes must be float32 or float64, got torch\.float16"):
        maso.to_mixture()
