"""Selection under noise: against 50 digits made from the densities, the named nonlinearities, and inference."""

from __future__ import annotations

from typing import Literal

import mpmath
import pytest
import torch
import torch.nn.functional as F
from mpmath import mpf
from noise_examples import excess, relu_pieces, second_share
from torch import Tensor

import betavq
from betavq import noise

GAPS = (-12.0, -6.5, -2.0, -1.0, -0.999, -0.3, 0.0, 1e-8, 0.25, 0.999, 1.0, 3.0, 9.0, 12.0)
SYMMETRIC = ("logistic", "uniform", "gaussian", "lomax")
WITH_MAXIMUM = ("logistic", "uniform", "gaussian", "exponential")
U = torch.linspace(-30, 30, 10_001, dtype=torch.float64)


@pytest.mark.parametrize("name", noise.NOISES)
@pytest.mark.parametrize(("dtype", "digits"), [(torch.float64, 1e-14), (torch.float32, 1e-5)])
def test_code_of_every_noise_to_all_digits(name: noise.Noise, dtype: torch.dtype, digits: float) -> None:
    """Both shares relative to themselves, however small; a share below the normal numbers may be 0."""
    scale = 0.5
    u = torch.tensor(GAPS, dtype=dtype) * scale
    got = noise.code(relu_pieces(u), name, scale)
    for gap, shares in zip((u / scale).tolist(), got.tolist(), strict=True):
        second = second_share(name, gap)
        for share, expected in zip(shares, (1 - second, second), strict=True):
            assert abs(share - expected) <= digits * max(1, gap * gap) * expected + torch.finfo(dtype).tiny


@pytest.mark.parametrize("name", WITH_MAXIMUM)
@pytest.mark.parametrize(("dtype", "digits"), [(torch.float64, 1e-14), (torch.float32, 1e-5)])
def test_maximum_of_every_noise_to_all_digits(name: noise.Noise, dtype: torch.dtype, digits: float) -> None:
    """Of the pieces (0, u): what is left of it far below 0 is the noise's tail."""
    scale = 0.5
    u = torch.tensor(GAPS, dtype=dtype) * scale
    got = noise.maximum(relu_pieces(u), name, scale)
    for gap, maximum in zip((u / scale).tolist(), got.tolist(), strict=True):
        expected = scale * excess(name, gap)
        assert abs(maximum - expected) <= digits * max(1, gap * gap) * expected + torch.finfo(dtype).tiny


def test_tails_keep_their_digits_up_to_the_last_normal_number() -> None:
    for dtype in (torch.float32, torch.float64):
        u = -torch.linspace(1, 13 if dtype == torch.float32 else 37, 13, dtype=dtype)
        for x, share, left in zip(
            u.tolist(),
            noise.code(relu_pieces(u), "gaussian")[:, 1].tolist(),
            noise.maximum(relu_pieces(u), "gaussian").tolist(),
            strict=True,
        ):
            eps = torch.finfo(dtype).eps * (1 + x * x)  # of a rounding of x itself
            tail = mpmath.erfc(-mpf(x) / mpmath.sqrt(2)) / 2
            assert abs(share / tail - 1) < 4 * eps
            assert abs(left / (mpmath.npdf(x) + mpf(x) * tail) - 1) < 4 * eps


