"""MASO: scores, selections and codes against enumeration and K-means; convexity and limits."""

from __future__ import annotations

import math

import pytest
import torch
from maso_examples import betas, enumerated, random, random_maso

from betavq import MASO


@pytest.mark.parametrize("padded", [False, True])
def test_scores_are_affine(padded: bool) -> None:
    maso, x = random_maso(padded=padded), random(5, 2)
    torch.testing.assert_close(maso.scores(x), torch.tensor(enumerated(maso, x), dtype=x.dtype), rtol=0, atol=1e-14)


@pytest.mark.claim("C2")
@pytest.mark.parametrize("padded", [False, True])
def test_selection_is_the_largest_score(padded: bool) -> None:
    """The piece that each unit selects, found by comparing all scores one by one."""
    maso, x = random_maso(padded=padded), random(200, 2)
    expected = [[max(range(4), key=unit.__getitem__) for unit in row] for row in enumerated(maso, x)]
    selection = maso.selection(x)
    assert selection.tolist() == expected
    assert selection.dtype == torch.int64
    assert torch.equal(maso.code(x).argmax(-1), selection)
    assert set(selection.flatten().tolist()) == {0, 1, 2, 3}  # every piece has its inputs


@pytest.mark.claim("C2")
@pytest.mark.parametrize("shape", [(1, 2, 1), (1, 10, 64), (7, 5, 3)])
def test_kmeans_assignment(shape: tuple[int, int, int]) -> None:
    """With offsets of −½ times the slope's squared length each unit selects the nearest slope, as K-means does."""
    centroids, x = random(*shape, seed=3), random(500, shape[2])
    maso = MASO(centroids, -0.5 * centroids.square().sum(-1))
    distances = (x[:, None, None] - centroids).square().sum(-1)
    assert torch.equal(maso.selection(x), distances.argmin(-1))


@pytest.mark.claim("C2")
def test_kmeans_assignment_of_scikit_learn() -> None:
    """The centroids that scikit-learn fitted, as slopes, sort points into the clusters that it predicts."""
    kmeans = pytest.importorskip("sklearn.cluster").KMeans(6, n_init=1, random_state=0).fit(random(300, 2).numpy())
    centroids = torch.as_tensor(kmeans.cluster_centers_)[None]
    x = random(1000, 2, seed=5)
    selection = MASO(centroids, -0.5 * centroids.square().sum(-1)).selection(x)
    assert selection.squeeze(1).tolist() == kmeans.predict(x.numpy()).tolist()


@pytest.mark.claim("C2")
def test_offsets_move_cells_of_a_power_diagram() -> None:
    """With any offsets the selected piece has the least ‖x − A‖² − (‖A‖² + 2B)."""
    maso, x = random_maso(), random(500, 2)
    radii = maso.slopes.square().sum(-1) + 2 * maso.offsets
    powers = (x[:, None, None] - maso.slopes).square().sum(-1) - radii
    assert torch.equal(maso.selection(x), powers.argmin(-1))


def test_the_first_of_tied_pieces_is_selected_and_has_the_gradient() -> None:
    maso = MASO(torch.tensor([[[0.0], [1.0], [-1.0], [1.0]], [[-2.0], [2.0], [2.0], [0.0]]]), torch.zeros(2, 4))
    x = torch.tensor([[0.0], [3.0], [-3.0]], requires_grad=True)
    assert maso.selection(x).tolist() == [[0, 0], [1, 1], [2, 0]]
    y = maso(x)
    assert y.tolist() == [[0, 0], [3, 6], [3, 6]]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[-2], [3], [-3]]
    assert maso.offsets.grad is not None
    assert maso.offsets.grad.tolist() == [[1, 1, 1, 0], [2, 1, 0, 0]]


@betas
def test_excluded_pieces_change_nothing(beta: float) -> None:
    maso, x = random_maso(), random(40, 2)
    wide = MASO(
        torch.cat((random(3, 2, 2, seed=9), maso.slopes.detach()), 1),
        torch.cat((torch.full((3, 2), -math.inf), maso.offsets.detach()), 1),
    )
    torch.testing.assert_close(wide(x, beta), maso(x, beta), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(wide.code(x, beta)[..., 2:], maso.code(x, beta), rtol=0, atol=1e-14)
    assert torch.equal(wide.selection(x), maso.selection(x) + 2)


@pytest.mark.claim("C1")
def test_units_are_convex_when_hard() -> None:
    """No output at the middle of two inputs lies above the mean of the outputs at both."""
    maso, a, b = random_maso(6, 5, 3, padded=True), random(2000, 3, seed=3), random(2000, 3, seed=4)
    excess = maso((a + b) / 2) - (maso(a) + maso(b)) / 2
    assert excess.max().item() <= 1e-14
    assert excess.min().item() < -0.1  # and most are not affine between them


def test_beta_to_one_is_the_maximum_within_the_known_gap() -> None:
    maso, x = random_maso(pieces=4), random(3000, 2)
    for beta in (0.9, 0.999, 1 - 1e-9):
        gap = maso(x) - maso(x, beta)
        assert gap.min().item() >= -1e-14
        assert gap.max().item() <= 0.603546 * (1 - beta) / beta + 1e-14  # W(3/e)/η


def test_beta_zero_is_the_mean_of_the_pieces_on_offer() -> None:
    maso, x = random_maso(padded=True), random(20, 2)
    z = maso.scores(x)
    torch.testing.assert_close(maso(x, 0.0)[:, 0], z[:, 0].mean(-1))
    torch.testing.assert_close(maso(x, 0.0)[:, 1:], z[:, 1:, :-1].mean(-1))
