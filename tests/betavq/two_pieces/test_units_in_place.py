"""``inplace=True``, where the function of PyTorch has it: over the input, with the values and gradients of a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import betavq.functional as bF
import betavq.nn as bnn

BETAS: list[float | Tensor] = [0.0, 0.3, 0.5, 1.0, torch.tensor(0.7), torch.linspace(0, 1, 3)[:, None]]
FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "relu": bF.beta_relu,
    "leaky_relu": lambda x, **options: bF.beta_leaky_relu(x, 0.2, **options),
    "prelu": lambda x, **options: bF.beta_leaky_relu(x, SLOPES, **options),
}
SLOPES = torch.tensor([[-0.5], [0.1], [2.0]], requires_grad=True)
functions = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
betas = pytest.mark.parametrize("beta", BETAS, ids=str)


def sample(dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0)).mul(3).to(dtype)


@functions
@betas
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@torch.no_grad()
def test_the_input_holds_the_result(function: Callable[..., Tensor], beta: Any, dtype: torch.dtype) -> None:
    x = sample(dtype)
    expected = function(x, beta=beta)
    assert torch.equal(x, sample(dtype))
    assert function(x, beta=beta, inplace=True) is x
    torch.testing.assert_close(x, expected, rtol=2 * torch.finfo(dtype).eps, atol=0)


@functions
@betas
@pytest.mark.parametrize("detach_code", [False, True])
def test_gradients(function: Callable[..., Tensor], beta: Any, detach_code: bool) -> None:
    """Of the input, of β and of a learned slope."""
    learned = beta.clone().requires_grad_() if isinstance(beta, Tensor) else beta
    found: list[tuple[Tensor, ...]] = []
    for inplace in (False, True):
        start = sample(torch.float64).requires_grad_()
        wanted = [start, *([learned] if isinstance(learned, Tensor) else [])]
        y = function(start * 2, beta=learned, detach_code=detach_code, inplace=inplace)
        wanted += [SLOPES] if function is FUNCTIONS["prelu"] else []
        found.append(torch.autograd.grad(y.square().sum(), wanted))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@functions
def test_derivatives_of_derivatives(function: Callable[..., Tensor]) -> None:
    def call(x: Tensor, beta: Tensor) -> Tensor:
        return function(x * 1, beta=beta, inplace=True)

    inputs = (sample(torch.float64)[:1].requires_grad_(), torch.tensor(0.4, dtype=torch.float64, requires_grad=True))
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs)


@pytest.mark.parametrize(("make", "hard"), [
    (lambda **options: bnn.BetaReLU(**options), F.relu),
    (lambda **options: bnn.BetaLeakyReLU(negative_slope=0.2, **options), lambda x: F.leaky_relu(x, 0.2)),
    (lambda **options: bnn.BetaLeakyReLU(negative_slope=nn.Parameter(torch.full((3,), 0.2)), **options),
     lambda x: F.leaky_relu(x, 0.2)),
])  # fmt: skip
@pytest.mark.parametrize("options", [
    {"beta": 0.5}, {"beta": 0.5, "learnable": True}, {"beta": 0.7, "num_channels": 3, "learnable": True},
])  # fmt: skip
def test_layers(make: Callable[..., Any], hard: Callable[[Tensor], Tensor], options: dict[str, Any]) -> None:
    plain, layer = make(**options), make(**options, inplace=True)
    x = sample()
    before = x * 1
    y = layer(before)
    assert y is before
    torch.testing.assert_close(y, plain(x))
    learned = list(plain.parameters())
    if learned:
        plain(x).square().sum().backward()
        y.square().sum().backward()
    for one, other in zip(learned, layer.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    layer.set_beta(1.0)
    with torch.no_grad():
        torch.testing.assert_close(layer(x * 1), hard(x), rtol=0, atol=0)


def test_what_is_shown() -> None:
    assert str(bnn.BetaReLU(inplace=True)) == "BetaReLU(beta=0.5, inplace=True)"
    assert str(bnn.BetaReLU()) == "BetaReLU(beta=0.5)"
    shown = str(bnn.BetaLeakyReLU(inplace=True, detach_code=True))
    assert shown == "BetaLeakyReLU(beta=0.5, inplace=True, detach_code=True, negative_slope=0.01)"
    assert bnn.BetaReLU(inplace=True).inplace is True


def test_a_drop_in_between_layers_that_need_their_outputs_no_more() -> None:
    """As in a network written with nn.ReLU(inplace=True)."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 3)]
    nets = [nn.Sequential(*layers[:2], bnn.BetaReLU(0.6, inplace=i), layers[2]) for i in (False, True)]
    x = torch.randn(2, 1, 8, 8)
    gradients = [torch.autograd.grad(net(x).square().sum(), list(layers[0].parameters())) for net in nets]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_a_view_is_written_through() -> None:
    x = sample()
    part = x[:, 1]
    expected = bF.beta_relu(part, beta=0.4)
    assert bF.beta_relu(part, inplace=True, beta=0.4) is part
    assert torch.equal(x[:, 1], expected)


@pytest.mark.parametrize("beta", [0.5, 1.0, torch.tensor(0.3)], ids=str)
def test_a_leaf_is_refused_as_by_pytorch_and_left_alone(beta: Any) -> None:
    x = sample().requires_grad_()
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        bF.beta_relu(x, inplace=True, beta=beta)
    assert torch.equal(x, sample())


@pytest.mark.parametrize("call", [
    lambda x: bF.beta_relu(x, inplace=True, beta=torch.full((2, 1, 1, 1), 0.5)),
    lambda x: bF.beta_leaky_relu(x, torch.full((2, 1, 1, 1), 0.5), inplace=True, beta=0.5),
])  # fmt: skip
def test_what_enlarges_the_input_is_refused(call: Callable[[Tensor], Tensor]) -> None:
    message = r"inplace must be False where the result has another shape than input, \(4, 3, 5\), got \(2, 4, 3, 5\)"
    with pytest.raises(ValueError, match=message):
        call(sample())


@pytest.mark.parametrize("call", [
    lambda: bnn.BetaReLU(inplace=1), lambda: bnn.BetaLeakyReLU(inplace="yes"),
    lambda: bF.beta_relu(sample(), inplace=None, beta=0.5),
    lambda: bF.beta_leaky_relu(sample(), 0.1, inplace=2, beta=0.5),
])  # fmt: skip
def test_another_kind_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="inplace must be True or False, got"):
        call()


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace.*:DeprecationWarning")
@pytest.mark.parametrize("layer", [bnn.BetaReLU(0.5, inplace=True), bnn.BetaLeakyReLU(0.5, inplace=True),
                                   bnn.BetaReLU(0.5, inplace=True, learnable=True)], ids=str)  # fmt: skip
def test_traced_with_gradients(layer: nn.Module) -> None:
    """Both runs of the trace see the same numbers."""
    model, x = nn.Sequential(nn.Linear(5, 4), layer), sample()
    traced = torch.jit.trace(model, x)
    torch.testing.assert_close(traced(2 * x), model(2 * x))


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_compiled(beta: float) -> None:
    layer = torch.compile(bnn.BetaReLU(beta, inplace=True), backend="aot_eager", fullgraph=True)
    x = sample()
    before = x * 1
    layer(before)
    torch.testing.assert_close(before, bF.beta_relu(x, beta=beta))
