"""The fast form of the units: taken where it applies, equal to the composite form, saving the input alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad

import betavq
from betavq._two_pieces import fast as fast_form
from betavq._two_pieces import units
from betavq.functional import beta_abs, beta_leaky_relu, beta_relu
from betavq.nn import BetaReLU

UNITS = {
    "relu": (lambda x, b: beta_relu(x, beta=b), units.composite_relu),
    "abs": (lambda x, b: beta_abs(x, beta=b), units.composite_abs),
    "leaky": (
        lambda x, b: beta_leaky_relu(x, 0.2, beta=b),
        lambda x, b: units.composite_leaky_relu(x, 0.2, b),
    ),
}
every = pytest.mark.parametrize("name", UNITS)


def sample(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return (3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).to(dtype)


def value_and_gradients(function, x: Tensor, beta: float | Tensor, upstream: Tensor) -> list[Tensor]:
    inputs = [t.detach().clone().requires_grad_() for t in (x, beta) if isinstance(t, Tensor)]
    y = function(inputs[0], inputs[1] if len(inputs) > 1 else beta)
    return [y.detach(), *torch.autograd.grad(y, inputs, upstream)]


@every
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("form", ["number", "shared", "channels", "rows"])
def test_it_agrees_with_the_composite_form(name: str, dtype: torch.dtype, form: str) -> None:
    """With its float64 values: 16-bit ones are these, rounded once; a sum errs as its terms do, and is rounded."""
    x, upstream = sample(70, 3, 401, dtype=dtype), sample(70, 3, 401, dtype=dtype, seed=1)  # more than one block
    inner = torch.tensor([0.01, 0.5, 0.97], dtype=dtype)
    rows = torch.linspace(0.05, 0.9, 70, dtype=dtype).view(70, 1, 1)
    beta = {"number": 0.3, "shared": inner[1], "channels": inner.view(1, 3, 1), "rows": rows}[form]
    exact_beta = beta.double() if isinstance(beta, Tensor) else beta
    fast = [t.double() for t in value_and_gradients(UNITS[name][0], x, beta, upstream)]
    exact = value_and_gradients(UNITS[name][1], x.double(), exact_beta, upstream.double())
    eps, computed = torch.finfo(dtype).eps, torch.finfo(torch.promote_types(dtype, torch.float32)).eps
    rounding = 0.501 * eps if eps > computed else 0.0
    subnormal = torch.finfo(dtype).tiny * eps
    u = betavq.eta_from_beta(exact_beta) * x.double().abs()
    for one, other, size in zip(fast[:2], exact[:2], (x.double().abs(), upstream.double().abs()), strict=True):
        allowed = rounding * other.abs() + 4 * computed * (1 + u.clamp(max=4)) * size + subnormal
        assert ((one - other).abs() <= allowed).all()
    if form != "number":
        # The exponent ηx is rounded, each term by a few more operations, and partial sums at some ten levels.
        one_each = exact_beta.expand_as(x).clone()
        terms = value_and_gradients(UNITS[name][1], x.double(), one_each, upstream.double())[2].abs()
        allowed = (terms * (16 + 2 * u)).sum_to_size(beta.shape) * computed + 0.501 * eps * exact[2].abs()
        assert ((fast[2] - exact[2]).abs() <= allowed).all()


@every
@pytest.mark.parametrize("shape", [(), (0, 4), (5,), (2, 3, 4, 5)])
def test_any_shape_and_memory_order(name: str, shape: tuple[int, ...]) -> None:
    x = sample(*shape)
    orders = [x, x.t()] if len(shape) == 2 else [x]
    if len(shape) == 4:
        orders += [x.to(memory_format=torch.channels_last), x[:, :, ::2, 1:]]
    for ordered in orders:
        beta = torch.tensor(0.4, dtype=torch.float64)
        fast, composite = (value_and_gradients(f, ordered, beta, torch.ones_like(ordered)) for f in UNITS[name])
        torch.testing.assert_close(fast, composite, rtol=1e-13, atol=1e-13)
        assert not ordered.numel() or fast[0].stride() == composite[0].stride()


@pytest.mark.parametrize(
    ("x", "beta", "taken"),
    [
        ([1.0, -2.0], 0.5, True),
        ([1.0, -2.0], torch.tensor(0.5), True),
        ([1.0, -2.0], torch.tensor([0.2, 0.5]), False),  # one β for each number: nothing to gain
        ([1.0, -math.inf], 0.5, False),
        ([1.0, math.nan], 0.5, False),
        ([1.0, -2.0], 1.0, False),
        ([1.0, -2.0], 0.0, False),
        ([1.0, -2.0], 1e-40, False),
        ([1.0, -2.0], torch.tensor([0.2, 1.0, 0.2, 0.2]).view(4, 1), False),
    ],
)
def test_where_it_applies(x: list[float], beta: float | Tensor, taken: bool) -> None:
    assert (fast_form.fast(torch.tensor(x), beta, units.RELU) is not None) == taken


@pytest.mark.parametrize("beta", [0.5, torch.tensor(0.5, requires_grad=True)], ids=["number", "learnable"])
def test_the_input_alone_is_saved_for_the_backward_pass(beta: float | Tensor) -> None:
    saved: list[int] = []
    x = sample(1000, dtype=torch.float32).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        beta_relu(x, beta=beta)
    assert sorted(saved) in ([1000], [1, 1000])


@every
def test_derivatives_of_derivatives(name: str) -> None:
    x = sample(6).requires_grad_()
    beta = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(UNITS[name][0], (x, beta))
    assert torch.autograd.gradgradcheck(lambda x: UNITS[name][0](x, 0.4), (x,))


@every
@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")  # torch's own, at the first forward mode
def test_forward_mode(name: str) -> None:
    x = sample(6).requires_grad_()
    beta = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(UNITS[name][0], (x, beta), check_forward_ad=True)


@every
def test_an_expanded_upstream_gradient(name: str) -> None:
    x, beta = sample(3, 4), torch.tensor(0.4, dtype=torch.float64)
    upstream = (torch.ones_like(x), torch.ones_like(x[0, 0]).expand(3, 4))
    one, other = (value_and_gradients(UNITS[name][0], x, beta, ones) for ones in upstream)
    torch.testing.assert_close(one, other, rtol=1e-14, atol=1e-14)


def test_sums_of_terms_that_overflow_stay_finite_or_keep_their_sign() -> None:
    x = torch.full((4,), 1e19)
    beta = torch.tensor(1e-19, requires_grad=True)
    upstream = torch.tensor([3e38, -3e38, 3e38, -3e38])
    (gradient,) = torch.autograd.grad(beta_relu(x, beta=beta), beta, upstream)
    assert not gradient.isnan()


def test_a_module_with_a_kept_beta_takes_it() -> None:
    x = sample(50, dtype=torch.float32)
    layer = BetaReLU(0.7)
    torch.testing.assert_close(layer(x), beta_relu(x, beta=float(layer.beta)), rtol=0, atol=0)


@every
@pytest.mark.parametrize(("rows", "columns"), [((1, 4), (3, 1)), ((5, 1), (1, 3)), ((2, 1, 4), (1, 3, 1))])
def test_a_beta_that_enlarges_the_result(name: str, rows: tuple[int, ...], columns: tuple[int, ...]) -> None:
    x, beta = sample(*rows), sample(*columns).sigmoid()
    upstream = sample(*torch.broadcast_shapes(rows, columns), seed=1)
    fast, composite = (value_and_gradients(f, x, beta, upstream) for f in UNITS[name])
    torch.testing.assert_close(fast, composite, rtol=1e-12, atol=1e-12)


@every
def test_a_beta_that_the_input_depends_on_too(name: str) -> None:
    """Two layers of one learnable β, and a penalty on gradients: the first layer's part must not count twice."""
    x, beta = sample(6).requires_grad_(), torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    results = []
    for function in UNITS[name]:
        y = function(function(x, beta), beta)
        plain = torch.autograd.grad(y.sum(), (x, beta), retain_graph=True)
        again = torch.autograd.grad(y.sum(), (x, beta), create_graph=True)
        torch.testing.assert_close(again, plain, rtol=1e-12, atol=1e-12)
        results.append(torch.autograd.grad(sum(g.square().sum() for g in again), (x, beta)))
    torch.testing.assert_close(*results, rtol=1e-10, atol=1e-10)


