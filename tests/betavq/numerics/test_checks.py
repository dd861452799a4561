"""Bad arguments: a ValueError or TypeError that names the argument, what it got and what it needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import betavq
from betavq.functional import beta_abs, beta_leaky_relu, beta_relu

INFERENCE = (betavq.code, betavq.value, betavq.free_energy)


def softened(function: Any, x: torch.Tensor, beta: Any) -> Any:
    return function(x, beta) if function in INFERENCE else function(x, beta=beta)


all_functions = pytest.mark.parametrize("function", [*INFERENCE, beta_relu, beta_leaky_relu, beta_abs])


@all_functions
def test_beta_outside_the_unit_interval(function: Any) -> None:
    x = torch.zeros(2, 3)
    for beta, shown in ((1.2, "1.2"), (-1e-9, "-1e-09"), (math.nan, "nan"), (math.inf, "inf"), (2, "2")):
        with pytest.raises(ValueError, match=rf"^beta must be in \[0, 1\], got {shown}$"):
            softened(function, x, beta)
    for beta, shown in (
        (torch.tensor([0.5, 1.25, 3.0]), "1.25"),
        (torch.tensor(math.nan, dtype=torch.float64), "nan"),
    ):
        with pytest.raises(ValueError, match=rf"^beta must be in \[0, 1\], got {shown}$"):
            softened(function, torch.zeros(3, 3), beta)


@all_functions
def test_beta_of_another_kind(function: Any) -> None:
    for beta in ("0.5", None, True, 0.5j, [0.5]):
        with pytest.raises(TypeError, match=r"^beta must be a number or a floating tensor, got "):
            softened(function, torch.zeros(2), beta)
    with pytest.raises(TypeError, match=r"^beta must be float16, bfloat16, float32 or float64, got torch\.int64$"):
        softened(function, torch.zeros(2), torch.tensor(1))


@all_functions
def test_numbers_of_every_real_type_are_taken(function: Any) -> None:
    x = torch.tensor([[0.0, 1.0]])
    for one in (1, np.float32(1), np.float64(1), np.int64(1)):
        assert torch.equal(softened(function, x, one), softened(function, x, 1.0))


@all_functions
def test_input_of_another_kind(function: Any) -> None:
    name = "scores" if function in INFERENCE else "input"
    for dtype in (torch.int64, torch.bool, torch.complex64):
        with pytest.raises(TypeError, match=rf"^{name} must be float16, bfloat16, float32 or float64, got {dtype}$"):
            softened(function, torch.zeros(2, dtype=dtype), 0.5)
    with pytest.raises(TypeError, match=rf"^{name} must be a tensor, got list$"):
        softened(function, [0.0, 1.0], 0.5)  # type: ignore[arg-type]


def test_shapes_that_do_not_broadcast() -> None:
    for function in (beta_relu, beta_leaky_relu, beta_abs):
        with pytest.raises(ValueError, match=r"^beta of shape \(2,\) must broadcast against input, got \(4, 3\)$"):
            function(torch.zeros(4, 3), beta=torch.full((2,), 0.5))
    with pytest.raises(
        ValueError, match=r"^negative_slope of shape \(2,\) must broadcast against input, got \(4, 3\)$"
    ):
        beta_leaky_relu(torch.zeros(4, 3), torch.zeros(2), beta=0.5)
    for function in INFERENCE:
        needs = r"^beta of shape \(3,\) must broadcast against the shape of scores without dim, got \(4,\)$"
        with pytest.raises(ValueError, match=needs):
            function(torch.zeros(4, 3), torch.full((3,), 0.5))


@pytest.mark.parametrize("function", INFERENCE)
def test_dims(function: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^dim must be one of the 2 dimensions of scores, got dim=2 for shape \(4, 3\)$"
    ):
        function(torch.zeros(4, 3), 0.5, dim=2)
    with pytest.raises(
        ValueError, match=r"^dim must be one of the 0 dimensions of scores, got dim=-1 for shape \(\)$"
    ):
        function(torch.tensor(1.0), 0.5)
    with pytest.raises(ValueError, match=r"^scores must have at least one piece along dim=-1, got \(4, 0\)$"):
        function(torch.zeros(4, 0), 0.5)
    for dim in (0.0, True, None):
        with pytest.raises(TypeError, match=r"^dim must be an integer, got "):
            function(torch.zeros(4, 3), 0.5, dim=dim)


def test_slope_must_be_finite_number() -> None:
    for slope in (math.nan, math.inf):
        with pytest.raises(ValueError, match=rf"^negative_slope must be finite in float32, got {slope}$"):
            beta_leaky_relu(torch.zeros(2), slope, beta=0.5)
    with pytest.raises(TypeError, match=r"^negative_slope must be a number or a floating tensor, got None$"):
        beta_leaky_relu(torch.zeros(2), None, beta=0.5)  # type: ignore[arg-type]


def test_slope_must_fit_the_dtype_of_the_computation() -> None:
    for bad, shown in ((math.inf, "inf"), (math.nan, "nan"), (1e39, r"1e\+39"), (-1e39, r"-1e\+39")):
        for slope in (bad, torch.tensor([0.1, bad], dtype=torch.float64)):
            for dtype in (torch.float16, torch.float32):
                with pytest.raises(ValueError, match=rf"^negative_slope must be finite in float32, got {shown}$"):
                    beta_leaky_relu(torch.zeros(2, dtype=dtype), slope, beta=0.5)
    assert beta_leaky_relu(torch.ones(2, dtype=torch.float64), 1e39, beta=1.0).tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match=r"^negative_slope must be finite in float64, got inf$"):
        beta_leaky_relu(torch.zeros(2, dtype=torch.float64), math.inf, beta=0.5)


def test_beta_and_slope_must_fit_each_other() -> None:
    needs = r"^beta of shape \(2, 1\) must broadcast against negative_slope, got \(7, 1\)$"
    with pytest.raises(ValueError, match=needs):
        beta_leaky_relu(torch.zeros(1, 3), torch.zeros(7, 1), beta=torch.full((2, 1), 0.5))


def test_numbers_that_are_no_floats() -> None:
    needs = "got a number beyond the range of a float$"
    for number in (10**400, -(10**5000)):
        with pytest.raises(ValueError, match=rf"^beta must be in \[0, 1\], {needs}"):
            beta_relu(torch.zeros(2), beta=number)
        with pytest.raises(ValueError, match=rf"^negative_slope must be finite in float32, {needs}"):
            beta_leaky_relu(torch.zeros(2), number, beta=0.5)


def test_eta_and_beta() -> None:
    for eta, shown in ((-0.5, "-0.5"), (math.nan, "nan"), (torch.tensor(-2.0), "-2")):
        with pytest.raises(ValueError, match=rf"^eta must be in \[0, inf\], got {shown}$"):
            betavq.beta_from_eta(eta)
    with pytest.raises(ValueError, match=r"^beta must be in \[0, 1\], got 1\.5$"):
        betavq.eta_from_beta(1.5)
    with pytest.raises(TypeError, match=r"^eta must be float16"):
        betavq.beta_from_eta(torch.tensor(1))


def test_beta_is_keyword_only_where_pytorch_has_another_second_argument() -> None:
    for function in (beta_relu, beta_abs):
        with pytest.raises(TypeError, match="positional argument"):
            function(torch.zeros(2), 0.5)  # type: ignore[misc]
    with pytest.raises(TypeError, match="beta"):
        beta_relu(torch.zeros(2))  # type: ignore[call-arg]
