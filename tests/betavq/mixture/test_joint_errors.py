"""What joint inference refuses, and that the error names it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mixture_examples import random, random_maso, random_mixture

from betavq import mixture

MODEL = random_mixture(3, 4, 2)
X = random(5, 2)
CODE = torch.zeros(5, 3, dtype=torch.int64)


@pytest.mark.parametrize(
    ("model", "x", "code", "error", "message"),
    [
        (random_maso(3, 4, 2), X, CODE, TypeError, "mixture must be a GaussianMixture, got MASO"),
        (random_mixture(3, 4, 2, shared=False), X, CODE, ValueError, "mixture must have one variance .* 4 components"),
        (MODEL, X[:, :1], CODE, ValueError, r"x must be of shape \(..., D\) with D = 2, got \(5, 1\)"),
        (MODEL, X.float(), CODE, TypeError, "x must have the dtype of the means"),
        (MODEL, X, [0, 0, 0], TypeError, "code must be a tensor, got list"),
        (MODEL, X, CODE.int(), TypeError, "code must be int64, got torch.int32"),
        (MODEL, X, CODE.double(), TypeError, "code must be int64, got torch.float64"),
        (MODEL, X, CODE[:, :2], ValueError, r"code must be of shape \(..., K\) with K = 3, got \(5, 2\)"),
        (MODEL, X, CODE[0, 0], ValueError, r"K = 3, got \(\)"),
        (MODEL, X, CODE[:4], ValueError, r"code and x must have batches that broadcast, got \(4, 3\) and \(5, 2\)"),
        (MODEL, X, CODE + 4, ValueError, "code must be of components from 0 to 3, got 4"),
        (MODEL, X, CODE - 1, ValueError, "code must be of components from 0 to 3, got -1"),
    ],
)  # fmt: skip
def test_bad_codes_are_named(model: Any, x: Any, code: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mixture.joint_log_prob(model, x, code)


@pytest.mark.parametrize(
    ("model", "x", "options", "error", "message"),
    [
        (random_maso(3, 4, 2), X, {}, TypeError, "mixture must be a GaussianMixture, got MASO"),
        (random_mixture(3, 4, 2, shared=False), X, {}, ValueError, "mixture must have one variance"),
        (MODEL, X.tolist(), {}, TypeError, "x must be a tensor, got list"),
        (MODEL, X[:, :1], {}, ValueError, r"x must be of shape \(..., D\) with D = 2, got \(5, 1\)"),
        (MODEL, X, {"method": "greedy"}, ValueError, "method must be \"exact\" or \"icm\", got 'greedy'"),
        (MODEL, X, {"max_codes": 63}, ValueError, r"max_codes must be at least .*, 4\^3 = 64, got 63; method=\"icm\""),
        (MODEL, X, {"max_codes": 64.0}, TypeError, "max_codes must be an integer, got 64.0"),
        (MODEL, X, {"max_codes": 0}, ValueError, "max_codes must be at least 1, got 0"),
        (MODEL, X, {"max_sweeps": 0}, ValueError, "max_sweeps must be at least 1, got 0"),
        (random_mixture(40, 3, 2), X, {}, ValueError, r"max_codes .*, 3\^40, got 1048576"),
        (random_mixture(1100, 2, 2), X, {}, ValueError, r"max_codes .*, 2\^1100, got 1048576"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", [mixture.joint_map, mixture.disagreement])
def test_bad_searches_are_named(
    call: Any, model: Any, x: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(model, x, **options)


def test_the_limit_itself_is_allowed() -> None:
    assert mixture.joint_map(MODEL, X, max_codes=64).shape == (5, 3)


def test_no_inputs_disagree() -> None:
    with pytest.raises(ValueError, match=r"x must hold at least one input, got \(0, 2\)"):
        mixture.disagreement(MODEL, X[:0])


def test_a_maso_is_no_mixture() -> None:
    with pytest.raises(TypeError, match="mixture must be a GaussianMixture, got MASO"):
        mixture.unitwise_map(random_maso(3, 4, 2), X)  # type: ignore[arg-type]
