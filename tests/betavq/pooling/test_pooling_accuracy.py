"""β-pooling and maxout against 50-digit arithmetic: the value to 4 roundings of the largest score, and gradients."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch
from torch import Tensor

from betavq import beta_from_eta
from betavq.functional import beta_max_pool2d, beta_maxout

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
ETAS = (1e-6, 1e-3, 0.3, 1.0, 5.0, 100.0, 1e6)
SCORES = (
    "ordinary",
    "of many sizes",
    "far from zero",
    "with ties",
    "tiny",
    "huge",
    "one above the rest",
)


def sample(scores: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    y = torch.randn(shape, generator=generator, dtype=torch.float64)
    range_ = min(1e38, torch.finfo(dtype).max)
    made = {
        "ordinary": x,
        "of many sizes": x * 10 ** (3 * y),
        "far from zero": range_ / 1e8 * (1 + x / 1e5) if dtype != torch.float16 else 1000 + x,
        "with ties": x.round(),
        "tiny": x * torch.finfo(dtype).tiny * 100,
        "huge": x * range_ / 20,
        "one above the rest": torch.where(y > 1, 1.0, -1.0) * (1 + 0.3 * x.abs().clamp(max=1)),
    }[scores]
    return made.clamp(-range_ / 4, range_ / 4).to(dtype)


def exact(scores: list[float], beta: float) -> tuple[mpmath.mpf, list[mpmath.mpf]]:
    """The value and its gradient in the scores."""
    with mpmath.workdps(50):
        eta = mpmath.mpf(beta) / (1 - mpmath.mpf(beta))
        zs = [mpmath.mpf(z) for z in scores]
        weights = [mpmath.exp(eta * (z - max(zs))) for z in zs]
        code = [weight / mpmath.fsum(weights) for weight in weights]
        value = mpmath.fsum(t * z for t, z in zip(code, zs, strict=True))
        return value, [t * (1 + eta * (z - value)) for t, z in zip(code, zs, strict=True)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("scores", SCORES)
def test_value_and_gradient_are_right_to_a_few_roundings(scores: str, dtype: torch.dtype) -> None:
    """Of the value 4 eps of the window's largest score; of the derivatives, which are about 1 at most, 4 eps."""
    limits = torch.finfo(dtype)
    for kernel, count in ((2, 12), (3, 12), (7, 2)):
        x = sample(scores, (count, 1, kernel, kernel), dtype).requires_grad_()
        for eta in ETAS:
            beta = beta_from_eta(eta)
            expected = [exact(window.flatten().tolist(), beta) for window in x]
            for y in (beta_max_pool2d(x, kernel, beta=beta).flatten(), beta_maxout(x.flatten(1), beta=beta)):
                (gradients,) = torch.autograd.grad(y.sum(), x)
                for window, found, slopes, (value, derivatives) in zip(x, y, gradients, expected, strict=True):
                    # The spacing of numbers is constant below the smallest normal one.
                    largest = max(window.abs().max().item(), limits.tiny)
                    assert abs(mpmath.mpf(found.item()) - value) <= 4 * limits.eps * largest
                    for slope, derivative in zip(slopes.flatten().tolist(), derivatives, strict=True):
                        assert abs(slope - derivative) <= 4 * limits.eps


@pytest.mark.parametrize("kernel", [2, 3, 20])
def test_no_window_of_many_errs_more(kernel: int) -> None:
    """float64 is exact enough beside float32; scores of one sign more often than of the other round the worst way."""
    generator = torch.Generator().manual_seed(1)
    shape = (200_000 // kernel**2, 1, kernel, kernel)
    signs = torch.where(torch.rand(shape, generator=generator) < 0.2, 1.0, -1.0)
    x = signs * (1 + 0.5 * torch.rand(shape, generator=generator))
    z = x.double().flatten(1)
    for eta in (0.0, 1e-6, 1e-3, 0.1, 0.3, 1.0, 3.0):
        x, z = (x.abs(), z.abs()) if eta == 0 else (signs * x.abs(), signs.flatten(1) * z.abs())
        y = beta_max_pool2d(x, kernel, beta=beta_from_eta(eta)).flatten().double()
        value = ((eta * z).softmax(1) * z).sum(1)
        assert ((y - value).abs() <= 4 * torch.finfo(torch.float32).eps * z.abs().amax(1)).all()


@pytest.mark.parametrize("eta", [1e-6, 1.0, 1e6])
def test_excluded_scores_do_not_count(eta: float) -> None:
    beta = beta_from_eta(eta)
    some, none = torch.tensor([-math.inf, 0.3, -math.inf, 0.3]), torch.full((4,), -math.inf)
    for x, expected in ((some, 0.3), (none, -math.inf)):
        for y in (beta_max_pool2d(x.view(1, 2, 2), 2, beta=beta), beta_maxout(x, beta=beta)):
            torch.testing.assert_close(y.item(), expected, rtol=2e-7, atol=0)


def test_equal_scores_are_their_pooled_value() -> None:
    """To the last bit: a flat image stays as it is."""
    for number in (0.1, -3e38, 1e-40):
        flat = torch.full((1, 8, 8), number)
        for beta in (0.01, 0.5, 0.99):
            assert torch.equal(beta_max_pool2d(flat, 3, 2, 1, beta=beta), torch.full((1, 4, 4), number))
