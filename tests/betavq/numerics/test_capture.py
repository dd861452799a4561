"""torch.compile with bad and changing arguments, and torch.export: the same values, errors and derivatives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import betavq
from betavq.functional import beta_leaky_relu, beta_relu
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaReLU

# What torch warns itself of while it traces an autograd.Function.
pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")


def sample(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_a_changing_number_stays_checked_under_compile() -> None:
    x = sample(4, 3)
    compiled = torch.compile(lambda x, beta: 2 * beta_relu(x, beta=beta), backend="aot_eager")
    for beta in (0.3, 0.7, 0.2):  # from the second on it is symbolic
        torch.testing.assert_close(compiled(x, beta), 2 * beta_relu(x, beta=beta), rtol=4e-7, atol=0)
    for beta, shown in ((1.2, r"1\.2"), (-0.5, r"-0\.5")):
        with pytest.raises(ValueError, match=rf"beta must be in \[0, 1\], got {shown}$"):
            compiled(x, beta)


def test_a_tensor_is_not_read_under_compile() -> None:
    """Its values would break the graph; fullgraph turns a break into an error."""
    compiled = torch.compile(
        lambda x, beta, slope: beta_leaky_relu(x, slope, beta=beta), backend="aot_eager", fullgraph=True
    )
    x = sample(4, 3)
    for beta in (0.5, 1.5):
        assert compiled(x, torch.full((3,), beta), torch.full((3,), 0.1)).shape == (4, 3)


@pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning")
def test_a_tensor_is_not_read_under_tracing() -> None:
    """Reading it would be a constant in the trace, of which torch warns."""
    x = sample(4, 3)
    traced = torch.jit.trace(lambda x, beta: beta_relu(x, beta=beta), (x, torch.tensor(0.3)), check_trace=False)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(traced(x, torch.tensor(0.8)), beta_relu(x, beta=0.8))


def test_shapes_may_change_under_compile() -> None:
    beta = torch.tensor([0.3], requires_grad=True)

    def total(x: Tensor) -> Tensor:
        return (beta_relu(x, beta=beta) + betavq.value(x, beta[0]).unsqueeze(-1)).sum()

    compiled = torch.compile(total, backend="aot_eager", fullgraph=True, dynamic=True)
    for rows in (4, 5, 9):
        x = sample(rows, 3)
        torch.testing.assert_close(
            torch.autograd.grad(compiled(x), beta), torch.autograd.grad(total(x), beta), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("beta", [0.4, -0.2])
@pytest.mark.parametrize("module", [BetaReLU, BetaAbs, BetaLeakyReLU])
def test_exported_modules_can_be_trained(module: type[BetaReLU], beta: float, strict: bool) -> None:
    layer = module(0.5, learnable=True)
    with torch.no_grad():
        layer.beta.fill_(beta)
    exported = torch.export.export(layer, (sample(4, 3),), strict=strict).module()
    results = []
    for network in (layer, exported):
        x = sample(4, 3).requires_grad_()
        y = network(x)
        (-y).sum().backward()  # −y pulls β up, into [0, 1]
        (learned,) = network.parameters()
        results.append((y.detach(), x.grad, learned.grad))
    for eager, captured in zip(*results, strict=True):
        torch.testing.assert_close(captured, eager)


class _Inference(nn.Module):
    def forward(self, scores: Tensor, beta: Tensor) -> tuple[Tensor, ...]:
        return betavq.code(scores, beta), betavq.value(scores, beta), betavq.free_energy(scores, beta)


@pytest.mark.parametrize("strict", [True, False])
def test_exported_inference(strict: bool) -> None:
    z, beta = sample(5, 3), torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0])
    arguments: Any = (z.requires_grad_(), beta.requires_grad_())
    exported = torch.export.export(_Inference(), arguments, strict=strict).module()
    for captured, eager in zip(exported(*arguments), _Inference()(*arguments), strict=True):
        torch.testing.assert_close(captured, eager)
        weights = torch.arange(1.0, 1.0 + eager[1:].numel()).view(eager[1:].shape)
        slopes = [torch.autograd.grad((r[1:] * weights).sum(), arguments) for r in (captured, eager)]
        torch.testing.assert_close(*slopes, rtol=1e-5, atol=1e-6)