@pytest.mark.parametrize("name", SYMMETRIC)
def test_symmetric_noise_does_not_know_the_pieces_apart(name: noise.Noise) -> None:
    z = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(noise.code(z.flip(-1), name), noise.code(z, name).flip(-1), rtol=1e-14, atol=0)
    torch.testing.assert_close(noise.maximum(z.flip(-1), name), noise.maximum(z, name), rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (noise.value(relu_pieces(U), "logistic"), F.silu(U)),
        (noise.value(relu_pieces(U), "uniform", 3), F.hardswish(U)),
        (noise.value(relu_pieces(U), "gaussian"), F.gelu(U)),
        (noise.code(relu_pieces(U), "uniform", 3)[:, 1], F.hardsigmoid(U)),
        (noise.value(relu_pieces(U), "lomax", readout=torch.tensor([-1.0, 1.0])), F.softsign(U)),
        (noise.value(relu_pieces(U), "logistic", 0.5, readout=torch.tensor([-1.0, 1.0])), U.tanh()),
        (noise.maximum(relu_pieces(U), "logistic"), F.softplus(U, threshold=40)),
        (noise.maximum(relu_pieces(U), "exponential") - 1, F.elu(U)),
        (noise.maximum(relu_pieces(U), "exponential", 0.7) - 0.7, F.celu(U, 0.7)),
    ],
    ids=["silu", "hardswish", "gelu", "hardsigmoid", "softsign", "tanh", "softplus", "elu", "celu"],
)
def test_named_nonlinearities(got: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("beta", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize(("name", "entropy"), [("logistic", "shannon"), ("uniform", "quadratic")])
def test_two_noises_are_entropies(name: noise.Noise, entropy: Literal["shannon", "quadratic"], beta: float) -> None:
    """At scale 1/η, the end points too. (Shannon's is Gumbel noise on either score, whose difference is logistic.)"""
    z = torch.randn(2, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    scale = 1 / betavq.eta_from_beta(beta) if beta else float("inf")
    for ours, theirs in (
        (noise.code, betavq.code),
        (noise.value, betavq.value),
        (noise.maximum, betavq.free_energy),
    ):
        expected = theirs(z, beta, 0, entropy=entropy)
        torch.testing.assert_close(ours(z, name, scale, 0), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", noise.NOISES)
def test_mean_over_drawn_noise(name: noise.Noise) -> None:
    """The definition itself: select hard under many draws of ε."""
    draw = torch.Generator().manual_seed(2)
    p = torch.rand(200_000, dtype=torch.float64, generator=draw)
    scale = 0.8
    epsilon = (
        scale
        * {
            "logistic": torch.logit(p),
            "uniform": 2 * p - 1,
            "gaussian": torch.special.ndtri(p),
            "exponential": -torch.log1p(-p),
            "lomax": torch.where(p < 0.5, 1 - 0.5 / p, 0.5 / (1 - p) - 1),
        }[name]
    )
    z = torch.tensor([0.3, -0.2], dtype=torch.float64)
    drawn = torch.stack((z[0].expand_as(epsilon), z[1] + epsilon), -1)
    selected = torch.nn.functional.one_hot(drawn.argmax(-1), 2).double()
    torch.testing.assert_close(selected.mean(0), noise.code(z, name, scale), rtol=0, atol=0.005)
    if name != "lomax":
        torch.testing.assert_close(drawn.amax(-1).mean(), noise.maximum(z, name, scale), rtol=0, atol=0.01)


def test_dimension_broadcasting_and_dtypes() -> None:
    z = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(3))
    scales = torch.tensor([0.0, 0.5, 2.0, 7.0])
    for name in noise.NOISES:
        code, value = noise.code(z, name, scales, 1), noise.value(z, name, scales, 1)
        maximum = noise.maximum(z, name, scales, dim=-2)
        assert code.shape == (3, 2, 4)
        assert value.shape == maximum.shape == (3, 4)
        for column, scale in enumerate(scales.tolist()):
            row = z[:, :, column]
            torch.testing.assert_close(code[..., column], noise.code(row, name, scale), rtol=1e-6, atol=0)
            torch.testing.assert_close(maximum[..., column], noise.maximum(row, name, scale), rtol=1e-6, atol=0)
        torch.testing.assert_close(code.sum(1), torch.ones(3, 4))
        for dtype in (torch.float16, torch.bfloat16):
            rounded = z.to(dtype)
            for function in (noise.code, noise.value, noise.maximum):
                expected = function(rounded.float(), name, 2.0, 1).to(dtype)
                assert torch.equal(function(rounded, name, 2.0, 1), expected)
    wider = noise.code(z[:1, :, :1], "gaussian", torch.ones(5, 1), 1)
    assert wider.shape == (5, 2, 1)


def test_readout_broadcasts_and_may_give_several_outputs() -> None:
    z = torch.randn(3, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    readout = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    got = noise.value(z, "gaussian", readout=readout)
    torch.testing.assert_close(got, noise.code(z, "gaussian").squeeze(1) @ readout.T)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((torch.ones(2, 2), "normal"), ValueError, "noise must be one of logistic, uniform, .*, got 'normal'"),
        ((torch.ones(2, 3), "uniform"), ValueError, r"scores must have two pieces along dim=-1, got shape \(2, 3\)"),
        ((torch.ones(2, 2), "uniform", -0.5), ValueError, r"scale must be at least 0, got -0\.5"),
        ((torch.ones(2, 2), "uniform", float("nan")), ValueError, "scale must be at least 0, got nan"),
        ((torch.ones(2, 2), "uniform", torch.tensor([1.0, -2.0])), ValueError, "scale must be at least 0, got -2"),
        ((torch.ones(2, 2), "uniform", torch.ones(3)), ValueError, r"scale of shape \(3,\) must broadcast"),
        ((torch.ones(2, 2), "uniform", "wide"), TypeError, "scale must be a number or a floating tensor, got 'wide'"),
        ((torch.ones(2, 2), "uniform", 1.0, 2), ValueError, "dim must be one of the 2 dimensions of scores"),
        ((torch.ones(2, 2, dtype=torch.int64), "uniform"), TypeError, "scores must be float16, .* got torch.int64"),
    ],
)
@pytest.mark.parametrize("function", [noise.code, noise.value, noise.maximum])
def test_errors_name_the_argument(function, arguments, error, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=message):
        function(*arguments)


def test_errors_of_the_readout() -> None:
    z = torch.ones(3, 2)
    with pytest.raises(TypeError, match="readout must be a tensor, got list"):
        noise.value(z, "logistic", readout=[0.0, 1.0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"readout of shape \(3,\) must broadcast against scores, got \(3, 2\)"):
        noise.value(z, "logistic", readout=torch.ones(3))
