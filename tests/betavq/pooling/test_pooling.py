"""β-max-pooling: PyTorch's at β = 1, the mean at β = 0, the value of each window between; windows of every kind."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import betavq
from betavq.functional import beta_max_pool1d, beta_max_pool2d, beta_maxout

WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": (3, 2), "stride": (2, 3), "padding": (1, 1), "ceil_mode": True},
    {"kernel_size": 3, "stride": 1, "padding": 1},
    {"kernel_size": (2, 3), "stride": 3, "padding": 1, "dilation": (1, 2), "ceil_mode": True},
    {"kernel_size": 2, "stride": 5},
]
windows = pytest.mark.parametrize("window", WINDOWS, ids=lambda window: "-".join(map(str, window.values())))


def sample(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return (2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).to(dtype)


def by_hand(x: Tensor, beta: float | Tensor, window: dict[str, Any]) -> Tensor:
    """Window by window, with nothing but indices and :func:`betavq.value`."""
    pair = lambda name, default: (v, v) if isinstance(v := window.get(name, default), int) else v  # noqa: E731
    kernel = pair("kernel_size", None)
    stride, padding, dilation = pair("stride", kernel), pair("padding", 0), pair("dilation", 1)
    shape = F.max_pool2d(x, **window).shape
    out = torch.empty(shape, dtype=x.dtype)
    rows, columns = (range(shape[axis]) for axis in (-2, -1))
    for i in rows:
        for j in columns:
            ys = [
                y for k in range(kernel[0]) if 0 <= (y := i * stride[0] - padding[0] + k * dilation[0]) < x.shape[-2]
            ]
            xs = [
                c for k in range(kernel[1]) if 0 <= (c := j * stride[1] - padding[1] + k * dilation[1]) < x.shape[-1]
            ]
            out[..., i, j] = betavq.value(x[..., ys, :][..., xs].flatten(-2), beta)
    return out


@windows
@pytest.mark.parametrize("beta", [0.0, 0.1, 0.5, 0.97, 1.0])
@pytest.mark.claim("C4")
def test_each_window_has_the_value_of_its_pieces(window: dict[str, Any], beta: float) -> None:
    """Max-pooling softened by β is the value of each window's inputs, padding left out."""
    x = sample(2, 3, 11, 9)
    torch.testing.assert_close(
        beta_max_pool2d(x, **window, beta=beta), by_hand(x, beta, window), rtol=1e-14, atol=1e-14
    )
    torch.testing.assert_close(beta_max_pool2d(x[0], **window, beta=beta), by_hand(x[0], beta, window))


@windows
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.claim("C4")
def test_hard_pooling_is_pytorch_bit_for_bit(window: dict[str, Any], dtype: torch.dtype) -> None:
    """At β = 1 it is F.max_pool2d bit for bit, and so is its gradient, ties included."""
    x = sample(2, 3, 11, 9, dtype=dtype).mul(2).round().requires_grad_()  # many ties
    expected = F.max_pool2d(x, **window)
    upstream = sample(*expected.shape, dtype=dtype, seed=1)
    for beta in (1.0, torch.tensor(1.0)):
        y = beta_max_pool2d(x, **window, beta=beta)
        assert torch.equal(y, expected)
        gradients = [torch.autograd.grad(pooled, x, upstream, retain_graph=True)[0] for pooled in (y, expected)]
        assert torch.equal(*gradients)


@windows
def test_gradients(window: dict[str, Any]) -> None:
    x = sample(1, 2, 7, 6).requires_grad_()
    channels = torch.tensor([0.3, 0.8], dtype=torch.float64).view(2, 1, 1).requires_grad_()
    for beta in (torch.tensor(0.4, dtype=torch.float64, requires_grad=True), channels):
        assert torch.autograd.gradcheck(lambda x, b: beta_max_pool2d(x, **window, beta=b), (x, beta))
    assert torch.autograd.gradcheck(lambda x: beta_max_pool2d(x, **window, beta=0.6), (x,))


def test_derivatives_of_derivatives() -> None:
    x, beta = sample(1, 1, 4, 4).requires_grad_(), torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x, b: beta_max_pool2d(x, 2, beta=b), (x, beta))


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")  # torch's own, at the first forward mode
def test_derivatives_of_every_other_kind() -> None:
    """Of a β that the input depends on too, of many outputs at once, and in forward mode."""
    x = sample(1, 2, 4, 4).requires_grad_()
    beta = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    pooled = lambda x, b: beta_max_pool2d(b * x, 2, beta=b)  # noqa: E731
    y = pooled(x, beta)
    once = torch.autograd.grad(y.sum(), (x, beta), retain_graph=True)
    again = torch.autograd.grad(y.sum(), (x, beta), create_graph=True)
    torch.testing.assert_close(again, once, rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradcheck(pooled, (x, beta), check_batched_grad=True, check_forward_ad=True)


FINITE = (0.0, 1.0, -1.0, 3e38, -3e38, 1e-40)


@pytest.mark.parametrize("kinds", [FINITE, (*FINITE, math.inf, -math.inf)], ids=["finite", "infinite too"])
@given(seed=st.integers(0, 2**31), beta=st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1 - 1e-15])))
def test_special_numbers_never_become_nan(kinds: tuple[float, ...], seed: int, beta: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.tensor(kinds)[torch.randint(len(kinds), (1, 4, 4), generator=generator)].requires_grad_()
    y = beta_max_pool2d(x, 2, beta=beta)
    torch.testing.assert_close(y, by_hand(x, beta, {"kernel_size": 2}), rtol=1e-5, atol=1e-5)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert not gradient.isnan().any()


def test_nan_spreads_to_its_windows_only() -> None:
    x = sample(1, 1, 4, 4)
    x[0, 0, 0, 0] = math.nan
    assert beta_max_pool2d(x, 2, beta=0.5).isnan().flatten().tolist() == [True, False, False, False]


def test_sequences() -> None:
    x = sample(2, 3, 13)
    window: dict[str, Any] = {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}
    images = beta_max_pool2d(x.unsqueeze(-2), (1, 3), (1, 2), (0, 1), (1, 2), beta=0.4).squeeze(-2)
    torch.testing.assert_close(beta_max_pool1d(x, **window, beta=0.4), images, rtol=0, atol=0)
    assert torch.equal(beta_max_pool1d(x, **window, beta=1.0), F.max_pool1d(x, **window))
    channels = torch.tensor([[0.1], [0.5], [0.9]], dtype=torch.float64)
    by_channel = beta_max_pool1d(x, 2, beta=channels)
    for channel in range(3):
        alone = beta_max_pool1d(x[:, channel : channel + 1], 2, beta=channels[channel].item())
        torch.testing.assert_close(by_channel[:, channel : channel + 1], alone)


def test_maxout_is_the_value_along_a_dimension() -> None:
    x = sample(2, 6, 5)
    grouped = x.unflatten(1, (-1, 3))
    assert torch.equal(beta_maxout(grouped, 2, beta=1.0), grouped.amax(2))
    torch.testing.assert_close(beta_maxout(grouped, 2, beta=0.0), grouped.mean(2))
    torch.testing.assert_close(beta_maxout(x, beta=0.5), (x.softmax(-1) * x).sum(-1))
