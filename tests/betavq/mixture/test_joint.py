"""Joint inference: the factorial model's density by brute force, its best code by enumeration and by climbing."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from mixture_examples import away_from_ties, random, random_maso, random_mixture
from torch import Tensor
from torch.distributions import MultivariateNormal

from betavq import mixture
from betavq._mixture import joint
from betavq.mixture import GaussianMixture


def all_codes(model: GaussianMixture) -> Tensor:
    return torch.tensor(list(itertools.product(range(model.num_components), repeat=model.num_units)))


def brute_force(model: GaussianMixture, x: Tensor) -> Tensor:
    """log P(x, t) of rows x and all codes ``(N, Rᴷ)``, each code's Gaussian made and evaluated."""
    noise = model.variance * torch.eye(model.num_features, dtype=x.dtype)
    columns = []
    for code in all_codes(model).tolist():
        mean = torch.stack([model.means[k, r] for k, r in enumerate(code)]).sum(0)
        prior = torch.stack([model.weights[k, r] for k, r in enumerate(code)]).log().sum()
        columns.append(prior + MultivariateNormal(mean, noise).log_prob(x))
    return torch.stack(columns, 1)


@pytest.mark.parametrize("sizes", [(1, 3, 2), (4, 3, 5), (5, 2, 20), (3, 1, 2)])
def test_density_of_inputs_and_codes(sizes: tuple[int, int, int]) -> None:
    model, x = random_mixture(*sizes), 3 * random(30, sizes[2], seed=6)
    codes = all_codes(model)
    density = mixture.joint_log_prob(model, x[:, None], codes)
    torch.testing.assert_close(density, brute_force(model, x), rtol=1e-12, atol=1e-11)


def test_density_is_the_scores_less_the_products_of_slopes() -> None:
    """Theory: σ² log P(t | x) = Σ z − Σ_{k<k'} ⟨A, A'⟩, but for what the code has no part in."""
    maso, x, variance = random_maso(4, 3, 5), 2 * random(20, 5, seed=3), 0.7
    model = maso.to_mixture(variance)
    codes, slopes = all_codes(model), maso.slopes.detach()
    z = maso.scores(x).detach()
    score = torch.stack([sum(z[:, k, r] for k, r in enumerate(code)) for code in codes.tolist()], 1)
    crossed = torch.stack(
        [
            sum(slopes[j, code[j]] @ slopes[k, code[k]] for j, k in itertools.combinations(range(4), 2))
            for code in codes.tolist()
        ]
    )
    difference = variance * mixture.joint_log_prob(model, x[:, None], codes) - (score - crossed)
    torch.testing.assert_close(difference, difference[:, :1].expand_as(difference), rtol=0, atol=1e-11)


def test_density_broadcasts_and_has_a_gradient() -> None:
    model, x = random_mixture(3, 2, 4), random(6, 4).requires_grad_()
    code = torch.tensor([1, 0, 1])
    assert mixture.joint_log_prob(model, x, code).shape == (6,)
    assert mixture.joint_log_prob(model, x[0], code).shape == ()
    assert mixture.joint_log_prob(model, x[:, None], code.expand(5, 3)).shape == (6, 5)
    assert torch.autograd.gradcheck(lambda rows: mixture.joint_log_prob(model, rows, code), [x])


def excluded_and_tiny() -> GaussianMixture:
    log_weights = torch.tensor([[0.0, -torch.inf, 1.0], [0.0, 0.5, -2000.0], [0.0, 0.1, 0.2]], dtype=torch.float64)
    return GaussianMixture.from_log_weights(random(3, 3, 4, seed=4), log_weights, 0.5)


@pytest.mark.parametrize(
    "model",
    [random_mixture(4, 3, 5), random_mixture(6, 2, 3), random_mixture(1, 4, 2), random_mixture(3, 1, 2),
     excluded_and_tiny()],
    ids=["R 3", "R 2", "one unit", "one component", "excluded"],
)  # fmt: skip
@pytest.mark.parametrize("block", [1, 1000, 2**19])
def test_exact_code_is_the_most_probable_of_all(
    model: GaussianMixture, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint, "BLOCK", block)
    x = 3 * random(200, model.num_features, seed=6)
    density = mixture.joint_log_prob(model, x[:, None], all_codes(model))
    code = mixture.joint_map(model, x)
    assert code.dtype == torch.int64
    clear = away_from_ties(density) if density.shape[1] > 1 else torch.ones(200, dtype=torch.bool)
    assert clear.double().mean() > 0.99
    assert torch.equal(code[clear], all_codes(model)[density.argmax(1)][clear])


def test_one_unit_is_its_own_joint_model() -> None:
    model, x = random_mixture(1, 6, 3), 3 * random(500, 3)
    assert torch.equal(mixture.joint_map(model, x), model.map_code(x))
    assert torch.equal(mixture.joint_map(model, x, method="icm"), model.map_code(x))
    assert mixture.disagreement(model, x) == 0


def test_unitwise_code_is_that_of_the_units() -> None:
    model, x = random_mixture(), random(50, 4)
    assert torch.equal(mixture.unitwise_map(model, x), model.map_code(x))


