"""A MASO's mixture: the same codes at every variance, there and back; the prior; limits; named nonlinearities."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from mixture_examples import VARIANCES, away_from_ties, log_joint, random, random_maso
from torch import Tensor

from betavq import MASO
from betavq.mixture import GaussianMixture

each_variance = pytest.mark.parametrize("variance", VARIANCES)


def weights_of(maso: MASO, scale: float) -> Tensor:
    """exp((B + ½‖A‖²)/scale), normalised: the prior of the theory if ``scale`` is the variance."""
    return ((maso.offsets + 0.5 * maso.slopes.square().sum(-1)) / scale).softmax(1).detach()


@pytest.mark.claim("C3")
@each_variance
@pytest.mark.parametrize("padded", [False, True])
def test_most_probable_component_is_the_selected_piece(variance: float, padded: bool) -> None:
    """At variances from 0.1 to 10 the mixture's most probable component is the piece that the MASO selects."""
    for seed in range(5):
        maso, x = random_maso(padded=padded, seed=seed), 3 * random(1000, 4, seed=seed + 50)
        mixture = maso.to_mixture(variance)
        clear = away_from_ties(maso.scores(x))
        assert clear.double().mean() > 0.999
        assert torch.equal(mixture.map_code(x)[clear], maso.selection(x)[clear])
        # The same by the Gaussians' densities, with the prior written out.
        explicit = GaussianMixture(maso.slopes, weights_of(maso, variance), variance)
        assert torch.equal(log_joint(explicit, x).argmax(-1)[clear], maso.selection(x)[clear])


@pytest.mark.claim("C3")
@pytest.mark.parametrize(("variance", "least"), [(0.1, 0.05), (0.5, 0.03), (1.0, 0.0), (2.0, 0.05), (10.0, 0.2)])
def test_without_the_variance_in_the_prior_the_code_changes(variance: float, least: float) -> None:
    """A prior without the division by σ² selects other pieces, unless σ = 1."""
    maso, x = random_maso(50, 5, 4), 2 * random(400, 4, seed=9)
    careless = GaussianMixture(maso.slopes, weights_of(maso, 1.0), variance)
    changed = (careless.map_code(x) != maso.selection(x)).double().mean().item()
    assert (changed == 0) if variance == 1 else (changed > least)


def test_with_a_uniform_prior_the_variance_moves_no_boundary() -> None:
    means, x = random(4, 5, 3), 2 * random(500, 3, seed=3)
    codes = [GaussianMixture(means, torch.full((4, 5), 0.2).double(), variance).map_code(x) for variance in VARIANCES]
    assert all(torch.equal(code, codes[0]) for code in codes)


@pytest.mark.parametrize("variance", [1e-6, *VARIANCES, 1000.0])
@pytest.mark.parametrize("padded", [False, True])
def test_round_trip(variance: float, padded: bool) -> None:
    maso = random_maso(6, 7, 30, padded=padded)
    back = maso.to_mixture(variance).to_maso()
    torch.testing.assert_close(back.slopes, maso.slopes, rtol=0, atol=0)
    assert torch.equal(back.offsets.isinf(), maso.offsets.isinf())
    kept = maso.offsets.isfinite()
    torch.testing.assert_close(back.offsets[kept], maso.offsets[kept], rtol=0, atol=1e-10)
    x = 3 * random(100, 30)
    torch.testing.assert_close(back(x), maso(x), rtol=0, atol=1e-10)


def test_round_trip_of_weights_that_underflow() -> None:
    maso = MASO(torch.zeros(1, 3, 2, dtype=torch.float64), torch.tensor([[0.0, -5.0, -3000.0]], dtype=torch.float64))
    mixture = maso.to_mixture(0.5)
    assert mixture.weights[0, 2] == 0
    assert not mixture.log_weights.isinf().any()
    torch.testing.assert_close(mixture.to_maso().offsets, maso.offsets, rtol=0, atol=1e-10)


