"""The library against its own plain formulas, on ordinary inputs; and those against what they are known to be."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import betavq
import betavq.functional as bF
import betavq.nn as bnn
from betavq import MASO, reference
from betavq.mixture import GaussianMixture

BETAS = (0.0, 0.125, 0.5, 0.875, 1.0)  # exact in every dtype
TOLERANCES = {torch.float64: 1e-13, torch.float32: 1e-5, torch.bfloat16: 1e-2, torch.float16: 2e-3}
betas = pytest.mark.parametrize("beta", BETAS)
dtypes = pytest.mark.parametrize("dtype", TOLERANCES)


def sample(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Numbers in halves: many ties, and exact in every dtype."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).mul(4).round().div(2).to(dtype)


def assert_close(found: Tensor, expected: Tensor) -> None:
    assert expected.dtype == torch.float64
    tolerance = TOLERANCES[found.dtype]
    torch.testing.assert_close(found.double(), expected, rtol=tolerance, atol=tolerance)


# The function, the layer, and the formula; each of an input (2, 3, 6, 8) and β.
UNITS: dict[str, tuple[Callable[..., Tensor], Callable[[], nn.Module], Callable[..., Tensor]]] = {
    "relu": (bF.beta_relu, bnn.BetaReLU, reference.relu),
    "abs": (bF.beta_abs, bnn.BetaAbs, reference.absolute),
    "leaky_relu": (
        lambda u, beta: bF.beta_leaky_relu(u, 0.25, beta=beta),
        lambda: bnn.BetaLeakyReLU(negative_slope=0.25),
        lambda u, beta: reference.leaky_relu(u, 0.25, beta),
    ),
    "maxout": (
        lambda u, beta: bF.beta_maxout(u, 1, beta=beta),
        lambda: bnn.BetaMaxout(1),
        lambda u, beta: reference.maxout(u, beta, 1),
    ),
    "max_pool2d": (
        lambda u, beta: bF.beta_max_pool2d(u, 3, 2, beta=beta),
        lambda: bnn.BetaMaxPool2d(3, 2),
        lambda u, beta: reference.max_pool2d(u, 3, 2, beta),
    ),
    "max_pool1d": (
        lambda u, beta: bF.beta_max_pool1d(u.flatten(0, 1), 3, 2, beta=beta),
        lambda: nn.Sequential(nn.Flatten(0, 1), bnn.BetaMaxPool1d(3, 2)),
        lambda u, beta: reference.value(u.unfold(-1, 3, 2), beta).flatten(0, 1),
    ),
}
units = pytest.mark.parametrize(("function", "layer", "formula"), UNITS.values(), ids=UNITS)


@betas
@dtypes
@units
def test_units(
    function: Callable[..., Tensor],
    layer: Callable[[], nn.Module],
    formula: Callable[..., Tensor],
    dtype: torch.dtype,
    beta: float,
) -> None:
    u = sample(2, 3, 6, 8, dtype=dtype)
    expected = formula(u, beta)
    made = layer()
    for module in made.modules():
        if hasattr(module, "set_beta"):
            module.set_beta(beta)
    for found in (function(u, beta=beta), function(u, beta=torch.tensor(beta)), made(u)):
        assert found.dtype == dtype
        assert_close(found, expected)


@betas
@dtypes
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_inference(dtype: torch.dtype, beta: float, dim: int) -> None:
    """At β = 1 too, where the first of tied maxima is selected."""
    z = sample(4, 5, 6, dtype=dtype)
    assert_close(betavq.code(z, beta, dim), reference.code(z, beta, dim))
    assert_close(betavq.value(z, beta, dim), reference.value(z, beta, dim))
    if beta > 0:
        assert_close(betavq.free_energy(z, beta, dim), reference.free_energy(z, beta, dim))
    readout = sample(4, 5, 6, dtype=dtype, seed=1)
    read = (reference.code(z, beta, dim) * readout.double()).sum(dim)
    assert_close(betavq.value(z, beta, dim, readout=readout), read)


@pytest.mark.parametrize("beta", [0.1, 0.5, 0.9])
def test_two_pieces_under_logistic_noise(beta: float) -> None:
    """Noise of the scale 1/η makes the code of two pieces."""
    z, scale = sample(50, 2), (1 - beta) / beta
    assert_close(betavq.noise.code(z, "logistic", scale), reference.code(z, beta))
    assert_close(betavq.noise.value(z, "logistic", scale), reference.value(z, beta))
    assert_close(betavq.noise.maximum(z, "logistic", scale), reference.free_energy(z, beta))


@betas
def test_layers_as_a_maso(beta: float) -> None:
    x, slopes, offsets = sample(20, 3), sample(4, 5, 3, seed=1), sample(4, 5, seed=2)
    maso = MASO(slopes, offsets)
    scores = torch.einsum("krd,nd->nkr", slopes, x) + offsets
    assert_close(maso(x, beta), reference.maso(x, slopes, offsets, beta))
    assert_close(maso.code(x, beta), reference.code(scores, beta))
    assert torch.equal(maso.selection(x), reference.code(scores, 1.0).argmax(-1))
    layer = nn.Linear(3, 4).double()
    of_layers = MASO.from_layers(layer, activation=nn.LeakyReLU(0.25))
    assert_close(of_layers(x, beta), reference.leaky_relu(layer(x), 0.25, beta))


@pytest.mark.parametrize("variance", [0.5, torch.tensor([0.5, 1.0, 2.0, 3.0], dtype=torch.float64)], ids=["one", "R"])
def test_mixtures(variance: float | Tensor) -> None:
    x, means, weights = sample(20, 3), sample(2, 4, 3, seed=1), sample(2, 4, seed=2).softmax(1)
    mixture = GaussianMixture(means, weights, variance)
    joint = reference.log_joint(x, means, weights, variance)
    assert_close(mixture.log_joint(x), joint)
    assert_close(mixture.responsibilities(x), reference.responsibilities(x, means, weights, variance))
    assert_close(mixture.log_prob(x), reference.free_energy(joint, 0.5))


@pytest.mark.parametrize("beta", [0.1, 0.5, 0.9])
def test_responsibilities_are_codes(beta: float) -> None:
    """Of the mixture of variance (1−β)/β, with the weights that offsets and slopes ask for."""
    x, slopes, offsets = sample(20, 3), sample(2, 4, 3, seed=1), sample(2, 4, seed=2)
    variance = (1 - beta) / beta
    weights = reference.mixture_weights(slopes, offsets, variance)
    code = reference.code(torch.einsum("krd,nd->nkr", slopes, x) + offsets, beta)
    assert_close(reference.responsibilities(x, slopes, weights, variance), code)
    mixture = MASO(slopes, offsets).to_mixture(variance)
    assert_close(mixture.weights, weights)
    assert_close(mixture.responsibilities(x), code)


@pytest.mark.parametrize("beta", [0.3, 0.5, 0.9, 1.0])
def test_what_a_fit_climbs(beta: float) -> None:
    """The free energy of the log joint, summed over the points: the log-likelihood at β = ½."""
    x = sample(60, 2) + torch.linspace(0, 1, 60, dtype=torch.float64)[:, None]
    mixture = GaussianMixture.from_data(x, 3, generator=torch.Generator().manual_seed(0))
    result = mixture.fit(x, beta=beta)
    joint = reference.log_joint(x, mixture.means, mixture.weights, mixture.variance)
    assert_close(result.objective[-1], reference.free_energy(joint, beta).sum())


@betas
def test_a_softened_network(beta: float) -> None:
    first, second, last = (nn.Linear(a, b).double() for a, b in ((3, 5), (5, 5), (5, 2)))
    net = betavq.soften(nn.Sequential(first, nn.ReLU(), second, nn.LeakyReLU(0.25), last), beta)
    x = sample(20, 3)
    assert_close(net(x), last(reference.leaky_relu(second(reference.relu(first(x), beta)), 0.25, beta)))


def test_formulas_are_the_known_functions() -> None:
    u, z = sample(40), sample(10, 4, seed=1)
    torch.testing.assert_close(reference.relu(u, 0.5), F.silu(u))
    torch.testing.assert_close(reference.absolute(u, 0.5), u * u.tanh())
    assert torch.equal(reference.relu(u, 1.0), F.relu(u))
    assert torch.equal(reference.leaky_relu(u, 0.25, 1.0), F.leaky_relu(u, 0.25))
    assert torch.equal(reference.absolute(u, 1.0), u.abs())
    assert torch.equal(reference.max_pool2d(u.view(1, 5, 8), 2, 2, 1.0), F.max_pool2d(u.view(1, 5, 8), 2))
    assert torch.equal(reference.code(torch.tensor([1.0, 3.0, 3.0]), 1.0), torch.tensor([0.0, 1.0, 0.0]).double())
    torch.testing.assert_close(reference.relu(u, 0.0), u / 2)
    torch.testing.assert_close(reference.value(z, 0.0), z.mean(-1))
    for beta in (0.1, 0.5, 0.9):
        tied = reference.value(z, beta) + (1 - beta) / beta * reference.entropy(reference.code(z, beta))
        torch.testing.assert_close(reference.free_energy(z, beta), tied)
    assert reference.entropy(torch.tensor([0.0, 0.5, 0.5])).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("beta", [0.1, 0.5, 0.9])
def test_closed_forms_of_the_units(beta: float) -> None:
    """What the docstrings say of the units below β = 1."""
    u, eta = sample(40), beta / (1 - beta)
    torch.testing.assert_close(reference.relu(u, beta), u * torch.sigmoid(eta * u))
    torch.testing.assert_close(reference.absolute(u, beta), u * torch.tanh(eta * u))
    gate = torch.sigmoid(eta * 0.75 * u)
    torch.testing.assert_close(reference.leaky_relu(u, 0.25, beta), u * (0.25 + 0.75 * gate))