@every
def test_many_gradients_at_once(name: str) -> None:
    x, beta = sample(6).requires_grad_(), torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    function = UNITS[name][0]
    rows = [torch.autograd.grad(function(x, beta), (x, beta), row) for row in torch.eye(6, dtype=torch.float64)]
    expected = [torch.stack(column) for column in zip(*rows, strict=True)]
    upstream = torch.eye(6, dtype=torch.float64)
    for again in (False, True):
        y = function(x, beta)
        found = torch.autograd.grad(y, (x, beta), upstream, is_grads_batched=True, create_graph=again)
        torch.testing.assert_close(list(found), expected, rtol=1e-12, atol=1e-12)
    found = torch.autograd.functional.jacobian(function, (x, beta), vectorize=True)
    torch.testing.assert_close(list(found), expected, rtol=1e-12, atol=1e-12)


@every
@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
def test_forward_mode_over_and_under_the_backward_pass(name: str) -> None:
    """The derivative of the gradient along (1, 1), against that of the backward pass's own graph."""
    x, beta = sample(6).requires_grad_(), torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    function = UNITS[name][0]
    gradients = torch.autograd.grad(function(x, beta).sum(), (x, beta), create_graph=True)
    expected = list(torch.autograd.grad(sum(g.sum() for g in gradients), (x, beta)))
    with forward_ad.dual_level():
        dual = [forward_ad.make_dual(t, torch.ones_like(t)) for t in (x, beta)]
        y = function(*dual)
        over = [forward_ad.unpack_dual(g).tangent for g in torch.autograd.grad(y.sum(), dual, retain_graph=True)]
        under = list(torch.autograd.grad(forward_ad.unpack_dual(y).tangent.sum(), (x, beta)))
    torch.testing.assert_close(over, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(under, expected, rtol=1e-12, atol=1e-12)


def test_an_upstream_gradient_with_a_tangent() -> None:
    x = sample(6).requires_grad_()
    y = beta_relu(x, beta=0.4)
    (expected,) = torch.autograd.grad(y, x, torch.full_like(y, 2), retain_graph=True)
    with forward_ad.dual_level():
        upstream = forward_ad.make_dual(torch.ones_like(y), torch.full_like(y, 2))
        (gradient,) = torch.autograd.grad(y, x, upstream)
        torch.testing.assert_close(forward_ad.unpack_dual(gradient).tangent, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("slope", [-3.0, 1.5, 7.0, 100.0, 12345.678, 1e8, -1e8, 1e20])
def test_a_steep_slope_leaves_the_other_piece_its_digits(slope: float) -> None:
    """Where the gate is open the unit is x, of slope 1, however far that is from ν."""
    x = torch.tensor([0.5, 1.0, 30.0], requires_grad=True)
    y = beta_leaky_relu(x, slope, beta=0.9999)
    torch.testing.assert_close(y, x, rtol=2e-6, atol=0)
    torch.testing.assert_close(torch.autograd.grad(y.sum(), x)[0], torch.ones(3), rtol=2e-6, atol=0)


def test_an_upstream_gradient_that_an_overflow_of_the_squared_input_must_not_touch() -> None:
    x = torch.full((2,), 1e25)
    beta = torch.tensor(1e-25, requires_grad=True)
    (gradient,) = torch.autograd.grad(beta_relu(x, beta=beta), beta, torch.tensor([0.0, 1e-30]))
    gate = torch.tensor(1.0, dtype=torch.float64).sigmoid()
    torch.testing.assert_close(gradient.double(), 1e20 * gate * (1 - gate), rtol=1e-5, atol=0)


@every
def test_gates_that_are_shut_or_open_beyond_all_numbers(name: str) -> None:
    """ηx overflows, and 0 · ∞ must not come out of it."""
    x, upstream = torch.tensor([1e30, -1e30, 3e30, -3e30]), torch.tensor([1.0, 2.0, -3.0, 4.0])
    for beta in (1 - 2**-53, torch.tensor(1 - 2**-53, dtype=torch.float64)):
        fast, composite = (value_and_gradients(f, x, beta, upstream) for f in UNITS[name])
        torch.testing.assert_close(fast, composite, rtol=1e-6, atol=0)


@every
def test_a_tensor_that_outlives_its_transform(name: str) -> None:
    kept: list[Tensor] = []
    torch.func.grad(lambda x: (kept.append(x), x.sum())[1])(sample(5))
    found = value_and_gradients(UNITS[name][0], kept[0], 0.7, sample(5, seed=1))
    expected = value_and_gradients(UNITS[name][1], sample(5), 0.7, sample(5, seed=1))
    torch.testing.assert_close(found, expected)


@every
def test_numbers_kept_from_one_mode_serve_in_every_other(name: str) -> None:
    """What is kept of β between calls depends neither on inference mode nor on the default device."""
    fast_form._zero_dim.cache_clear()
    with torch.inference_mode(), torch.device("meta"):
        UNITS[name][0](torch.ones(3, device="cpu"), 0.7)
    found = value_and_gradients(UNITS[name][0], sample(5), 0.7, sample(5, seed=1))
    expected = value_and_gradients(UNITS[name][1], sample(5), 0.7, sample(5, seed=1))
    torch.testing.assert_close(found, expected)