def test_disagreement_counts_inputs() -> None:
    model, x = random_mixture(4, 3, 5), 3 * random(300, 5)
    differs = (mixture.joint_map(model, x) != mixture.unitwise_map(model, x)).any(1)
    assert 0.1 < mixture.disagreement(model, x) < 1
    assert mixture.disagreement(model, x) == differs.sum().item() / 300
    assert mixture.disagreement(model, x[differs]) == 1
    assert mixture.disagreement(model, x.view(30, 10, 5)) == mixture.disagreement(model, x)
    assert mixture.disagreement(model, x, method="icm") <= mixture.disagreement(model, x)


@pytest.mark.parametrize("sizes", [(4, 3, 5), (8, 2, 6), (40, 3, 12)])
def test_climbing_ends_on_a_local_maximum_above_its_start(sizes: tuple[int, int, int]) -> None:
    units, pieces, features = sizes
    model, x = random_mixture(*sizes), 4 * random(300, features, seed=2)
    start = mixture.unitwise_map(model, x)
    code = mixture.joint_map(model, x, method="icm")
    density = mixture.joint_log_prob(model, x, code)
    gain = density - mixture.joint_log_prob(model, x, start)
    moved = (code != start).any(1)
    assert moved.any()
    assert (gain[moved] > 0).all()
    assert not gain[~moved].any()
    for unit, piece in itertools.product(range(units), range(pieces)):  # no unit alone can do better
        other = code.clone()
        other[:, unit] = piece
        assert (mixture.joint_log_prob(model, x, other) <= density + 1e-9).all()


def test_climbing_against_enumeration() -> None:
    """Never above the best, at it for most inputs, and closer to it than the start."""
    model, x = random_mixture(6, 3, 8), 3 * random(500, 8, seed=2)
    best = mixture.joint_log_prob(model, x, mixture.joint_map(model, x))
    climbed = mixture.joint_log_prob(model, x, mixture.joint_map(model, x, method="icm"))
    start = mixture.joint_log_prob(model, x, mixture.unitwise_map(model, x))
    assert (climbed <= best + 1e-10).all()
    assert ((best - climbed) < 1e-10).double().mean() > 0.6
    assert (best - climbed).mean() < 0.2 * (best - start).mean()


def test_climbing_stops_at_its_limit_and_says_so() -> None:
    model, x = random_mixture(40, 3, 12), 4 * random(300, 12, seed=2)
    start = mixture.joint_log_prob(model, x, mixture.unitwise_map(model, x))
    with pytest.warns(RuntimeWarning, match=r"of 300 inputs changed their code in sweep 1, the last of max_sweeps"):
        once = mixture.joint_map(model, x, method="icm", max_sweeps=1)
    assert (mixture.joint_log_prob(model, x, once) >= start).all()


@pytest.mark.parametrize("method", ["exact", "icm"])
def test_components_that_tie_end_the_climb(method: Any) -> None:
    means = random(3, 1, 4).expand(3, 4, 4).clone()
    model = GaussianMixture(means, torch.full((3, 4), 0.25, dtype=torch.float64))
    assert mixture.joint_map(model, random(20, 4), method=method).shape == (20, 3)


@pytest.mark.parametrize("method", ["exact", "icm"])
@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,)])
def test_batch_shapes(shape: tuple[int, ...], method: Any) -> None:
    model, x = random_mixture(3, 2, 4), 3 * random(*shape, 4)
    code = mixture.joint_map(model, x, method=method)
    assert code.shape == mixture.unitwise_map(model, x).shape == (*shape, 3)
    rows = [mixture.joint_map(model, row, method=method) for row in x.reshape(-1, 4)]
    if rows:
        assert torch.equal(code.view(-1, 3), torch.stack(rows))


@pytest.mark.parametrize("method", ["exact", "icm"])
def test_far_from_zero_in_float32(method: Any) -> None:
    """All units' means and the inputs a long way off: the code is that of the same model in float64."""
    model = random_mixture(4, 3, 5)
    model.means += 1000
    x = 4000 + 3 * random(300, 5)
    single = random_mixture(4, 3, 5).float()
    single.means.copy_(model.means)
    model.means.copy_(single.means)
    expected = mixture.joint_map(model, x.float().double(), method=method)
    agree = (mixture.joint_map(single, x.float(), method=method) == expected).all(1)
    assert agree.double().mean() > 0.99


@pytest.mark.parametrize("method", ["exact", "icm"])
def test_autocast_leaves_the_code_alone(method: Any) -> None:
    model, x = random_mixture(4, 3, 5).float(), 3 * random(2000, 5, dtype=torch.float32)
    expected = mixture.joint_map(model, x, method=method)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(mixture.joint_map(model, x, method=method), expected)


def test_many_codes_within_the_limit() -> None:
    model, x = random_mixture(17, 2, 24), 3 * random(8, 24)
    exact, climbed = mixture.joint_map(model, x), mixture.joint_map(model, x, method="icm")
    assert (mixture.joint_log_prob(model, x, exact) >= mixture.joint_log_prob(model, x, climbed) - 1e-9).all()
    for unit in range(17):
        other = exact.clone()
        other[:, unit] = 1 - other[:, unit]
        assert (mixture.joint_log_prob(model, x, other) < mixture.joint_log_prob(model, x, exact)).all()
