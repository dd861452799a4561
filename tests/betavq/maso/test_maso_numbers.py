"""MASO: shapes, dtypes, autocast, numbers too large, memory."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from maso_examples import betas, random, random_maso
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import betavq
from betavq import MASO


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,), (2, 0, 3)])
@betas
def test_batch_shapes(shape: tuple[int, ...], beta: float) -> None:
    maso, x = random_maso(), random(*shape, 2)
    assert maso(x, beta).shape == (*shape, 3)
    assert maso.selection(x).shape == (*shape, 3)
    assert maso.scores(x).shape == maso.code(x, beta).shape == (*shape, 3, 4)
    rows = [maso(row, beta) for row in x.reshape(-1, 2)]
    if rows:
        torch.testing.assert_close(maso(x, beta).view(-1, 3), torch.stack(rows))


def test_strided_inputs() -> None:
    maso = random_maso()
    for x in (random(3, 2, 5).mT, random(5, 4)[:, ::2], random(1, 2).expand(4, 2)):
        for beta in (0.0, 0.5, 1.0):
            torch.testing.assert_close(maso(x, beta), maso(x.contiguous(), beta))


@betas
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtypes(dtype: torch.dtype, beta: float) -> None:
    maso, x = random_maso(padded=True, dtype=dtype), random(30, 2, dtype=dtype)
    y = maso(x, beta)
    assert y.dtype == maso.code(x, beta).dtype == maso.scores(x).dtype == dtype
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(y, betavq.value(maso.scores(x), beta), rtol=8 * eps, atol=8 * eps)
    y.sum().backward()
    assert maso.slopes.grad is not None
    assert maso.slopes.grad.dtype == dtype
    assert maso.slopes.grad.isfinite().all()


@betas
def test_scores_too_large_to_subtract(beta: float) -> None:
    largest = torch.finfo(torch.float32).max
    maso = MASO(torch.tensor([[[1.0], [-1.0], [0.0]]]), torch.zeros(1, 3))
    x = torch.tensor([[largest], [-largest]], requires_grad=True)
    y = maso(x, beta)
    torch.testing.assert_close(y, betavq.value(maso.scores(x), beta))
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_overflown_scores_give_infinite_values_and_nan_gives_nan(beta: float) -> None:
    maso = MASO(torch.tensor([[[3.0], [0.0]], [[3.0], [3.0]]]), torch.tensor([[0.0, -math.inf], [1.0, 2.0]]))
    y = maso(torch.tensor([[3e38], [-3e38], [math.nan]]), beta)
    assert y[:2].tolist() == [[math.inf] * 2, [-math.inf] * 2]
    assert y[2].isnan().all()


def test_autocast() -> None:
    maso, x = random_maso(dtype=torch.float32), random(30, 2, dtype=torch.float32).requires_grad_()
    for beta in (0.0, 0.5, 1.0):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = maso(x, beta)
            expected = betavq.value(maso.scores(x), beta)
        assert y.dtype == torch.bfloat16
        torch.testing.assert_close(y, expected, rtol=0.02, atol=0.02)
        (gradient,) = torch.autograd.grad(y.sum(), x)
        assert gradient.dtype == torch.float32
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert random_maso()(random(2, 2), beta).dtype == torch.float64


class LargestTensor(TorchDispatchMode):
    """Remembers the number of elements of the largest tensor that an operator made."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else [out]:
            if isinstance(tensor, Tensor) and not func.is_view:
                self.elements = max(self.elements, tensor.numel())
        return out


@pytest.mark.parametrize("sizes", [(5, 16, 3), (1, 10, 40)])
def test_memory_when_hard_is_that_of_the_output(sizes: tuple[int, int, int]) -> None:
    units, pieces, inputs = sizes
    maso, x = random_maso(*sizes), random(200, inputs)
    with torch.no_grad(), LargestTensor() as largest:
        maso(x)
        maso.selection(x)
    assert largest.elements == 200 * units
    with LargestTensor() as largest:
        maso(x)  # what is kept for a backward pass is no more
    assert largest.elements == 200 * units
    with LargestTensor() as largest:
        maso(x, 0.5)
    assert largest.elements == 200 * units * pieces  # the measure sees what it should


def test_more_pieces_than_a_byte_counts() -> None:
    slopes = torch.linspace(-1, 1, 300).view(1, 300, 1)
    maso = MASO(slopes, -0.5 * slopes.square().sum(-1))
    assert maso.selection(slopes[0]).flatten().tolist() == list(range(300))
