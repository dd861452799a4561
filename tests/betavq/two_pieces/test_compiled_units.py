"""β-ReLU under torch.compile, whose form is its own: values, gradients, what is saved, numbers that need care."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch
from torch import Tensor

from betavq.functional import beta_relu

# What torch warns itself of while it traces an autograd.Function and loads its compiler.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning"),
]


def both(x: Tensor, beta: float | Tensor, detached: bool = False) -> list[list[Tensor]]:
    """Value and gradients, eager and compiled."""

    def unit(x: Tensor, beta: float | Tensor) -> Tensor:
        return beta_relu(x, beta=beta, detach_code=detached)

    results = []
    for function in (unit, torch.compile(unit, backend="aot_eager", fullgraph=True, dynamic=False)):
        inputs = [x.detach().requires_grad_()]
        if isinstance(beta, Tensor):
            inputs.append(beta.detach().requires_grad_())
        y = function(inputs[0], inputs[1] if len(inputs) > 1 else beta)
        results.append(
            [y, *torch.autograd.grad(y, inputs, torch.linspace(-1, 2, y.numel()).to(y.dtype).view(y.shape))]
        )
    return results


@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_it_agrees_with_eager_mode(dtype: torch.dtype, detached: bool) -> None:
    torch.compiler.reset()
    x = (3 * torch.randn(40, 6, generator=torch.Generator().manual_seed(0))).to(dtype)
    eps = torch.finfo(dtype).eps
    for beta in (0.3, torch.tensor(0.9), torch.tensor([0.0, 1e-3, 0.5, 0.9, 0.999, 1.0])):
        eager, compiled = both(x, beta, detached)
        torch.testing.assert_close(
            compiled, eager, rtol=max(8 * eps, 2e-6 if isinstance(beta, Tensor) else 0), atol=8 * eps
        )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_infinite_and_huge_numbers(dtype: torch.dtype) -> None:
    torch.compiler.reset()
    info = torch.finfo(dtype)
    sizes = [math.inf, info.max, info.max / 3, 30000.0, 1.0, info.smallest_normal, 0.0]
    x = torch.tensor([*sizes, *(-s for s in sizes), math.nan], dtype=dtype)
    for number in (0.0, info.tiny, 1e-20, 0.5, 0.9, 1 - info.eps / 2, 1.0):
        for beta in (number, torch.full((15,), number, dtype=dtype)):
            eager, compiled = both(x, beta)
            torch.testing.assert_close(compiled[0], eager[0], rtol=1e-5, atol=1e-30, equal_nan=True)
            for found, expected in zip(compiled[1:], eager[1:], strict=True):
                assert not found[:-1].isnan().any(), (number, found)
                torch.testing.assert_close(found[:-1], expected[:-1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("beta", [0.6, torch.tensor(0.6)], ids=["number", "tensor"])
def test_the_input_alone_is_saved_for_the_backward_pass(beta: float | Tensor) -> None:
    torch.compiler.reset()
    saved: list[Tensor] = []
    x = torch.randn(1000, generator=torch.Generator().manual_seed(0)).requires_grad_()
    unit = torch.compile(lambda x: beta_relu(x, beta=beta), backend="aot_eager_decomp_partition", fullgraph=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        unit(x)
    assert sum(t.nbytes for t in saved if t.numel() > 1) == x.nbytes


def test_error_against_50_digits() -> None:
    """As in eager mode: 2 ULP at u ≥ 0, 2.5 (1 + |u|) ULP below."""
    torch.compiler.reset()
    u = torch.rand(200, generator=torch.Generator().manual_seed(0)) * 160 - 80
    unit = torch.compile(beta_relu, backend="aot_eager", fullgraph=True, dynamic=False)
    for beta in (1e-6, 0.4, 1 - 1e-6):
        eta = mpmath.mpf(beta) / (1 - mpmath.mpf(beta))
        x = (u.double() / float(eta)).float()
        for xi, yi in zip(x.tolist(), unit(x, beta=beta).tolist(), strict=True):
            with mpmath.workdps(50):
                truth = mpmath.mpf(xi) / (1 + mpmath.exp(-eta * xi))
                error, scaled = float(abs(yi - truth)), float(eta * xi)
            ulp = 2.0 ** (math.floor(math.log2(abs(truth))) - 23)
            assert error <= (2 if scaled >= 0 else 2.5 * (1 + abs(scaled))) * ulp
            assert error <= 2**-23 * abs(xi)
