"""Codes, values and free energies by a number β in plain operators: on the CPU, and on an accelerator, simulated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

import betavq
from benchmarks.counts import counted, elsewhere
from betavq._inference import direct, free_energy, selection

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
BETAS = (1e-30, 1e-9, 0.01, 0.3, 0.5, 0.6, 0.9, 0.999, 1 - 1e-6)
INF, NAN = math.inf, math.nan
Function = Callable[[Tensor, float], Tensor]
#: The public function, and the form that takes care of everything.
FORMS: dict[str, tuple[Function, Callable[[Tensor, float], Tensor]]] = {
    "code": (betavq.code, lambda z, eta: selection.soft_code(z, eta, None, -1)),
    "value": (betavq.value, lambda z, eta: selection.soft_value(z, eta, None, -1).squeeze(-1)),
    "free_energy": (betavq.free_energy, lambda z, eta: free_energy.soft_energy(z, eta, None, -1).squeeze(-1)),
}
every = pytest.mark.parametrize("name", FORMS)


@pytest.fixture(autouse=True, params=["here", "elsewhere"])
def place(request: pytest.FixtureRequest) -> Iterator[str]:
    with elsewhere() if request.param == "elsewhere" else nullcontext():
        yield request.param


def rows(dtype: torch.dtype) -> Tensor:
    most = torch.finfo(dtype).max
    special = [
        [INF, 1.0, -2.0, most],
        [INF, INF, 0.0, -INF],
        [-INF, 1.0, 0.5, -INF],
        [-INF, -INF, -INF, -INF],
        [most, -most, 0.0, most / 2],
        [-most, -most, -most / 2, -INF],
        [NAN, 1.0, 0.0, 2.0],
        [0.0, -0.0, 0.0, 0.0],
        [1e3, -1e3, 999.0, 998.5],
    ]
    plain = torch.randn(40, 4, generator=torch.Generator().manual_seed(0)) * torch.logspace(-3, 2, 40)[:, None]
    return torch.cat([torch.tensor(special, dtype=torch.float64).clamp(-INF, INF), plain.double()]).to(dtype)


def both(function: Function, z: Tensor, number: float, upstream: Tensor | None = None) -> tuple[Tensor, Tensor]:
    z = z.detach().clone().requires_grad_()
    y = function(z, number)
    upstream = torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view(y.shape) if upstream is None else upstream
    return y.detach(), torch.autograd.grad(y, z, upstream)[0]


@every
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("beta", BETAS)
def test_it_gives_what_the_careful_form_gives(name: str, dtype: torch.dtype, beta: float) -> None:
    z, eta = rows(dtype), beta / (1 - beta)
    public, careful = FORMS[name]
    y, slope = both(public, z, beta)
    upstream = torch.linspace(-1, 2, y.numel(), dtype=dtype).view(y.shape)
    exact, exact_slope = both(careful, z.double(), eta, upstream.double())
    computed = torch.finfo(torch.promote_types(dtype, torch.float32)).eps
    rounding = 1.001 * torch.finfo(dtype).eps if dtype in (torch.float16, torch.bfloat16) else 0.0
    finite = z.double().masked_fill(~z.isfinite(), 0.0)
    size = 1.0 if name == "code" else finite.abs().amax(-1)
    if name == "free_energy":
        size = size + 1 / eta
    assert torch.equal(y.isnan(), exact.to(dtype).isnan())
    infinite = exact.to(dtype).isinf()
    assert torch.equal(y.double()[infinite], exact.to(dtype).double()[infinite])
    close = (y.double() - exact).abs() <= rounding * exact.abs() + 8 * computed * size + torch.finfo(dtype).tiny
    assert close[~infinite & ~exact.isnan()].all()
    told = ~z.isnan().any(-1)  # of a NaN the slopes are nobody's
    # η(z − max z) is rounded, and so its exponential errs the more the further it is from 1.
    allowed = 40 * computed * (1 + eta if name == "code" else 1.0) + rounding * exact_slope.abs()
    assert ((slope.double() - exact_slope).abs() <= allowed + torch.finfo(dtype).tiny)[told].all()


@every
def test_derivatives_of_derivatives(name: str) -> None:
    z = torch.tensor([[0.3, -0.2, 1.0], [2.0, 0.0, 1.9]], dtype=torch.float64, requires_grad=True)
    for beta in (0.2, 0.7):
        assert torch.autograd.gradcheck(lambda z, beta=beta: FORMS[name][0](z, beta), (z,))
        assert torch.autograd.gradgradcheck(lambda z, beta=beta: FORMS[name][0](z, beta), (z,))


@every
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_along_any_dimension(name: str, dim: int) -> None:
    z = torch.randn(3, 4, 5, dtype=torch.float64)
    function = {"code": betavq.code, "value": betavq.value, "free_energy": betavq.free_energy}[name]
    found = function(z, 0.7, dim)
    last = FORMS[name][1](z.movedim(dim, -1), 0.7 / (1 - 0.7))
    torch.testing.assert_close(found, last.movedim(-1, dim) if name == "code" else last, rtol=1e-13, atol=1e-15)


@every
def test_many_gradients_at_once_and_transforms(name: str) -> None:
    z = torch.randn(4, 3, dtype=torch.float64).requires_grad_()
    public, careful = FORMS[name]
    y = public(z, 0.7)
    upstream = torch.randn(5, *y.shape, dtype=torch.float64)
    (many,) = torch.autograd.grad(y, z, upstream, is_grads_batched=True)
    one = torch.stack([both(careful, z, 0.7 / (1 - 0.7), each)[1] for each in upstream])
    torch.testing.assert_close(many, one, rtol=1e-12, atol=1e-14)
    mapped = torch.func.vmap(lambda z: public(z, 0.7))(z.detach())
    torch.testing.assert_close(mapped, y.detach(), rtol=1e-12, atol=1e-14)


def test_small_gaps_at_a_small_beta_keep_their_digits() -> None:
    for gap, beta in ((1e-30, 1e-10), (3e-39, 0.5)):
        z = torch.tensor([0.0, gap])
        torch.testing.assert_close(betavq.value(z, beta), z[1] / 2, rtol=1e-6, atol=0)


def test_weights_below_the_normal_numbers_count_as_0(place: str) -> None:
    z = torch.tensor([0.0, -80.0, -90.0, -100.0], requires_grad=True)
    t = betavq.code(z, 0.5)
    if place == "here":
        assert t.tolist()[2:] == [0.0, 0.0]
    assert t[1] > 0
    for function in (betavq.value, betavq.free_energy):
        torch.testing.assert_close(torch.autograd.grad(function(z, 0.5), z)[0][2:], torch.zeros(2))


def test_where_it_applies(place: str) -> None:
    z = torch.tensor([[1.0, -INF], [2.0, 3.0]])
    assert direct._maximum(z, 1.5, None, -1) is not None
    assert direct._maximum(z, torch.tensor(1.5), None, -1) is None
    assert direct._maximum(z, 1.5, z, -1) is None
    for eta in (0.0, 1e-36, 1e39):
        assert direct._maximum(z, eta, None, -1) is None
    for maximum in (INF, -INF, NAN):
        other = torch.tensor([[maximum, -INF], [2.0, 3.0]])
        assert (direct._maximum(other, 1.5, None, -1) is not None) == (place == "elsewhere")


@every
def test_few_kernels_run_over_the_scores(name: str) -> None:
    z = torch.randn(4096, 16, requires_grad=True)
    with elsewhere():
        forward, y = counted(lambda: FORMS[name][0](z, 0.6), z, z.nbytes)
        upstream = torch.ones_like(y)
        backward, _ = counted(lambda: torch.autograd.grad(y, z, upstream), z, z.nbytes)
    most = {"code": (9, 12.5, 4, 5.2), "value": (12, 15, 19, 22.5), "free_energy": (12, 16, 10, 13)}[name]
    assert forward.big <= most[0]
    assert forward.moved <= most[1]
    assert backward.big <= most[2]
    assert backward.moved <= most[3]
    assert forward.reads == backward.reads == 0
