"""The units on an accelerator, simulated: no read, few launches, and the numbers of the composite form."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from benchmarks.counts import counted, elsewhere
from betavq._two_pieces import few_launches, units
from betavq.functional import beta_abs, beta_leaky_relu, beta_relu
from betavq.nn import BetaReLU
from betavq.softening import set_beta, soften

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
BETAS = (1e-30, 1e-9, 0.01, 0.3, 0.5, 0.6, 0.9, 0.999, 1 - 1e-6)
UNITS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "relu": (lambda x, b: beta_relu(x, beta=b), units.composite_relu),
    "detached": (lambda x, b: beta_relu(x, beta=b, detach_code=True), lambda x, b: units.composite_relu(x, b, True)),
    "leaky": (lambda x, b: beta_leaky_relu(x, 0.2, beta=b), lambda x, b: units.composite_leaky_relu(x, 0.2, b)),
    "abs": (lambda x, b: beta_abs(x, beta=b), units.composite_abs),
}
every_unit = pytest.mark.parametrize("name", UNITS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@pytest.fixture(autouse=True)
def accelerator() -> Iterator[None]:
    with elsewhere():
        yield


def numbers(dtype: torch.dtype) -> Tensor:
    largest, tiny = torch.finfo(dtype).max, torch.finfo(dtype).tiny
    special = [math.inf, -math.inf, math.nan, 0.0, -0.0, largest, -largest, tiny, -tiny, 1e3, -1e3]
    return torch.cat([torch.tensor(special, dtype=torch.float64), torch.linspace(-30, 30, 301).double()]).to(dtype)


def both(function: Callable[..., Tensor], x: Tensor, beta: float | Tensor) -> list[Tensor]:
    inputs = [t.detach().clone().requires_grad_() for t in (x, beta) if isinstance(t, Tensor)]
    y = function(inputs[0], inputs[1] if len(inputs) > 1 else beta)
    return [y.detach(), *torch.autograd.grad(y, inputs, torch.ones_like(y))]


def assert_alike(found: Tensor, exact: Tensor, size: Tensor) -> None:
    """The same infinities and NaN; else a float64 number rounded once, after roundings of numbers of this ``size``."""
    eps, tiny = torch.finfo(found.dtype).eps, torch.finfo(found.dtype).tiny
    computed = torch.finfo(torch.promote_types(found.dtype, torch.float32)).eps
    found = found.double()
    assert torch.equal(found.isnan(), exact.isnan())
    infinite = exact.isinf()
    assert torch.equal(found.isinf(), infinite)
    assert torch.equal(found[infinite], exact[infinite])
    rounding = 0.501 * eps if eps > computed else 0.0
    allowed = rounding * exact.abs() + 20 * computed * size.double() + tiny
    assert ((found - exact).abs() <= allowed)[exact.isfinite()].all()


@every_unit
@every_dtype
@pytest.mark.parametrize("beta", BETAS)
def test_a_number_gives_what_the_composite_form_gives(name: str, dtype: torch.dtype, beta: float) -> None:
    x = numbers(dtype)
    found, exact = both(UNITS[name][0], x, beta), both(UNITS[name][1], x.double(), beta)
    assert_alike(found[0], exact[0], x.abs().nan_to_num())
    assert_alike(found[1], exact[1], torch.ones_like(x))


@pytest.mark.parametrize("name", ["relu", "detached"])
@every_dtype
def test_a_tensor_gives_what_the_composite_form_gives(name: str, dtype: torch.dtype) -> None:
    x = numbers(dtype)
    for number in (0.0, *(beta for beta in BETAS if beta > 1e-29), 1.0):
        beta = torch.tensor([[number]], dtype=torch.promote_types(dtype, torch.float32))
        found, exact = both(UNITS[name][0], x[None], beta), both(UNITS[name][1], x[None].double(), beta)
        assert_alike(found[0], exact[0], x.abs().nan_to_num()[None])
        told = ~x.isnan()  # at β = 1 the composite form has F.relu's slope there, which is 1
        assert_alike(found[1][:, told], exact[1][:, told], torch.ones_like(x[told])[None])
        inside = x[x.isfinite() & (x.abs() <= 1e3)]
        (_, _, slope), (_, _, other) = (both(f, inside, beta[0]) for f in UNITS[name])
        torch.testing.assert_close(slope, other, rtol=1e-4, atol=1e-6)
        infinite = torch.tensor([math.inf, -math.inf], dtype=dtype)
        if number > 0:
            assert both(UNITS[name][0], infinite, beta[0])[2] == 0


@every_unit
def test_derivatives(name: str) -> None:
    x = torch.linspace(-4, 5, 7, dtype=torch.float64).requires_grad_()
    beta = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    for check in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        if name != "detached":
            assert check(UNITS[name][0], (x, beta))
            assert check(lambda x: UNITS[name][0](x, 0.4), (x,))
    first, second = (torch.autograd.grad(f(x, 0.4).sum(), x, create_graph=True)[0] for f in UNITS[name])
    torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(*(torch.autograd.grad(g.sum(), x)[0] for g in (first, second)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(), (3, 1), (2, 1, 1), (2, 3, 4)])
def test_a_beta_of_any_shape(shape: tuple[int, ...]) -> None:
    x = torch.linspace(-3, 3, 24, dtype=torch.float64).view(2, 3, 4)
    beta = torch.linspace(0.2, 0.8, max(1, math.prod(shape)), dtype=torch.float64).view(shape)
    found, expected = (both(f, x, beta) for f in UNITS["relu"])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_a_beta_that_enlarges_the_result_is_left_to_the_composite_form() -> None:
    x, beta = torch.ones(1, 3), torch.tensor([[0.2], [0.4]])
    assert few_launches.few_launches(x, beta, units.RELU) is None
    torch.testing.assert_close(beta_relu(x, beta=beta), units.composite_relu(x, beta))


@pytest.mark.parametrize("beta", [0.5, 0.7])
def test_in_place(beta: float) -> None:
    x = torch.tensor([-math.inf, -2.0, 0.0, 3.0, math.inf])
    y = x.clone()
    assert beta_relu(y, beta=beta, inplace=True) is y
    torch.testing.assert_close(y, units.composite_relu(x, beta))
    leaf = x.clone().requires_grad_()
    z = leaf * 1.0
    written = beta_relu(z, beta=beta, inplace=True)
    assert written is z
    (found,) = torch.autograd.grad(written.sum(), leaf)
    torch.testing.assert_close(found, both(UNITS["relu"][1], x, beta)[1])


def test_the_transforms_of_torch_func_go_through_the_composite_form() -> None:
    x = torch.linspace(-2, 2, 5)
    found = torch.func.vmap(torch.func.grad(lambda x: beta_relu(x, beta=0.7)))(x)
    torch.testing.assert_close(found, both(UNITS["relu"][1], x, 0.7)[1])
    y = x.clone().requires_grad_()
    rows = torch.autograd.grad(beta_relu(y, beta=0.7), y, torch.eye(5), is_grads_batched=True)[0]
    torch.testing.assert_close(rows.diagonal(), found)


# A β that a module keeps.


def reads(call: Callable[[], object]) -> int:
    return counted(call, torch.ones(1), 1)[0].reads


@pytest.mark.parametrize(
    "make",
    [lambda: BetaReLU(0.7), lambda: soften(nn.Sequential(nn.ReLU()), beta=0.7)],
    ids=["BetaReLU", "softened"],
)
def test_a_fixed_beta_is_read_at_the_second_call_and_then_no_more(make: Callable[[], nn.Module]) -> None:
    layer, x = make(), torch.linspace(-3, 3, 7)
    results: list[Tensor] = []
    assert [reads(lambda: results.append(layer(x))) for _ in range(4)] == [0, 1, 0, 0]
    for result in results:
        torch.testing.assert_close(result, units.composite_relu(x, 0.7))


def test_a_beta_that_changes_at_every_step_is_never_read() -> None:
    layer, soft, x = BetaReLU(0.7), soften(nn.Sequential(nn.ReLU()), beta=0.7), torch.linspace(-3, 3, 7)
    for beta in (0.2, 0.4, 0.6, 0.8):
        layer.set_beta(beta)
        set_beta(soft, beta)
        for each in (layer, soft):
            results: list[Tensor] = []
            assert reads(lambda each=each, found=results: found.append(each(x))) == 0
            torch.testing.assert_close(results[0], units.composite_relu(x, beta))


def test_a_change_is_seen_and_a_copy_reads_its_own() -> None:
    layer, x = BetaReLU(0.7), torch.linspace(-3, 3, 7)
    for _ in range(3):
        layer(x)
    twin = copy.deepcopy(layer)
    with torch.no_grad():
        layer.beta.fill_(0.3)
    twin.load_state_dict({"beta": torch.tensor(0.9)})
    for each, beta in ((layer, 0.3), (twin, 0.9)):
        for _ in range(3):
            torch.testing.assert_close(each(x), units.composite_relu(x, beta))


def test_what_is_made_in_inference_mode_is_read_once_too() -> None:
    with torch.inference_mode():
        layer, x = soften(nn.Sequential(nn.ReLU()), beta=0.7).double(), torch.linspace(-3, 3, 7, dtype=torch.float64)
        assert [reads(lambda: layer(x)) for _ in range(4)] == [0, 1, 0, 0]
        set_beta(layer, 0.3)
        torch.testing.assert_close(layer(x), units.composite_relu(x, torch.tensor(0.3)))


def test_few_kernels_run_over_the_input() -> None:
    x, learned = torch.randn(256, 256, requires_grad=True), torch.tensor(0.6, requires_grad=True)
    for beta, most in (
        (0.6, ((2, 4), (3, 7))),
        (torch.tensor(0.6), ((4, 9.01), (5, 13))),
        (learned, ((4, 9.01), (10, 26))),
    ):
        forward, y = counted(lambda beta=beta: beta_relu(x, beta=beta), x, x.nbytes)
        wanted, ones = [x, learned] if beta is learned else [x], torch.ones_like(y)
        backward, _ = counted(lambda y=y, w=wanted, ones=ones: torch.autograd.grad(y, w, ones), x, x.nbytes)
        for count, (launches, moved) in zip((forward, backward), most, strict=True):
            assert count.big <= launches
            assert count.moved <= moved
            assert count.reads == 0
