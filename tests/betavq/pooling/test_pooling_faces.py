"""β-pooling as modules, under PyTorch's transforms, and what it refuses."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from betavq.functional import beta_max_pool1d, beta_max_pool2d, beta_maxout
from betavq.nn import BetaMaxout, BetaMaxPool1d, BetaMaxPool2d


def sample(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_modules_are_their_functions() -> None:
    x = sample(2, 4, 9, 9)
    betas = torch.tensor([0.1, 0.4, 0.6, 0.9])
    pool = BetaMaxPool2d(3, 2, 1, beta=betas, learnable=True)
    torch.testing.assert_close(pool(x), beta_max_pool2d(x, 3, 2, 1, beta=betas.view(4, 1, 1)))
    torch.testing.assert_close(pool(x[0]), pool(x)[0])
    assert torch.equal(BetaMaxPool1d(2, beta=1.0)(x[0]), F.max_pool1d(x[0], 2))
    torch.testing.assert_close(BetaMaxout(1, beta=0.3)(x), beta_maxout(x, 1, beta=0.3))
    assert torch.equal(BetaMaxPool2d(2, beta=1.0)(x), torch.nn.MaxPool2d(2)(x))


def test_modules_copy_pickle_and_say_what_they_are() -> None:
    pool = BetaMaxPool2d(3, 2, padding=1, beta=0.25, learnable=True)
    for twin in (copy.deepcopy(pool), pickle.loads(pickle.dumps(pool))):
        assert repr(twin) == repr(pool)
        assert torch.equal(twin(sample(1, 2, 6, 6)), pool(sample(1, 2, 6, 6)))
    expected = "kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False, beta=0.25, learnable=True"
    assert pool.extra_repr() == expected
    assert BetaMaxout(2, beta=0.5).extra_repr() == "dim=2, beta=0.5"
    assert set(pool.state_dict()) == {"beta"}


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch.compile's own
def test_compiles_without_a_break_forward_and_backward() -> None:
    x = sample(2, 3, 8, 8).requires_grad_()
    pool = BetaMaxPool2d(2, beta=0.4, learnable=True)
    compiled = torch.compile(pool, backend="aot_eager", fullgraph=True)
    found = []
    for layer in (pool, compiled):
        x.grad, pool.beta.grad = None, None
        layer(x).square().sum().backward()
        assert x.grad is not None
        assert pool.beta.grad is not None
        found.append((layer(x).detach(), x.grad.clone(), pool.beta.grad.clone()))
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)


def test_transforms_and_export() -> None:
    x = sample(3, 2, 6, 6).double()
    pooled = torch.vmap(lambda row: beta_max_pool2d(row, 2, beta=0.4))(x)
    torch.testing.assert_close(pooled, beta_max_pool2d(x, 2, beta=0.4))
    total = lambda x: beta_max_pool2d(x, 2, beta=0.4).square().sum()  # noqa: E731
    (expected,) = torch.autograd.grad(total(y := x.clone().requires_grad_()), y)
    torch.testing.assert_close(torch.func.grad(total)(x), expected)
    exported = torch.export.export(BetaMaxPool2d(2, beta=0.4), (x,))
    torch.testing.assert_close(exported.module()(x), pooled)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kernel_size": 0}, ValueError, r"kernel_size must be 2 integer\(s\) of at least 1, got 0"),
        ({"kernel_size": (2, 2, 2)}, ValueError, r"kernel_size must be 2 integer\(s\) of at least 1, got \(2, 2, 2\)"),
        ({"kernel_size": 2.0}, TypeError, r"kernel_size must be an integer or 2 of them, got 2\.0"),
        ({"kernel_size": 2, "stride": 0}, ValueError, r"stride must be .* at least 1, got 0"),
        ({"kernel_size": 2, "padding": -1}, ValueError, r"padding must be .* at least 0, got -1"),
        ({"kernel_size": 2, "padding": 2}, ValueError, "padding must be at most half the kernel, 2×2, got 2"),
        ({"kernel_size": 2, "dilation": 0}, ValueError, r"dilation must be .* at least 1, got 0"),
        ({"kernel_size": 9}, ValueError, "input must hold a window of 9×9, got 6×6 with its padding"),
        ({"kernel_size": 2, "beta": 1.5}, ValueError, r"beta must be in \[0, 1\], got 1\.5"),
        ({"kernel_size": 2, "beta": torch.ones(2, 1, 1) / 2}, ValueError, "beta of shape .* must broadcast"),
    ],
)
def test_what_is_refused(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        beta_max_pool2d(sample(1, 3, 6, 6), **{"beta": 0.5, **arguments})


def test_inputs_that_are_refused() -> None:
    with pytest.raises(ValueError, match=r"input must be of shape \(N, C, H, W\) or \(C, H, W\)"):
        beta_max_pool2d(sample(4, 4), 2, beta=0.5)
    with pytest.raises(ValueError, match=r"input must be of shape \(N, C, L\) or \(C, L\)"):
        beta_max_pool1d(sample(1, 1, 4, 4), 2, beta=0.5)
    with pytest.raises(TypeError, match="input must be float16"):
        beta_max_pool2d(torch.ones(1, 4, 4, dtype=torch.int64), 2, beta=0.5)
    with pytest.raises(ValueError, match=r"beta must be a number or of shape \(\)"):
        BetaMaxout(beta=torch.tensor([0.1, 0.2]))
    assert beta_max_pool2d(sample(0, 2, 4, 4), 2, beta=0.5).shape == (0, 2, 2, 2)
