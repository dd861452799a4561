"""Derivatives of selection under noise: first, second, forward; digits of small ones; torch.func and capture."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from noise_examples import relu_pieces
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import gradcheck, gradgradcheck

from betavq import noise

pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

FUNCTIONS = {"code": noise.code, "value": noise.value, "maximum": noise.maximum}
# Lomax noise has no finite expected maximum, and thus no differences to check its derivatives by.
CASES = [(f, n) for f in FUNCTIONS for n in noise.NOISES if (f, n) != ("maximum", "lomax")]
cases = pytest.mark.parametrize(("function", "name"), CASES)


def inputs() -> tuple[Tensor, Tensor]:
    """Scores and scales, away from kinks."""
    z = torch.tensor([[0.3, -0.4], [0.1, 0.7], [2.0, -3.0], [-1.0, 2.5]], dtype=torch.float64)
    scale = torch.tensor([1.1, 2.0, 0.7, 0.9], dtype=torch.float64)
    return z.requires_grad_(), scale.requires_grad_()


def of_inputs(function: str, name: str) -> Any:
    return lambda z, scale: FUNCTIONS[function](z, name, scale)  # type: ignore[operator]


@cases
def test_gradcheck_once_and_twice_in_both_modes(function: str, name: str) -> None:
    assert gradcheck(of_inputs(function, name), inputs(), check_forward_ad=True)
    assert gradgradcheck(of_inputs(function, name), inputs())


@pytest.mark.parametrize("name", noise.NOISES)
def test_gradcheck_in_the_readout(name: noise.Noise) -> None:
    z, scale = inputs()
    readout = torch.tensor([[2.0, 0.0]], dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda r, z: noise.value(z, name, scale, readout=r), (readout, z))


@pytest.mark.parametrize("name", noise.NOISES)
@pytest.mark.parametrize("scale", [0.0, 0.3, 2.0])
def test_gradient_of_the_maximum_is_the_code(name: noise.Noise, scale: float) -> None:
    z, _ = inputs()
    (slope,) = torch.autograd.grad(noise.maximum(z, name, scale).sum(), z)
    assert torch.equal(slope, noise.code(z, name, scale))


@pytest.mark.parametrize("name", ["logistic", "gaussian", "lomax"])
@pytest.mark.parametrize("order", [1, 2])
def test_small_derivatives_keep_their_digits_in_float32(name: noise.Noise, order: int) -> None:
    """On both sides: where a share is nearly 1, its slope is not 1 minus something."""
    u = torch.tensor([-12.0, -9.0, -3.0, -0.5, 0.5, 3.0, 9.0, 12.0])
    found = []
    for dtype in (torch.float32, torch.float64):
        x = u.to(dtype).requires_grad_()
        scale = torch.ones(8, dtype=dtype, requires_grad=True)
        y = noise.code(relu_pieces(x), name, scale)[:, 1]
        slopes = torch.autograd.grad(y.sum(), (x, scale), create_graph=True)
        if order == 2:
            slopes = tuple(torch.autograd.grad(s.sum(), x, retain_graph=True)[0] for s in slopes)
        found.append([s.detach().double() for s in slopes])
    for single, double in zip(*found, strict=True):
        assert (double.abs() > 0).all()
        torch.testing.assert_close(single, double, rtol=3e-5, atol=0)


def test_slope_of_the_code_is_the_density() -> None:
    u = torch.tensor([-2.0, -0.4, 0.0, 0.7, 30.0], dtype=torch.float64, requires_grad=True)
    v = u.detach()
    densities = {
        "logistic": torch.sigmoid(v) * torch.sigmoid(-v),
        "uniform": (v.abs() < 1) / 2,
        "gaussian": torch.exp(-v * v / 2) / (2 * torch.pi) ** 0.5,
        "exponential": torch.where(v < 0, v.exp(), 0.0),
        "lomax": 1 / (2 * (1 + v.abs()) ** 2),
    }
    for name in noise.NOISES:
        (slope,) = torch.autograd.grad(noise.code(relu_pieces(u), name)[:, 1].sum(), u)
        torch.testing.assert_close(slope, densities[name].double(), rtol=1e-12, atol=0)


@cases
def test_vmap_jacobians_and_hessians(function: str, name: str) -> None:
    f = of_inputs(function, name)
    z, scale = (tensor.detach() for tensor in inputs())
    torch.testing.assert_close(torch.vmap(f)(z, scale), f(z, scale), rtol=1e-14, atol=0)
    shared = torch.vmap(functools.partial(f, z[0]))(scale)
    torch.testing.assert_close(shared[0], f(z[0], scale[0]), rtol=1e-14, atol=0)
    for argnum in (0, 1):
        backward = torch.func.jacrev(f, argnums=argnum)(z, scale)
        torch.testing.assert_close(torch.func.jacfwd(f, argnums=argnum)(z, scale), backward, rtol=1e-11, atol=1e-14)

    def total(z: Tensor, scale: Tensor) -> Tensor:
        return (f(z, scale) ** 2).sum()

    twice_backward = torch.func.jacrev(torch.func.jacrev(total))(z, scale)
    torch.testing.assert_close(torch.func.hessian(total)(z, scale), twice_backward, rtol=1e-10, atol=1e-12)
    per_row = torch.vmap(torch.func.grad(total, argnums=1))(z, scale)
    torch.testing.assert_close(per_row, torch.func.grad(total, argnums=1)(z, scale), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", noise.NOISES)
def test_compiles_without_a_break_forward_and_backward(name: noise.Noise) -> None:
    def network(z: Tensor, scale: Any) -> Tensor:
        return noise.maximum(z, name, scale) + noise.value(z, name, scale)

    torch.compiler.reset()  # torch stops to compile after a few of one function's variants
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    for scale in (0.7, torch.tensor(0.7)) if name == "gaussian" else (torch.tensor(0.7),):
        results = []
        for function in (network, compiled):
            z = inputs()[0].detach().float().requires_grad_()
            y = function(z, scale)
            y.nan_to_num(posinf=1.0).square().sum().backward()
            assert z.grad is not None
            results.append((y.detach(), z.grad))
        torch.testing.assert_close(*results, rtol=1e-6, atol=1e-7)


def test_a_scale_below_0_is_not_looked_for_inside_a_transform() -> None:
    z, scale = (tensor.detach() for tensor in inputs())
    with pytest.raises(ValueError, match="scale must be at least 0"):
        noise.code(z, "logistic", -scale)
    assert torch.vmap(of_inputs("code", "logistic"))(z, -scale).shape == (4, 2)


def test_everything_runs_on_a_simulated_device() -> None:
    with FakeTensorMode():
        z = torch.empty(3, 2, device="cuda")
        for scale in (0.0, 1.0, torch.tensor(0.5), torch.tensor(0.5, device="cuda"), torch.empty(3, device="cuda")):
            for name in noise.NOISES:
                for function in FUNCTIONS.values():
                    assert function(z, name, scale).device.type == "cuda"


@pytest.mark.parametrize("name", noise.NOISES)
def test_exports(name: noise.Noise) -> None:
    class Unit(torch.nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return noise.maximum(z, name) + noise.value(z, name)

    z = inputs()[0].detach()
    exported = torch.export.export(Unit(), (z,)).module()
    torch.testing.assert_close(exported(z), Unit()(z), rtol=1e-14, atol=0)
