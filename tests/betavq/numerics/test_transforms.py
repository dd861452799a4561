"""Outside plain eager mode: torch.func, forward mode, capture and fake devices; β is not read there."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import gradcheck
from torch.fx.experimental.proxy_tensor import make_fx

import betavq
from betavq.functional import (
    beta_abs,
    beta_leaky_relu,
    beta_max_pool1d,
    beta_max_pool2d,
    beta_maxout,
    beta_relu,
)
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaReLU

# What torch warns itself of, while it sets up forward mode and while it traces an autograd.Function.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

# Each as a function of x, (5, 3), and β, one number for a row.
FUNCTIONS: dict[str, Any] = {
    "code": betavq.code,
    "value": betavq.value,
    "free energy": betavq.free_energy,
    "relu": lambda x, beta: beta_relu(x, beta=beta.unsqueeze(-1)),
    "abs": lambda x, beta: beta_abs(x, beta=beta.unsqueeze(-1)),
    "leaky": lambda x, beta: beta_leaky_relu(x, beta=beta.unsqueeze(-1)),
    "leaky with slopes": lambda x, beta: beta_leaky_relu(
        x, torch.tensor([0.1, 1.0, 2.0], dtype=x.dtype), beta=beta.unsqueeze(-1)
    ),
    "maxout": lambda x, beta: beta_maxout(x, beta=beta),
    # Rows as channels; a row mapped over is an image of one channel, and its β one number.
    "pool of sequences": lambda x, beta: beta_max_pool1d(
        x.reshape(-1, 1, 3), 2, 1, beta=beta.reshape(-1, 1, 1)
    ).reshape(*x.shape[:-1], 2),
    "pool of images": lambda x, beta: beta_max_pool2d(
        x.reshape(-1, 1, 1, 3), (1, 3), 2, (0, 1), beta=beta.reshape(-1, 1, 1, 1)
    ).reshape(*x.shape[:-1], 2),
}
functions = pytest.mark.parametrize("name", FUNCTIONS)


def sample(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


BETA = torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0], dtype=torch.float64)


@functions
def test_vmap_over_rows_and_over_beta(name: str) -> None:
    function, x = FUNCTIONS[name], sample(5, 3)
    expected = function(x, BETA)
    torch.testing.assert_close(torch.vmap(function)(x, BETA), expected, rtol=1e-14, atol=0)
    for row in range(5):  # x shared, β mapped
        shared = torch.vmap(functools.partial(function, x[row]))(BETA)
        torch.testing.assert_close(shared[row], expected[row], rtol=1e-14, atol=0)


@functions
def test_jacobians_and_hessians(name: str) -> None:
    function, x = FUNCTIONS[name], sample(5, 3)
    inner = BETA[1:4]
    for argnum in (0, 1):
        backward = torch.func.jacrev(function, argnums=argnum)(x[1:4], inner)
        forward = torch.func.jacfwd(function, argnums=argnum)(x[1:4], inner)
        torch.testing.assert_close(backward, forward, rtol=1e-11, atol=1e-14)

    def total(x: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        return (function(x, beta) ** 2).sum()

    x, inner = x[1:4], inner.clone()
    twice_backward = torch.func.jacrev(torch.func.jacrev(total, argnums=1), argnums=1)(x, inner)
    torch.testing.assert_close(torch.func.hessian(total, argnums=1)(x, inner), twice_backward, rtol=1e-10, atol=1e-12)
    per_row = torch.vmap(torch.func.grad(total, argnums=1))(x, inner)
    torch.testing.assert_close(per_row, torch.func.grad(total, argnums=1)(x, inner), rtol=1e-12, atol=1e-14)


@functions
def test_forward_mode(name: str) -> None:
    x, inner = sample(3, 3).requires_grad_(), BETA[1:4].clone().requires_grad_()
    assert gradcheck(FUNCTIONS[name], (x, inner), check_forward_ad=True, check_backward_ad=False)


def test_modules_under_functional_call() -> None:
    layer, x = BetaReLU(0.3, learnable=True, num_channels=3), sample(2, 3)
    beta = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)

    def total(beta: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"beta": beta}, (x,)).sum()

    expected = torch.func.grad(lambda b: beta_relu(x, beta=b).sum())(beta)
    torch.testing.assert_close(torch.func.grad(total)(beta), expected, rtol=1e-14, atol=0)
    torch.testing.assert_close(
        torch.func.hessian(total)(beta).diagonal(),
        torch.func.hessian(lambda b: beta_relu(x, beta=b).sum())(beta).diagonal(),
    )
    assert torch.vmap(total)(torch.rand(4, 3, dtype=torch.float64)).shape == (4,)
    assert layer.beta.tolist() == pytest.approx([0.3] * 3)


def test_compiles_without_a_break_forward_and_backward() -> None:
    layer = BetaLeakyReLU(torch.tensor([0.0, 0.4, 1.0]), negative_slope=torch.tensor([0.1, 0.2, 2.0]), learnable=True)

    def network(x: torch.Tensor, beta: Any) -> torch.Tensor:
        y = layer(x)
        return betavq.value(y, beta) + betavq.code(y, beta)[:, 1] + beta_relu(x, beta=beta)[:, 0]

    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    for beta in (0.3, 0.7, 1.0, 0.0, torch.tensor(0.3)):
        results = []
        for function in (network, compiled):
            layer.zero_grad()
            x = sample(4, 3).float().requires_grad_()
            y = function(x, beta)
            y.square().sum().backward()
            assert x.grad is not None
            assert layer.beta.grad is not None
            results.append((y.detach(), x.grad, layer.beta.grad.clone()))
        torch.testing.assert_close(*results, rtol=1e-6, atol=1e-7)


def test_capture_takes_any_beta_later() -> None:
    x = sample(3)
    graph = make_fx(lambda x, beta: beta_relu(x, beta=beta))(x, torch.tensor(0.5))
    for beta in (0.0, 0.25, 1.0):
        expected = beta_relu(x, beta=torch.tensor(beta))
        torch.testing.assert_close(graph(x, torch.tensor(beta)), expected, rtol=4e-7, atol=0)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_beta_outside_is_not_looked_for_inside_a_transform(name: str) -> None:
    function, x = FUNCTIONS[name], sample(5, 3)
    outside = BETA + 0.5
    with pytest.raises(ValueError, match=r"beta must be in \[0, 1\], got 1\.4"):
        function(x, outside)
    assert torch.vmap(function)(x, outside).shape[0] == 5


def test_everything_runs_on_a_simulated_device() -> None:
    with FakeTensorMode():
        x = torch.empty(2, 3, device="cuda")
        scalars = (0.0, 0.5, 1.0, torch.tensor(0.5), torch.tensor(0.5, device="cuda"))
        for beta in (*scalars, torch.empty(2, device="cuda")):
            for function in (betavq.code, betavq.value, betavq.free_energy):
                assert function(x, beta).device.type == "cuda"
        for beta in (*scalars, torch.empty(3, device="cuda")):
            for slope in (0.1, torch.tensor(0.1), torch.empty(3, device="cuda")):
                assert beta_leaky_relu(x, slope, beta=beta).device.type == "cuda"
            assert beta_relu(x, beta=beta).device.type == "cuda"
            assert beta_abs(x, beta=beta).device.type == "cuda"
        for module in (BetaReLU, BetaAbs, BetaLeakyReLU):
            with torch.device("cuda"):
                layer = module(num_channels=3)
            assert layer(x).device.type == "cuda"
            assert repr(layer).startswith(f"{module.__name__}(beta=?")
        with pytest.raises(RuntimeError, match="same device"):
            BetaReLU(num_channels=3)(x)  # a buffer left behind on the CPU
