"""GaussianMixture: density, posterior and samples against PyTorch's distributions; precision, shapes, state."""

from __future__ import annotations

import copy
import io
import math
import pickle

import pytest
import torch
from mixture_examples import log_joint, random, random_mixture
from torch import Tensor

from betavq.mixture import GaussianMixture

each_variance = pytest.mark.parametrize("shared", [True, False])


@each_variance
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 5, 4), (2, 7, 50)])
def test_densities_are_those_of_the_components(sizes: tuple[int, int, int], shared: bool) -> None:
    mixture, x = random_mixture(*sizes, shared=shared), 3 * random(40, sizes[2], seed=5)
    expected = log_joint(mixture, x)
    torch.testing.assert_close(mixture.log_joint(x), expected, rtol=1e-12, atol=1e-11)
    torch.testing.assert_close(mixture.log_prob(x), expected.logsumexp(-1), rtol=1e-12, atol=1e-11)
    torch.testing.assert_close(mixture.responsibilities(x), expected.softmax(-1), rtol=0, atol=1e-12)
    assert torch.equal(mixture.map_code(x), expected.argmax(-1))
    assert mixture.map_code(x).dtype == torch.int64


@each_variance
def test_density_integrates_to_one(shared: bool) -> None:
    mixture = random_mixture(2, 3, 2, shared=shared)
    axis = torch.linspace(-12, 12, 401, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    mass = mixture.log_prob(grid).exp().sum(0) * (axis[1] - axis[0]) ** 2
    torch.testing.assert_close(mass, torch.ones_like(mass), rtol=0, atol=1e-9)


@each_variance
def test_samples_have_the_mixtures_shares_means_and_variances(shared: bool) -> None:
    mixture = random_mixture(2, 3, 4, shared=shared)
    n = 40_000
    x, components = mixture.sample(n, generator=torch.Generator().manual_seed(3))
    assert x.shape == (n, 2, 4)
    assert components.shape == (n, 2)
    assert components.dtype == torch.int64
    for unit in range(2):
        for component in range(3):
            mine = x[components[:, unit] == component, unit]
            share, variance = mixture.weights[unit, component], mixture.variance.expand(3)[component]
            assert abs(len(mine) / n - share) < 5 * (share * (1 - share) / n).sqrt()
            error = (mine.mean(0) - mixture.means[unit, component]).abs().max()
            assert error < 5 * (variance / len(mine)).sqrt()
            spread = (mine - mixture.means[unit, component]).square().mean()
            assert abs(spread / variance - 1) < 5 * (2 / (4 * len(mine))) ** 0.5
    again, _ = mixture.sample(n, generator=torch.Generator().manual_seed(3))
    assert torch.equal(again, x)


def test_excluded_components_are_never_drawn_nor_chosen() -> None:
    means = torch.zeros(1, 3, 2, dtype=torch.float64)
    mixture = GaussianMixture(means, torch.tensor([[0.5, 0.0, 0.5]], dtype=torch.float64))
    x = random(50, 2)
    assert mixture.log_weights[0, 1] == -math.inf
    assert not mixture.responsibilities(x)[..., 1].any()
    assert mixture.log_joint(x)[..., 1].isneginf().all()
    assert mixture.log_prob(x).isfinite().all()
    assert not (mixture.sample(500)[1] == 1).any()
    assert not mixture.map_code(x).any()  # the first of the two that tie


def as_float32(mixture: GaussianMixture) -> GaussianMixture:
    return copy.deepcopy(mixture).float()


@each_variance
def test_far_from_zero_in_float32(shared: bool) -> None:
    """Data a long way off: what is left of its squared lengths in float32 would say nothing."""
    mixture = random_mixture(1, 4, 3, shared=shared)
    mixture.means += 10_000
    single = as_float32(mixture)
    x = (10_000 + 2 * random(200, 3)).float()
    exact = log_joint(single.double(), x.double())
    single = single.float()
    torch.testing.assert_close(single.responsibilities(x).double(), exact.softmax(-1), rtol=0, atol=1e-4)
    torch.testing.assert_close(single.log_prob(x).double(), exact.logsumexp(-1), rtol=1e-4, atol=1e-4)


@each_variance
def test_an_input_far_away_in_float32(shared: bool) -> None:
    """x = (10⁶, y): its first coordinate tells no component from another, and its square hides the second."""
    means = torch.tensor([[[0.0, -1.0], [0.0, 1.0], [0.0, 2.0]]])
    variance = torch.tensor(0.5) if shared else torch.full((3,), 0.5)
    mixture = GaussianMixture(means, torch.full((1, 3), 1 / 3), variance)
    y = torch.linspace(-2, 3, 51)
    far = mixture.responsibilities(torch.stack((torch.full_like(y, 1e6), y), 1))
    near = mixture.responsibilities(torch.stack((torch.zeros_like(y), y), 1))
    torch.testing.assert_close(far, near, rtol=0, atol=1e-6)
    assert len(mixture.map_code(torch.stack((torch.full_like(y, 1e6), y), 1)).unique()) == 3


def test_weights_too_small_for_a_float_are_kept() -> None:
    means = torch.tensor([[[0.0], [100.0]]], dtype=torch.float64)
    mixture = GaussianMixture.from_log_weights(means, torch.tensor([[0.0, -2000.0]], dtype=torch.float64))
    assert mixture.weights.tolist() == [[1, 0]]
    # Both are equally probable where 100x − 5000 − 2000 = 0.
    x = torch.tensor([[69.99], [70.01]], dtype=torch.float64)
    assert mixture.map_code(x).tolist() == [[0], [1]]
    torch.testing.assert_close(mixture.responsibilities(x)[:, 0, 1], torch.tensor([-1.0, 1.0]).double().sigmoid())


@each_variance
def test_gradient_of_the_density_points_to_the_means(shared: bool) -> None:
    mixture, x = random_mixture(shared=shared), random(6, 4, seed=8).requires_grad_()
    assert torch.autograd.gradcheck(mixture.log_prob, [x])
    assert torch.autograd.gradcheck(mixture.responsibilities, [x])
    (gradient,) = torch.autograd.grad(mixture.log_prob(x)[:, 0].sum(), x)
    pull = (mixture.means[0] - x[:, None]) / mixture.variance.expand(5)[:, None]
    torch.testing.assert_close(gradient, (mixture.responsibilities(x)[:, 0, :, None] * pull).sum(1))


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,)])
def test_batch_shapes(shape: tuple[int, ...]) -> None:
    mixture, x = random_mixture(), random(*shape, 4)
    assert mixture.log_joint(x).shape == mixture.responsibilities(x).shape == (*shape, 3, 5)
    assert mixture.log_prob(x).shape == mixture.map_code(x).shape == (*shape, 3)
    rows = [mixture.log_joint(row) for row in x.reshape(-1, 4)]
    if rows:
        torch.testing.assert_close(mixture.log_joint(x).view(-1, 3, 5), torch.stack(rows))


