"""β-pooling takes the windows PyTorch takes, makes no copies of them, and has a β to learn, the ends included."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import betavq
from betavq._pooling.windows import Windows
from betavq.functional import beta_max_pool1d, beta_max_pool2d


def sample(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def one_by_one(x: Tensor, kernel: int, stride: int, padding: int, dilation: int, count: int, beta: float) -> Tensor:
    """Window by window of a sequence, with nothing but indices and :func:`betavq.value`; −∞ of an empty window."""
    nothing = torch.full((*x.shape[:-1], 1), -torch.inf, dtype=x.dtype)
    values = []
    for i in range(count):
        positions = [i * stride - padding + k * dilation for k in range(kernel)]
        inside = [p for p in positions if 0 <= p < x.shape[-1]]
        values.append(betavq.value(x[..., inside] if inside else nothing, beta))
    return torch.stack(values, -1)


def pooled_or_refused(function: Any, *arguments: Any, **named: Any) -> Tensor | None:
    try:
        return function(*arguments, **named)
    except (RuntimeError, ValueError):
        return None


@pytest.mark.parametrize("length", range(1, 9))
def test_every_small_window_is_taken_or_refused_as_by_pytorch(length: int) -> None:
    """Sizes, strides, paddings, dilations and ceil_mode: as F.max_pool2d on a row, so the softened one."""
    x = sample(1, 2, length)
    taken = refused = 0
    for kernel, stride, padding, dilation in itertools.product(range(1, 5), range(1, 5), range(3), range(1, 4)):
        for ceil_mode in (False, True):
            window = (kernel, stride, padding, dilation, ceil_mode)
            of_rows = [(1, kernel), (1, stride), (0, padding), (1, dilation), ceil_mode]
            expected = pooled_or_refused(F.max_pool2d, x.unsqueeze(-2), *of_rows)
            hard = pooled_or_refused(beta_max_pool1d, x, *window, beta=1.0)
            soft = pooled_or_refused(beta_max_pool1d, x, *window, beta=0.4)
            if expected is None:
                assert hard is None
                assert soft is None
                refused += 1
                continue
            assert hard is not None
            assert soft is not None
            assert torch.equal(hard, expected.squeeze(-2)), window
            by_hand = one_by_one(x, kernel, stride, padding, dilation, expected.shape[-1], 0.4)
            torch.testing.assert_close(soft, by_hand, rtol=1e-14, atol=1e-14, msg=str(window))
            taken += 1
    assert taken > 0
    assert refused > 0


@pytest.fixture
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Tensor:
        raise AssertionError("the windows were copied")

    monkeypatch.setattr(Windows, "unfolded", refuse)


BETAS = {
    "number": 0.4,
    "even": 0.0,
    "learned": torch.tensor(0.4, requires_grad=True),
    "learned, at 0": torch.tensor(0.0, requires_grad=True),
    "learned, at 1": torch.tensor(1.0, requires_grad=True),
    "of channels, ends too": torch.tensor([0.0, 0.3, 1.0]).view(3, 1, 1).requires_grad_(),
    "of windows": (torch.arange(16.0) / 15).view(4, 4).requires_grad_(),
}


@pytest.mark.usefixtures("no_copies")
@pytest.mark.parametrize("beta", BETAS.values(), ids=BETAS.keys())
@pytest.mark.parametrize("dilation", [1, 2])
def test_no_copies_of_the_windows_are_made(beta: float | Tensor, dilation: int) -> None:
    """Neither forward nor backward, for numbers that are finite, however large their sum."""
    shape = (2, 3, 6 + 2 * dilation, 6 + 2 * dilation)  # of 4 × 4 windows
    for x in (sample(*shape, dtype=torch.float32), torch.full(shape, 3e38)):
        x.requires_grad_()
        window = (3, 2, 1, dilation)
        y = beta_max_pool2d(x, *window, beta=beta)
        assert y.isfinite().all()
        y.backward(torch.ones_like(y))
        assert x.grad is not None
        torch.testing.assert_close(x.grad.sum(), torch.tensor(float(y.numel())))


@pytest.mark.parametrize("beta", [b for b in BETAS.values() if isinstance(b, Tensor)], ids=[*BETAS][2:])
def test_learned_ends_have_the_derivatives_of_the_copies(beta: Tensor) -> None:
    x = sample(2, 3, 8, 8).mul(2).round().requires_grad_()  # with ties
    beta = beta.detach().double().requires_grad_()
    windows = Windows((3, 3), (2, 2), (1, 1), (1, 1), ceil_mode=False)
    found, expected = (beta_max_pool2d(x, 3, 2, 1, beta=beta), betavq.value(windows.unfolded(x), beta))
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)
    upstream = sample(*found.shape, seed=1)
    gradients = [torch.autograd.grad(y, (x, beta), upstream) for y in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("window", [(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 1, 0)], ids=str)
@pytest.mark.parametrize("is_learned", [False, True])
def test_at_most_twice_the_input_is_saved(dtype: torch.dtype, window: tuple[int, int, int], is_learned: bool) -> None:
    """In bytes, the input itself included."""
    saved: list[int] = []
    x = sample(2, 4, 28, 28, dtype=dtype).requires_grad_()
    beta = torch.tensor(0.5, requires_grad=is_learned)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.nbytes) or t, lambda t: t):
        y = beta_max_pool2d(x, *window, beta=beta)
    assert sum(saved) <= 2 * x.nbytes + beta.nbytes
    again = beta_max_pool2d(x.double(), *window, beta=beta)
    found, expected = (torch.autograd.grad(z.sum(), x)[0] for z in (y, again))
    torch.testing.assert_close(found, expected, rtol=8 * torch.finfo(dtype).eps, atol=8 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("window", [(2, 2, 0), (3, 2, 1)], ids=str)
def test_the_format_of_the_memory_is_kept(window: tuple[int, int, int]) -> None:
    """Of strided images too, and with the gradient in either format."""
    x = sample(2, 3, 8, 16)
    last = x.contiguous(memory_format=torch.channels_last)
    for of, other in ((x, last), (x[..., ::2], last[..., ::2])):
        expected = beta_max_pool2d(of, *window, beta=0.7)
        y = beta_max_pool2d(leaf := other.detach().requires_grad_(), *window, beta=0.7)
        assert expected.is_contiguous()
        assert y.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(y, expected, rtol=1e-15, atol=1e-15)
        plain = of.detach().requires_grad_()
        for upstream in (expected, y.detach()):
            (found,) = torch.autograd.grad(beta_max_pool2d(leaf, *window, beta=0.7), leaf, upstream)
            (wanted,) = torch.autograd.grad(beta_max_pool2d(plain, *window, beta=0.7), plain, upstream)
            torch.testing.assert_close(found, wanted, rtol=1e-14, atol=1e-14)
    last[0, 0, 0, 0] = -torch.inf  # which takes the way of copies
    assert beta_max_pool2d(last, *window, beta=0.7).is_contiguous(memory_format=torch.channels_last)


def test_tiles_hold_every_number_once_and_belong_to_all_windows() -> None:
    """The places whose gradients are written without a 0 to add them to."""
    with_tiles = 0
    sizes = itertools.product(range(1, 7), range(1, 7), range(1, 4), range(1, 4), range(2), (1, 2), (False, True))
    for height, width, kernel, stride, padding, dilation, ceil_mode in sizes:
        windows = Windows((kernel, 2), (stride, 2), (padding, 0), (dilation, 1), ceil_mode)
        x = torch.zeros(height, width)
        if min(windows.shape(x)) < 1:
            continue
        tiles = [place for place in windows.places(x) if place.is_tile]
        assert all(place.outside is None for place in tiles)
        for place in tiles:
            x[place.inside] += 1
        assert (x == bool(tiles)).all()
        with_tiles += bool(tiles)
    assert with_tiles > 50
