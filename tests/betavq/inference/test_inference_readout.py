"""Read-outs other than the scores: constants, tensors that broadcast, attention; their derivatives and errors."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import betavq

# What torch warns itself of, while it sets up forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

BETAS = (0.0, 0.3, 0.5, 0.9, 1.0)
entropies = pytest.mark.parametrize("entropy", ["shannon", "quadratic"])


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.claim("C5")
def test_sigmoid_and_tanh_are_read_out_of_two_pieces() -> None:
    """Constants (0, 1) over the pieces (0, u) give sig(ηu), and (−1, 1) over (−u, u) tanh(ηu); hard, a step."""
    u = torch.linspace(-30, 30, 10_001, dtype=torch.float64)
    relu, magnitude = torch.stack([torch.zeros_like(u), u], -1), torch.stack([-u, u], -1)
    gate, sign = torch.tensor([0.0, 1.0]), torch.tensor([-1.0, 1.0])
    torch.testing.assert_close(betavq.value(relu, 0.5, readout=gate), torch.sigmoid(u), rtol=1e-14, atol=0)
    torch.testing.assert_close(betavq.value(magnitude, 0.75, readout=sign), torch.tanh(3 * u), rtol=0, atol=1e-15)
    assert torch.equal(betavq.value(relu, 1.0, readout=gate), (u > 0).double())


def test_one_query_of_attention() -> None:
    """Scores against the keys, read-outs the values: softmax(qKᵀ/√d) V at η = 1/√d."""
    queries, keys, values = randn(5, 8), randn(7, 8, seed=1), randn(7, 4, seed=2)
    expected = F.scaled_dot_product_attention(queries, keys, values)
    beta = betavq.beta_from_eta(8**-0.5)
    got = betavq.value((queries @ keys.T).unsqueeze(-1), beta, -2, readout=values)
    torch.testing.assert_close(got, expected, rtol=1e-13, atol=1e-15)


@entropies
@pytest.mark.parametrize("beta", BETAS)
def test_the_scores_as_read_out_are_the_default(entropy: Any, beta: float) -> None:
    for b in (beta, torch.tensor(beta, dtype=torch.float64)):
        z = randn(4, 5).requires_grad_()
        given, default = betavq.value(z, b, readout=z, entropy=entropy), betavq.value(z, b, entropy=entropy)
        torch.testing.assert_close(given, default, rtol=1e-14, atol=1e-15)
        slopes = (torch.autograd.grad(v.sum(), z)[0] for v in (given, default))
        torch.testing.assert_close(*slopes, rtol=1e-12, atol=1e-14)


@entropies
@pytest.mark.parametrize("dim", [0, 1, 2, -1, -2, -3])
def test_readouts_broadcast_against_the_scores(entropy: Any, dim: int) -> None:
    z = randn(2, 3, 4)
    for beta in (0.4, torch.rand(z.sum(dim).shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))):
        t = betavq.code(z, beta, dim, entropy=entropy)
        for shape in (
            (2, 3, 4),
            (1, 3, 4),
            (2, 1, 4),
            (2, 3, 1),
            (3, 4),
            (4,),
            (1,),
            (),
            (5, 2, 3, 4),
            (6, 1, 1, 1, 4),
        ):
            c = randn(*shape, seed=4)
            got = betavq.value(z, beta, dim, readout=c, entropy=entropy)
            expected = (t * c).sum(dim if dim < 0 else dim - 3)
            torch.testing.assert_close(got, expected, rtol=1e-14, atol=1e-15)


@entropies
def test_a_constant_readout_is_returned(entropy: Any) -> None:
    for beta in BETAS:
        got = betavq.value(randn(4, 3), beta, readout=torch.tensor(2.5), entropy=entropy)
        torch.testing.assert_close(got, torch.full((4,), 2.5, dtype=torch.float64), rtol=1e-15, atol=0)


@entropies
def test_gradcheck(entropy: Any) -> None:
    z, c = randn(3, 4).requires_grad_(), randn(3, 4, seed=1).requires_grad_()
    beta = torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64, requires_grad=True)

    def read(z: Tensor, beta: Tensor, c: Tensor) -> Tensor:
        return betavq.value(z, beta, readout=c, entropy=entropy)

    assert gradcheck(read, (z, beta, c), check_forward_ad=True)
    assert gradgradcheck(read, (z, beta, c))
    shared = c[0].detach().requires_grad_()
    assert gradcheck(read, (z, beta, shared))


@entropies
def test_at_the_ends_the_readout_of_the_winner_or_the_mean(entropy: Any) -> None:
    z = torch.tensor([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]], requires_grad=True)
    c = torch.tensor([[5.0, -7.0, 11.0], [1.0, 2.0, 6.0]], requires_grad=True)
    for one, zero in ((1.0, 0.0), (torch.tensor(1.0), torch.tensor(0.0))):
        hard = betavq.value(z, one, readout=c, entropy=entropy)
        assert hard.tolist() == [-7, 1]
        slopes = torch.autograd.grad(hard.sum(), (z, c))
        assert slopes[0].tolist() == [[0, 0, 0], [0, 0, 0]]
        assert slopes[1].tolist() == [[0, 1, 0], [1, 0, 0]]
        assert betavq.value(z, zero, readout=c, entropy=entropy).tolist() == pytest.approx([3, 3])


@entropies
def test_pieces_without_share_do_not_count(entropy: Any) -> None:
    z = torch.tensor([[-math.inf, 1.0, 1.0], [-math.inf] * 3], requires_grad=True)
    c = torch.tensor([math.nan, 2.0, 4.0], requires_grad=True)
    beta = torch.tensor(0.5, requires_grad=True)
    result = betavq.value(z, beta, readout=c, entropy=entropy)
    assert result.tolist() == pytest.approx([3, 0])
    for slope in torch.autograd.grad(result.sum(), (z, c, beta)):
        assert not slope.isnan().any()
    shut = betavq.value(torch.tensor([0.0, 5.0]), 0.5, readout=torch.tensor([math.inf, 1.0]), entropy="quadratic")
    assert shut.item() == 1


@entropies
def test_an_infinite_readout_counts_and_has_no_derivative_but_its_own(entropy: Any) -> None:
    z, beta = torch.tensor([0.0, 0.5, 0.25], requires_grad=True), torch.tensor(0.5, requires_grad=True)
    c = torch.tensor([math.inf, 1.0, 2.0], requires_grad=True)
    result = betavq.value(z, beta, readout=c, entropy=entropy)
    assert result.item() == math.inf
    in_z, in_beta, in_c = torch.autograd.grad(result, (z, beta, c))
    assert in_z.isfinite().all()
    assert in_beta.isfinite()
    torch.testing.assert_close(in_c, betavq.code(z, beta, entropy=entropy))


def test_nan_scores_and_nan_readouts_stay_nan() -> None:
    z, c = torch.tensor([[1.0, math.nan], [1.0, 2.0]]), torch.tensor([1.0, 0.0])
    for beta in (0.0, 0.5, 1.0):
        assert betavq.value(z, beta, readout=c).isnan().tolist() == [True, False]
        assert betavq.value(z[1], beta, readout=torch.tensor([0.0, math.nan])).isnan()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_computed_in_float32_returned_in_the_dtype_of_the_scores(dtype: torch.dtype) -> None:
    z, c = randn(8, 3).to(dtype), randn(3, seed=1).to(dtype)
    result = betavq.value(z, 0.6, readout=c)
    assert result.dtype == dtype
    assert torch.equal(result, betavq.value(z.float(), 0.6, readout=c.float()).to(dtype))
    assert betavq.value(z, 0.6, readout=c.double()).dtype == dtype


def test_errors() -> None:
    z = torch.zeros(2, 3)
    for readout, message in (
        ([0.0, 1.0, 2.0], r"^readout must be a tensor, got list$"),
        (1.0, r"^readout must be a tensor, got float$"),
        (torch.arange(3), r"^readout must be float16, .* got torch\.int64$"),
    ):
        with pytest.raises(TypeError, match=message):
            betavq.value(z, 0.5, readout=readout)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^readout of shape \(4,\) must broadcast against .*scores.*, got \(2, 3\)$"):
        betavq.value(z, 0.5, readout=torch.zeros(4))
    with pytest.raises(ValueError, match=r"^readout of shape \(5, 3\) must broadcast against .*, got \(4, 3\)$"):
        betavq.value(z[0], torch.full((4,), 0.5), readout=torch.zeros(5, 3))
    with pytest.raises(ValueError, match=r"^readout must have one piece along dim=-1, as scores has, got \(2, 3\)$"):
        betavq.value(z[:, :1], 0.5, readout=z)
