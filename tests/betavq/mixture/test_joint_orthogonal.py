"""When independent units are right: orthogonal slopes, constant or separable products; how wrong they else are."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from mixture_examples import away_from_ties, random, random_maso
from torch import Tensor

from betavq import MASO, mixture
from betavq.mixture import GaussianMixture


def posterior(model: GaussianMixture, x: Tensor) -> Tensor:
    """P(t | x) of all codes, one dimension a unit: ``(N, R, …, R)``."""
    sizes = [model.num_components] * model.num_units
    codes = torch.tensor(list(itertools.product(*map(range, sizes))))
    return mixture.joint_log_prob(model, x[:, None], codes).softmax(1).view(-1, *sizes)


def orthogonal_units(units: int, pieces: int, inputs: int, seed: int = 0) -> MASO:
    """Random slopes, those of different units in orthogonal subspaces of ``pieces`` dimensions each."""
    basis = torch.linalg.qr(random(inputs, inputs, seed=seed)).Q[: units * pieces].view(units, pieces, inputs)
    mix = random(units, pieces, pieces, seed=seed + 1)
    return MASO(mix @ basis, random(units, pieces, seed=seed + 2))


@pytest.mark.claim("C9")
@pytest.mark.parametrize("variance", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("sizes", [(2, 2, 4), (4, 3, 12), (6, 2, 30)])
def test_orthogonal_units_are_right_alone(sizes: tuple[int, int, int], variance: float) -> None:
    """If the slopes of different units are orthogonal, the units' own codes are the best code of the layer."""
    maso, x = orthogonal_units(*sizes), 3 * random(400, sizes[2], seed=5)
    model = maso.to_mixture(variance)
    clear = away_from_ties(maso.scores(x)).all(1)
    assert clear.double().mean() > 0.99
    assert torch.equal(mixture.joint_map(model, x)[clear], maso.selection(x)[clear])
    assert mixture.disagreement(model, x[clear]) == 0


@pytest.mark.claim("C9")
def test_orthogonal_units_have_a_posterior_that_is_a_product() -> None:
    """The posterior of the layer's code is the product of the units' own, and these are their soft codes."""
    maso, x = orthogonal_units(3, 3, 9), 2 * random(50, 9, seed=5)
    model = maso.to_mixture(0.7)
    alone = maso.code(x, 1 / 1.7)
    together = posterior(model, x)
    product = torch.einsum("na,nb,nc->nabc", *alone.unbind(1))
    torch.testing.assert_close(together, product, rtol=0, atol=1e-12)
    torch.testing.assert_close(together.sum((2, 3)), alone[:, 0], rtol=0, atol=1e-12)


def plus_common(maso: MASO, basis: Tensor) -> MASO:
    """To every piece the same vector of its unit is added, of which those of different units have product 1."""
    units = len(maso.slopes)
    return MASO(maso.slopes + basis.expand(units, 1, -1), maso.offsets)


@pytest.mark.claim("C9")
def test_products_that_are_constant_do_no_harm() -> None:
    """Products of slopes may differ from 0 if they are the same for all pieces of two units."""
    inputs = 13
    orthogonal = orthogonal_units(4, 3, inputs)
    spare = torch.linalg.qr(random(inputs, inputs)).Q[12]  # the one direction that no slope uses
    maso = plus_common(orthogonal, spare)
    products = torch.einsum("krd,jsd->kjrs", maso.slopes, maso.slopes)
    torch.testing.assert_close(products[0, 1], torch.ones(3, 3).double(), rtol=0, atol=1e-12)
    x = 3 * random(500, inputs, seed=5)
    clear = away_from_ties(maso.scores(x)).all(1)
    assert mixture.disagreement(maso.to_mixture(0.5), x[clear]) == 0
    alone = maso.code(x, 0.5)
    together = posterior(maso.to_mixture(), x)
    torch.testing.assert_close(together, torch.einsum("na,nb,nc,nd->nabcd", *alone.unbind(1)), rtol=0, atol=1e-12)


@pytest.mark.claim("C9")
def test_separable_products_need_other_offsets() -> None:
    """Products d_r + e_s separate the units too, but only with d and e taken off their offsets."""
    a, b = torch.tensor([0.3, 0.8, 1.0, 0.0]).double(), torch.tensor([0.7, -0.2, 0.5, 1.0]).double()
    p, q = torch.eye(4).double()[:2]
    slopes = torch.stack((torch.stack((a + p, a - p)), torch.stack((b + q, b - q))))
    products = slopes[0] @ slopes[1].t()
    d, e = products.mean(1) - products.mean() / 2, products.mean(0) - products.mean() / 2
    torch.testing.assert_close(products, d[:, None] + e)
    maso = MASO(slopes, random(2, 2, seed=3))
    corrected = MASO(slopes, maso.offsets.detach() - torch.stack((d, e)))
    x = 2 * random(5000, 4, seed=1)
    joint = mixture.joint_map(maso.to_mixture(), x)
    clear = away_from_ties(corrected.scores(x)).all(1)
    assert (joint != maso.selection(x)).any(1).double().mean() > 0.1
    assert torch.equal(joint[clear], corrected.selection(x)[clear])