def test_round_trip_of_a_mixture() -> None:
    maso = random_maso()
    mixture = maso.to_mixture(0.3)
    again = mixture.to_maso().to_mixture(0.3)
    for name, buffer in mixture.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], buffer, rtol=0, atol=1e-12)


@each_variance
def test_log_normalizer_ties_weights_to_offsets(variance: float) -> None:
    maso = random_maso()
    mixture = maso.to_mixture(torch.tensor(variance, dtype=torch.float64))
    total = ((maso.offsets + 0.5 * maso.slopes.square().sum(-1)) / variance).exp().sum(1)
    torch.testing.assert_close(mixture.log_normalizer, total.log())
    torch.testing.assert_close(mixture.weights, weights_of(maso, variance))


@pytest.mark.claim("C6")
@pytest.mark.parametrize("beta", [0.01, 0.2, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("padded", [False, True])
def test_beta_is_a_variance(beta: float, padded: bool) -> None:
    """The code at β is the posterior of the mixture whose variance is (1 − β)/β."""
    maso, x = random_maso(padded=padded), 3 * random(300, 4)
    posterior = maso.to_mixture((1 - beta) / beta).responsibilities(x)
    torch.testing.assert_close(posterior, maso.code(x, beta), rtol=0, atol=1e-11)
    if beta < 0.9:  # beyond it weights, as floats, are 0
        explicit = GaussianMixture(maso.slopes, weights_of(maso, (1 - beta) / beta), (1 - beta) / beta)
        torch.testing.assert_close(log_joint(explicit, x).softmax(-1), maso.code(x, beta), rtol=0, atol=1e-10)


@pytest.mark.claim("C6")
def test_two_limits_of_a_vanishing_variance() -> None:
    """As σ² → 0 the posterior turns into the hard code if the prior follows, and into K-means if it stays."""
    maso, x = random_maso(20, 5, 3), 2 * random(300, 3, seed=4)
    prior = weights_of(maso, 1.0)
    nearest = (x[:, None, None] - maso.slopes).square().sum(-1).argmin(-1)
    assert (nearest != maso.selection(x)).double().mean() > 0.1
    for variance, most in ((1e-2, 0.3), (1e-4, 0.01), (1e-7, 1e-4)):
        follows = maso.to_mixture(variance).responsibilities(x)
        stays = GaussianMixture(maso.slopes, prior, variance).responsibilities(x)
        assert (1 - follows.gather(-1, maso.selection(x)[..., None])).mean() < most
        assert (1 - stays.gather(-1, nearest[..., None])).mean() < most


def read_out(maso: MASO, x: Tensor, constants: Tensor | None = None) -> Tensor:
    """The posterior's mean of the pieces' scores, or of constants."""
    scores = maso.scores(x) if constants is None else constants
    return (maso.to_mixture().responsibilities(x) * scores).sum(-1)


def affine_units(factors: list[float], weight: Tensor, bias: Tensor) -> MASO:
    """Pieces that are multiples of the units ⟨w, x⟩ + b."""
    scale = torch.tensor(factors, dtype=weight.dtype)
    return MASO(scale[:, None] * weight[:, None], scale * bias[:, None])


@pytest.mark.claim("C4")
@pytest.mark.parametrize(
    ("factors", "soft"),
    [
        ([0.0, 1.0], F.silu),
        ([-1.0, 1.0], lambda u: u * u.tanh()),
        ([0.2, 1.0], lambda u: u * (0.2 + 0.8 * (0.8 * u).sigmoid())),
    ],
    ids=["SiLU", "u tanh u", "leaky"],
)
def test_soft_units_are_means_under_the_posterior(factors: list[float], soft: object) -> None:
    """The scores' mean under the mixture's posterior is SiLU for ReLU's pieces and u·tanh u for those of |u|."""
    weight, bias, x = random(6, 4), random(6, seed=1), 3 * random(200, 4, seed=2)
    maso = affine_units(factors, weight, bias)
    expected = soft(x @ weight.t() + bias)  # type: ignore[operator]
    torch.testing.assert_close(read_out(maso, x), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(maso(x, 0.5), expected, rtol=0, atol=1e-12)


@pytest.mark.claim("C4")
def test_soft_max_pooling_has_softmax_weights() -> None:
    """Max-pooling's pieces, the unit vectors, give a pool that weighs its inputs by their softmax."""
    maso, x = MASO(torch.eye(9)[None].double(), torch.zeros(1, 9).double()), 3 * random(200, 9)
    torch.testing.assert_close(read_out(maso, x).squeeze(1), (x.softmax(1) * x).sum(1), rtol=0, atol=1e-12)
    assert torch.equal(maso(x).squeeze(1), x.amax(1))


@pytest.mark.claim("C5")
def test_sigmoid_tanh_and_softmax_are_codes() -> None:
    """Constants averaged by the posterior: 0 and 1 give the sigmoid, −1 and 1 tanh, the code itself the softmax."""
    weight, bias, x = random(6, 4), random(6, seed=1), 3 * random(200, 4, seed=2)
    u = x @ weight.t() + bias
    relu, absolute = affine_units([0.0, 1.0], weight, bias), affine_units([-1.0, 1.0], weight, bias)
    halves, one_unit = affine_units([-0.5, 0.5], weight, bias), MASO(weight[None], bias[None])
    signs = torch.tensor([-1.0, 1.0]).double()
    torch.testing.assert_close(read_out(relu, x, torch.tensor([0.0, 1.0])), u.sigmoid(), rtol=0, atol=1e-12)
    torch.testing.assert_close(read_out(absolute, x, signs), u.tanh(), rtol=0, atol=1e-12)
    torch.testing.assert_close(read_out(halves, x, signs), (u / 2).tanh(), rtol=0, atol=1e-12)
    posterior = one_unit.to_mixture().responsibilities(x)
    torch.testing.assert_close(posterior.squeeze(1), u.softmax(1), rtol=0, atol=1e-12)


@pytest.mark.claim("C5")
@pytest.mark.parametrize("beta", [0.2, 0.8])
def test_their_hardness_is_that_of_the_code(beta: float) -> None:
    """At another β they are the sigmoid, tanh and softmax of η times their argument; at β = 1 steps."""
    weight, bias, x = random(6, 4), random(6, seed=1), 3 * random(200, 4, seed=2)
    u, eta = x @ weight.t() + bias, beta / (1 - beta)
    relu, absolute = affine_units([0.0, 1.0], weight, bias), affine_units([-1.0, 1.0], weight, bias)
    torch.testing.assert_close(relu.code(x, beta)[..., 1], (eta * u).sigmoid(), rtol=0, atol=1e-12)
    signed = absolute.code(x, beta) @ torch.tensor([-1.0, 1.0]).double()
    torch.testing.assert_close(signed, (eta * u).tanh(), rtol=0, atol=1e-12)
    torch.testing.assert_close(MASO(weight[None], bias[None]).code(x, beta)[:, 0], (eta * u).softmax(1))
    assert torch.equal(relu.code(x)[..., 1], (u > 0).double())
    assert torch.equal(absolute.code(x) @ torch.tensor([-1.0, 1.0]).double(), u.sign())


def test_copies_and_dtypes() -> None:
    maso = random_maso()
    mixture = maso.to_mixture()
    with torch.no_grad():
        maso.slopes.zero_()
    assert mixture.means.all()
    assert not mixture.means.requires_grad
    assert mixture.to_maso().slopes.requires_grad
    single = random_maso().float().to_mixture(0.25)
    assert {buffer.dtype for buffer in single.buffers()} == {torch.float32}
    assert not math.isnan(single.log_prob(torch.zeros(4)).sum().item())