def test_nan_stays_in_its_row() -> None:
    x = random(3, 4)
    x[1, 2] = math.nan
    for result in (random_mixture().responsibilities(x), random_mixture().log_prob(x)):
        assert result[1].isnan().all()
        assert result[[0, 2]].isfinite().all()


def test_autocast_leaves_the_digits_alone() -> None:
    mixture, x = as_float32(random_mixture()), random(20, 4, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = mixture.responsibilities(x)
    torch.testing.assert_close(inside, mixture.responsibilities(x), rtol=0, atol=1e-6)


def test_what_it_holds() -> None:
    means, weights = random(3, 5, 4), random(3, 5).softmax(1)
    mixture = GaussianMixture(means, weights, 2)
    assert list(mixture.state_dict()) == ["means", "log_weights", "variance", "log_normalizer"]
    assert not list(mixture.parameters())
    assert (mixture.num_units, mixture.num_components, mixture.num_features) == (3, 5, 4)
    assert repr(mixture) == "GaussianMixture(num_units=3, num_components=5, num_features=4, shared_variance=True)"
    assert mixture.variance.item() == 2
    assert not mixture.log_normalizer.any()
    torch.testing.assert_close(mixture.weights, weights)
    kept = mixture.log_prob(means[0])
    means.zero_()
    weights.zero_()
    assert torch.equal(mixture.log_prob(mixture.means[0]), kept)  # copies


def copies(mixture: GaussianMixture) -> list[GaussianMixture]:
    file = io.BytesIO()
    torch.save(mixture.state_dict(), file)
    file.seek(0)
    other = random_mixture(seed=50, shared=not mixture.variance.dim())
    other.load_state_dict(torch.load(file))
    return [copy.deepcopy(mixture), pickle.loads(pickle.dumps(mixture)), other]


@each_variance
def test_state_and_copies(shared: bool) -> None:
    mixture, x = random_mixture(shared=shared), random(10, 4)
    for copied in copies(mixture):
        assert torch.equal(copied.log_prob(x), mixture.log_prob(x))
        copied.means.zero_()
    assert mixture.means.all()


def test_dtype_and_device() -> None:
    mixture, x = random_mixture(), random(10, 4)
    single = as_float32(mixture)
    buffers: list[Tensor] = [single.means, single.log_weights, single.variance, single.log_normalizer]
    assert {buffer.dtype for buffer in buffers} == {torch.float32}
    assert single.log_prob(x.float()).dtype == single.sample(2)[0].dtype == torch.float32
    torch.testing.assert_close(single.log_prob(x.float()).double(), mixture.log_prob(x), rtol=1e-5, atol=1e-5)
    meta = copy.deepcopy(mixture).to("meta")
    assert meta.to_maso().to_mixture(1.0).means.is_meta
