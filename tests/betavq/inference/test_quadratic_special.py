"""Quadratic entropy at infinite, huge, NaN and absent scores, inside transforms and capture, and its errors."""

from __future__ import annotations

import functools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

import betavq

# What torch warns itself of, while it sets up forward mode and while it traces an autograd.Function.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

INF = math.inf
BETAS = (0.0, 1e-12, 0.5, 1 - 2**-24, 1.0)
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
BETA = torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0], dtype=torch.float64)
code, value, free_energy = (
    functools.partial(function, entropy="quadratic") for function in (betavq.code, betavq.value, betavq.free_energy)
)
functions = pytest.mark.parametrize("function", [code, value, free_energy], ids=["code", "value", "free energy"])


def randn(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_infinite_and_nan_scores_follow_the_rules_of_shannon(beta: float, as_tensor: bool) -> None:
    """Where excluded, infinite and NaN scores leave no choice but an even one, both entropies choose alike."""
    b = torch.tensor(beta, dtype=torch.float64) if as_tensor else beta
    rows = [[-INF, 7, -INF], [-2, INF, INF], [INF, 1, -INF], [-INF] * 3, [INF] * 3, [4, 4, -INF], [1, math.nan, -INF]]
    z = torch.tensor(rows, dtype=torch.float64)
    for quadratic, shannon in ((code, betavq.code), (value, betavq.value)):
        torch.testing.assert_close(quadratic(z, b), shannon(z, b), rtol=1e-15, atol=0, equal_nan=True)
    keeps = [0, 1, 2, 3, 4, 6]  # the tie has another entropy
    energies = free_energy(z, b)[keeps], betavq.free_energy(z, b)[keeps]
    torch.testing.assert_close(*energies, rtol=1e-15, atol=0, equal_nan=True)


@pytest.mark.parametrize("beta", BETAS)
def test_an_excluded_piece_counts_for_nothing(beta: float) -> None:
    kept = torch.tensor([1.0, -3.0, 1.5], dtype=torch.float64)
    with_excluded = torch.tensor([-INF, 1.0, -3.0, -INF, 1.5], dtype=torch.float64)
    t = code(with_excluded, beta)
    assert t[[0, 3]].tolist() == [0.0, 0.0]
    torch.testing.assert_close(t[[1, 2, 4]], code(kept, beta), rtol=1e-15, atol=0)
    for function in (value, free_energy):
        torch.testing.assert_close(function(with_excluded, beta), function(kept, beta), rtol=1e-15, atol=0)


@functions
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_nan_that_the_scores_did_not_have(function: Any, dtype: torch.dtype) -> None:
    big, small = torch.finfo(dtype).max, torch.finfo(dtype).smallest_normal / 4
    infinite = [[1.0, INF, -INF], [INF] * 3, [-INF] * 3, [3.0, -INF, big], [big, big, -INF]]
    finite = [[0.0] * 3, [big, -big, -big], [big, big, -big], [-big] * 3, [small, -small, 0.0], [0.5, 0.25, -3.0]]
    eps, tiny = torch.finfo(dtype).eps, torch.finfo(dtype).tiny
    for rows in (finite, finite + infinite):  # finite scores have a shorter way
        z = torch.tensor(rows, dtype=dtype)
        for beta in (0.0, tiny, 0.5, 1 - eps / 2, 1.0):
            for b in (beta, torch.tensor(beta, dtype=dtype), torch.full((len(rows),), beta, dtype=torch.float64)):
                inputs = [z.clone().requires_grad_(), *([b.requires_grad_()] if isinstance(b, Tensor) else [])]
                result = function(inputs[0], b)
                assert not result.isnan().any()
                weights = torch.arange(1, result.numel() + 1).view(result.shape).to(dtype) / 8
                for slope in torch.autograd.grad((result * weights).sum(), inputs):
                    assert not slope.isnan().any()


@functions
def test_finite_rows_do_not_change_beside_infinite_ones(function: Any) -> None:
    z, beta = randn(5, 3), BETA
    beside = torch.cat([z, torch.full((1, 3), INF)])
    beta_beside = torch.cat([beta, beta[:1]])
    torch.testing.assert_close(function(beside, beta_beside)[:5], function(z, beta), rtol=1e-15, atol=1e-16)


def test_a_difference_that_overflows() -> None:
    big = torch.finfo(torch.float32).max
    z = torch.tensor([big, -big])
    assert code(z, 0.5).tolist() == [1.0, 0.0]
    assert value(z, 0.5).item() == big
    assert value(torch.tensor([big] + [-big] * 9), 0.0).item() == pytest.approx(-0.8 * big, rel=1e-6)
    # η·2·big = ½ makes the shares ¾ and ¼, although 2·big is not a float.
    torch.testing.assert_close(code(z, betavq.beta_from_eta(0.25 / big)), torch.tensor([0.75, 0.25]))


@functions
def test_empty_batches(function: Any) -> None:
    for beta in (0.0, 0.5, 1.0, torch.tensor(0.5)):
        z = torch.empty(0, 3, requires_grad=True)
        result = function(z, beta)
        assert result.shape == ((0, 3) if function is code else (0,))
        assert torch.autograd.grad(result.sum(), z)[0].shape == (0, 3)


@functions
def test_vmap_over_rows_and_over_beta(function: Any) -> None:
    z = randn(5, 3)
    expected = function(z, BETA)
    torch.testing.assert_close(torch.vmap(function)(z, BETA), expected, rtol=1e-14, atol=1e-16)
    shared = torch.vmap(functools.partial(function, z[2]))(BETA)
    torch.testing.assert_close(shared[2], expected[2], rtol=1e-14, atol=0)


@functions
def test_jacobians_and_hessians(function: Any) -> None:
    z, inner = randn(3, 3), BETA[1:4].clone()
    for argnum in (0, 1):
        backward = torch.func.jacrev(function, argnums=argnum)(z, inner)
        forward = torch.func.jacfwd(function, argnums=argnum)(z, inner)
        torch.testing.assert_close(backward, forward, rtol=1e-11, atol=1e-14)

    def total(z: Tensor, beta: Tensor) -> Tensor:
        return (function(z, beta) ** 2).sum()

    for argnum in (0, 1):
        twice_backward = torch.func.jacrev(torch.func.jacrev(total, argnums=argnum), argnums=argnum)(z, inner)
        hessian = torch.func.hessian(total, argnums=argnum)(z, inner)
        torch.testing.assert_close(hessian, twice_backward, rtol=1e-10, atol=1e-12)
    per_row = torch.vmap(torch.func.grad(total, argnums=1))(z, inner)
    torch.testing.assert_close(per_row, torch.func.grad(total, argnums=1)(z, inner), rtol=1e-12, atol=1e-14)


class _Inference(nn.Module):
    def forward(self, scores: Tensor, beta: Tensor) -> tuple[Tensor, ...]:
        weights = torch.tensor([0.5, -1.0, 2.0])
        read = value(scores, beta, readout=weights), betavq.value(scores, beta, readout=weights)
        return code(scores, beta), value(scores, beta), free_energy(scores, beta), *read


@pytest.mark.parametrize("how", ["compile", "compile dynamic", "export strict", "export"])
def test_capture_keeps_values_and_derivatives(how: str) -> None:
    z, beta = randn(5, 3).float().requires_grad_(), BETA.float().requires_grad_()
    captured: Any
    if how.startswith("compile"):
        captured = torch.compile(_Inference(), backend="aot_eager", fullgraph=True, dynamic=how.endswith("dynamic"))
    else:
        captured = torch.export.export(_Inference(), (z, beta), strict=how.endswith("strict")).module()
    results = [network(z, beta) for network in (captured, _Inference())]
    torch.testing.assert_close(*results)
    slopes = []
    for result in results:
        inner = torch.cat([r[1:].flatten() for r in result])  # the free energy is +∞ at β = 0
        weights = torch.arange(1.0, 1.0 + inner.numel())
        slopes.append(torch.autograd.grad((inner * weights).sum(), (z, beta)))
    torch.testing.assert_close(*slopes, rtol=1e-5, atol=1e-5)


def test_a_number_compiles() -> None:
    def energies(z: Tensor, beta: float) -> Tensor:
        return free_energy(z, beta) + value(z, beta) + code(z, beta)[:, 0]

    compiled, z = torch.compile(energies, backend="aot_eager", fullgraph=True), randn(4, 3)
    for beta in (0.3, 0.7, 1.0, 0.2):
        torch.testing.assert_close(compiled(z, beta), energies(z, beta), rtol=1e-13, atol=0)


def test_everything_runs_on_a_simulated_device() -> None:
    with FakeTensorMode():
        z = torch.empty(2, 3, device="cuda")
        for beta in (0.0, 0.5, 1.0, torch.tensor(0.5), torch.empty(2, device="cuda")):
            for function in (code, value, free_energy):
                assert function(z, beta).device.type == "cuda"
            assert value(z, beta, readout=torch.empty(3, device="cuda")).device.type == "cuda"


@pytest.mark.parametrize("function", [betavq.code, betavq.value, betavq.free_energy])
def test_another_entropy(function: Any) -> None:
    for entropy, shown in (("Shannon", "'Shannon'"), ("", "''"), (None, "None"), (2, "2"), (["quadratic"], ".*")):
        with pytest.raises(ValueError, match=rf'^entropy must be "shannon" or "quadratic", got {shown}$'):
            function(torch.zeros(2, 3), 0.5, entropy=entropy)
    with pytest.raises(TypeError, match="positional"):
        function(torch.zeros(2, 3), 0.5, -1, "quadratic")


@functions
def test_errors_are_those_of_shannon(function: Any) -> None:
    z = torch.zeros(2, 3)
    for arguments, kind, message in (
        ((z, 1.2), ValueError, r"^beta must be in \[0, 1\], got 1\.2$"),
        ((z, torch.zeros(5)), ValueError, r"^beta of shape \(5,\) must broadcast against .* got \(2,\)$"),
        ((z, 0.5, 2), ValueError, r"^dim must be one of the 2 dimensions of scores, got dim=2"),
        ((torch.zeros(2, 0), 0.5), ValueError, r"^scores must have at least one piece"),
        ((z.long(), 0.5), TypeError, r"^scores must be float16, .* got torch\.int64$"),
    ):
        with pytest.raises(kind, match=message):
            function(*arguments)