@pytest.mark.claim("C9")
def test_two_equal_filters_explain_an_input_twice() -> None:
    """Two ReLUs with the same filter both fire at x = e₁; together they know that one is enough."""
    e1 = torch.tensor([1.0, 0.0]).double()
    slopes = torch.stack((torch.zeros(2).double(), e1)).expand(2, 2, 2).clone()
    model = MASO(slopes, -0.5 * slopes.square().sum(-1)).to_mixture()
    torch.testing.assert_close(model.weights, torch.full((2, 2), 0.5).double())

    def residual(code: Tensor) -> float:
        return (e1 - sum(slopes[k, r] for k, r in enumerate(code.tolist()))).square().sum().item()

    alone = mixture.unitwise_map(model, e1)
    assert alone.tolist() == [1, 1]
    assert residual(alone) == 1
    for method in ("exact", "icm"):
        together = mixture.joint_map(model, e1, method=method)
        assert sorted(together.tolist()) == [0, 1]
        assert residual(together) == 0
    assert mixture.disagreement(model, e1) == 1


def equicorrelated(coherence: float, variance: float, units: int = 6, inputs: int = 8) -> GaussianMixture:
    """ReLUs of unit filters any two of which have the product ``coherence``; offsets that make the prior uniform."""
    gram = (1 - coherence) * torch.eye(units).double() + coherence
    filters = torch.zeros(units, inputs).double()
    filters[:, :units] = torch.linalg.cholesky(gram)
    slopes = torch.stack((torch.zeros_like(filters), filters), 1)
    return MASO(slopes, -0.5 * slopes.square().sum(-1)).to_mixture(variance)


def from_the_model(model: GaussianMixture, n: int, seed: int) -> Tensor:
    """Sums of one random component of each unit, and noise."""
    code = torch.randint(2, (n, model.num_units), generator=torch.Generator().manual_seed(seed))
    mean = model.means[torch.arange(model.num_units), code].sum(1)
    return mean + model.variance.sqrt() * random(*mean.shape, seed=seed + 1)


COHERENCES = [0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95]
# Measured before, by another program, on 4000 points each.
MEASURED = {
    "normal": [0, 0.027, 0.112, 0.192, 0.326, 0.475, 0.523, 0.502, 0.449],
    "model, 1": [0, 0.061, 0.247, 0.441, 0.693, 0.885, 0.916, 0.922, 0.911],
    "model, 0.05": [0, 0.022, 0.142, 0.398, 0.815, 0.940, 0.958, 0.968, 0.967],
}


@pytest.mark.claim("C9")
@pytest.mark.parametrize("inputs", MEASURED)
def test_disagreement_grows_with_coherence(inputs: str) -> None:
    """How often independent units err for equally correlated filters: never at coherence 0, soon for most inputs."""
    n, curve = 20_000, []
    for coherence in COHERENCES:
        model = equicorrelated(coherence, 0.05 if inputs == "model, 0.05" else 1.0)
        x = 2 * random(n, 8, seed=11) if inputs == "normal" else from_the_model(model, n, seed=11)
        curve.append(mixture.disagreement(model, x))
    assert curve[0] == 0
    for share, measured in zip(curve, MEASURED[inputs], strict=True):
        deviation = math.sqrt(share * (1 - share) * (1 / n + 1 / 4000))
        assert abs(share - measured) <= 4 * deviation + 0.0005  # and what rounding to three digits hides
    # It is no caption «the more coherent, the worse» for inputs that are not the model's.
    if inputs == "normal":
        assert max(curve) == curve[6]
        assert curve[8] < curve[6] - 0.05


@pytest.mark.claim("C9")
def test_random_filters_of_wide_inputs_are_nearly_right() -> None:
    """Random filters of more and more inputs are nearly orthogonal, and independent units nearly right."""
    shares = []
    for inputs in (6, 48, 768):
        filters = torch.nn.functional.normalize(random(6, inputs, seed=2), dim=1)
        slopes = torch.stack((torch.zeros_like(filters), filters), 1)
        model = MASO(slopes, -0.5 * slopes.square().sum(-1)).to_mixture()
        shares.append(mixture.disagreement(model, 2 * random(4000, inputs, seed=3)))
    assert shares[0] > 1.5 * shares[1] > 3 * shares[2] > 0


def test_random_units_do_disagree() -> None:
    """Without orthogonality the theorem fails, or its tests would show nothing."""
    maso, x = random_maso(4, 3, 12), 3 * random(400, 12, seed=5)
    assert mixture.disagreement(maso.to_mixture(), x) > 0.3
