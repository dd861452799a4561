"""±∞, ±max, subnormal and empty inputs at the ends of β and next to them: no NaN, in values or in gradients."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from torch import Tensor

from betavq.functional import beta_abs, beta_leaky_relu, beta_relu

INF = math.inf
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SLOPES = (0.01, 0.0, -1.0, 1.0, 3.0, -1e30, 1e30)
FUNCTIONS = {
    "relu": beta_relu,
    "abs": beta_abs,
    **{f"leaky {slope}": functools.partial(beta_leaky_relu, negative_slope=slope) for slope in SLOPES},
}
# The slope of each on the far left and far right when hard, and at β = 0.
FAR_SLOPES = {
    "relu": (0.0, 1.0, 0.5),
    "abs": (-1.0, 1.0, 0.0),
    "leaky 0.01": (0.01, 1.0, 0.505),
    "leaky 0.0": (0.0, 1.0, 0.5),
    "leaky -1.0": (-1.0, 1.0, 0.0),
    "leaky 1.0": (1.0, 1.0, 1.0),
    "leaky 3.0": (3.0, 1.0, 2.0),
}


def special_inputs(dtype: torch.dtype) -> Tensor:
    info = torch.finfo(dtype)
    sizes = [INF, info.max, info.max / 3, 30000.0, 1.0, info.smallest_normal, info.smallest_normal / 4, 0.0]
    return torch.tensor([*sizes, *(-s for s in sizes)], dtype=dtype)


def betas(dtype: torch.dtype) -> list[float]:
    info = torch.finfo(dtype)
    return [0.0, info.tiny, 0.5, 0.9, 1 - info.eps / 2, 1.0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("upstream", [1.0, -7.0, 0.0])
def test_no_nan_in_values_or_gradients(name: str, dtype: torch.dtype, upstream: float) -> None:
    for beta in betas(dtype):
        forms: list[float | Tensor] = [beta, torch.tensor(beta, dtype=dtype)]
        forms += [torch.full((16,), beta, dtype=d) for d in (torch.float32, torch.float64)]
        for b in forms:
            x = special_inputs(dtype).requires_grad_()
            inputs = [x] if not isinstance(b, Tensor) else [x, b.requires_grad_()]
            y = FUNCTIONS[name](x, beta=b)
            assert not y.isnan().any(), b
            for slope in torch.autograd.grad(y, inputs, torch.full_like(y, upstream)):
                assert not slope.isnan().any(), b


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", SLOPES)
def test_no_nan_in_the_gradient_of_the_slope(number: float, dtype: torch.dtype) -> None:
    x = special_inputs(dtype)
    for beta in betas(dtype):
        for b in (beta, torch.tensor(beta, dtype=torch.float64)):
            slope = torch.full((16,), number, dtype=torch.float64, requires_grad=True)
            y = beta_leaky_relu(x, slope, beta=b)
            assert not y.isnan().any()
            (gradient,) = torch.autograd.grad(y.sum(), slope)
            assert not gradient.isnan().any(), beta


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FAR_SLOPES)
def test_infinite_inputs_give_the_limit(name: str, dtype: torch.dtype) -> None:
    left, right, linear = FAR_SLOPES[name]
    for beta in betas(dtype):
        slopes = (linear, linear) if beta == 0 else (left, right)
        values = [s * infinity if s else 0.0 for s, infinity in zip(slopes, (-INF, INF), strict=True)]
        for b in (beta, torch.tensor(beta, dtype=torch.float64, requires_grad=True)):
            x = torch.tensor([-INF, INF], dtype=dtype, requires_grad=True)
            y = FUNCTIONS[name](x, beta=b)
            assert y.tolist() == values, beta
            y.sum().backward()
            assert x.grad is not None
            assert torch.equal(x.grad, torch.tensor(slopes, dtype=dtype)), beta
            if isinstance(b, Tensor):
                assert b.grad is not None
                assert b.grad.item() == 0, beta


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_stays_right_where_a_product_with_the_input_overflows(dtype: torch.dtype) -> None:
    big = torch.finfo(dtype).max
    eta = 4 / big
    beta = torch.tensor(eta / (1 + eta), dtype=torch.float64)
    x = torch.tensor([big, -big], dtype=dtype, requires_grad=True)
    upstream = torch.tensor([8.0, 8.0], dtype=dtype)
    (slope,) = torch.autograd.grad(beta_relu(x, beta=beta), x, upstream)
    u = torch.tensor([4.0, -4.0], dtype=torch.float64)
    gate = torch.sigmoid(u)
    expected = 8 * (gate + u * gate * (1 - gate))
    torch.testing.assert_close(slope.double(), expected, rtol=4 * torch.finfo(dtype).eps, atol=0)


def test_a_float16_product_that_overflows() -> None:
    x = torch.tensor([30000.0, -30000.0], dtype=torch.float16, requires_grad=True)
    y = beta_relu(x, beta=0.9)  # η = 9: ηx is not a float16
    y.sum().backward()
    assert y.tolist() == [30000.0, 0.0]
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_inputs_stay_nan_and_leave_their_neighbours_alone(name: str) -> None:
    for beta in (0.0, 0.5, 1.0, torch.tensor(0.0), torch.tensor(0.5), torch.tensor(1.0)):
        x = torch.tensor([math.nan, 1.0], requires_grad=True)
        y = FUNCTIONS[name](x, beta=beta)
        assert y.isnan().tolist() == [True, False]
        y.sum().backward()
        assert x.grad is not None
        assert not x.grad[1].isnan()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_empty_inputs_have_gradients(name: str) -> None:
    for shape in ((0,), (2, 0, 3)):
        x = torch.empty(shape, requires_grad=True)
        beta = torch.tensor(0.5, requires_grad=True)
        y = FUNCTIONS[name](x, beta=beta)
        assert y.shape == shape
        y.sum().backward()
        assert beta.grad is not None
        assert beta.grad.item() == 0
