"""β-max-pooling on an accelerator, simulated, and compiled: the numbers of the careful form, by few kernels."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import betavq
from benchmarks.counts import counted, elsewhere
from betavq._pooling.windows import Windows
from betavq.functional import beta_max_pool2d
from betavq.nn import BetaMaxPool2d

pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # of torch.compile

BETAS = (1e-30, 1e-9, 0.01, 0.3, 0.5, 0.6, 0.9, 0.999, 1 - 1e-6)
SIZES = ((2, 2, 0, 1, False), (3, 2, 1, 1, False), (3, 1, 1, 2, True), (2, 3, 0, 1, True), (3, 2, 1, 2, True))
every_size = pytest.mark.parametrize("sizes", SIZES)


def images(dtype: torch.dtype = torch.float32) -> Tensor:
    """With infinite, largest and equal numbers beside others, and a channel of NaN here and there."""
    x = torch.randn(2, 3, 9, 8, generator=torch.Generator().manual_seed(0))
    most = torch.finfo(dtype).max
    x = x.to(dtype)
    x[0, 0, 0, :6] = torch.tensor([math.inf, 1.0, -math.inf, math.inf, -most, most])
    x[0, 1, :4, :4] = -math.inf
    x[0, 2, 2:5, 2:5] = torch.tensor([most, -most, -most]).to(dtype)
    x[1, 0, 5:, 5:] = 1.5
    x[1, 1, 4, 4] = math.nan
    return x


def both(function: Callable[[Tensor], Tensor], x: Tensor, upstream: Tensor | None = None) -> tuple[Tensor, Tensor]:
    x = x.detach().clone().requires_grad_()
    y = function(x)
    upstream = torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view(y.shape) if upstream is None else upstream
    return y.detach(), torch.autograd.grad(y, x, upstream)[0]


def careful(x: Tensor, beta: float | Tensor, sizes: tuple[int, int, int, int, bool]) -> Tensor:
    """The value of unfolded windows, with a β for which no short form serves."""
    kernel, stride, padding, dilation, ceil = sizes
    windows = Windows(*((size, size) for size in (kernel, stride, padding, dilation)), ceil)
    shape = windows.shape(x)
    return betavq.value(windows.unfolded(x), torch.full(shape, beta) if isinstance(beta, float) else beta)


def assert_alike(found: tuple[Tensor, Tensor], exact: tuple[Tensor, Tensor], eta: float) -> None:
    (y, slope), (z, other) = found, exact
    torch.testing.assert_close(y, z, rtol=1e-5, atol=1e-6, equal_nan=True)
    told = ~other.isnan() & ~slope.isnan()
    torch.testing.assert_close(slope[told], other[told], rtol=1e-4, atol=1e-5 * max(1.0, min(eta, 10.0)))


@every_size
@pytest.mark.parametrize("beta", BETAS)
def test_an_accelerator_gives_what_the_careful_form_gives(sizes: tuple[int, int, int, int, bool], beta: float) -> None:
    x, number = images(), torch.tensor(beta, dtype=torch.float64).item()
    with elsewhere():
        found = both(lambda x: beta_max_pool2d(x, *sizes, beta=number), x)
    exact = both(lambda x: careful(x, torch.tensor(number, dtype=torch.float64), sizes).float(), x.double())
    assert_alike(found, (exact[0], exact[1].float()), beta / (1 - beta))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_the_other_dtypes(dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, 9, 8).to(dtype)
    with elsewhere():
        found = both(lambda x: beta_max_pool2d(x, 3, 2, 1, beta=0.7), x)
    expected = both(lambda x: beta_max_pool2d(x, 3, 2, 1, beta=0.7), x)
    torch.testing.assert_close(found, expected)


def test_derivatives_of_derivatives() -> None:
    x = torch.randn(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    with elsewhere():
        assert torch.autograd.gradcheck(lambda x: beta_max_pool2d(x, 3, 2, 1, beta=0.6), (x,))
        assert torch.autograd.gradgradcheck(lambda x: beta_max_pool2d(x, 3, 2, 1, beta=0.6), (x,))


@pytest.mark.parametrize(("kernel", "stride", "padding", "most"), [(2, 2, 0, 22), (3, 2, 1, 45)])
def test_few_kernels_and_no_read(kernel: int, stride: int, padding: int, most: float) -> None:
    x = torch.randn(2, 8, 56, 56, requires_grad=True)
    pool = BetaMaxPool2d(kernel, stride, padding, beta=0.6)
    with elsewhere():
        for _ in range(2):
            pool(x)
        forward, y = counted(lambda: pool(x), x, x.nbytes)
        upstream = torch.ones_like(y)
        backward, _ = counted(lambda: torch.autograd.grad(y, x, upstream), x, x.nbytes)
    for count in (forward, backward):
        assert count.moved <= most
        assert count.reads == 0


@every_size
def test_the_sums_of_slices_are_their_adjoint(sizes: tuple[int, int, int, int, bool]) -> None:
    kernel, stride, padding, dilation, ceil = sizes
    windows = Windows((kernel, kernel + 1), (stride, stride), (padding, 0), (dilation, 1), ceil)
    x = torch.randn(2, 3, 11, 9, dtype=torch.float64, requires_grad=True)
    slices = windows.slices(x)
    terms = [torch.randn_like(each) for each in slices]
    (expected,) = torch.autograd.grad(slices, x, terms)
    torch.testing.assert_close(windows.sums_of_slices(terms, x), expected)


def test_compiled_it_gives_what_the_careful_form_gives() -> None:
    """With a β of each kind in one tensor, the ends included; and with a number."""
    sizes, x = SIZES[1], images()
    x[x.isfinite() & (x.abs() > 1e30)] = 7.0  # at β = 0 sums of those leave nothing but rounding errors
    betas = torch.tensor([0.0, 0.6, 1.0]).view(3, 1, 1)
    compiled = torch.compile(
        lambda x, beta: beta_max_pool2d(x, *sizes, beta=beta), fullgraph=True, backend="aot_eager"
    )
    for beta in (betas, 0.6, 0.0):
        assert_alike(both(lambda x, b=beta: compiled(x, b), x), both(lambda x, b=beta: careful(x, b, sizes), x), 1.5)


def test_compiled_a_beta_is_learned() -> None:
    x = torch.randn(2, 3, 9, 8, dtype=torch.float64, requires_grad=True)
    betas = torch.tensor([0.0, 0.6, 1.0], dtype=torch.float64).view(3, 1, 1).requires_grad_()
    plain = lambda x, beta: beta_max_pool2d(x, 3, 2, 1, beta=beta)  # noqa: E731
    compiled = torch.compile(plain, fullgraph=True, backend="aot_eager")
    found, expected = (torch.autograd.grad(f(x, betas).square().sum(), (x, betas)) for f in (compiled, plain))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
