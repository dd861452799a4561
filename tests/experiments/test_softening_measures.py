"""What the experiment on softened networks measures: attacks, noise, calibration, batch statistics."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from experiments.softening.measures import BINS, Calibration, fgsm, has_statistics, logits, noisy, pgd, renewed


@pytest.fixture
def affine():
    """A classifier of two classes whose loss falls along one known direction of each pixel."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([[1.0, -2.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]]))
    return net.eval()


@pytest.fixture
def pixels():
    return torch.rand(7, 1, 2, 2, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.2


def test_on_an_affine_network_both_attacks_are_the_exact_worst_case(affine, pixels):
    labels = torch.tensor([0, 1, 0, 1, 0, 1, 0])
    direction = torch.tensor([1.0, -1.0, 1.0, 0.0]).view(1, 2, 2)
    sign = torch.where(labels == 0, -1.0, 1.0).view(-1, 1, 1, 1)
    worst = pixels + 0.1 * sign * direction
    torch.testing.assert_close(fgsm(affine, pixels, labels, 0.1), worst)
    found = pgd(affine, pixels, labels, 0.1, 8)
    moved = direction.expand_as(found) != 0
    torch.testing.assert_close(found[moved], worst[moved])
    assert (found - pixels).abs().max() <= 0.1 + 1e-6


def test_attacks_stay_images_and_near_and_are_made_again_alike(affine, pixels):
    labels = torch.zeros(7, dtype=torch.long)
    for attack in (lambda: fgsm(affine, pixels, labels, 0.5), lambda: pgd(affine, pixels, labels, 0.5, 3)):
        found = attack()
        assert found.min() >= 0
        assert found.max() <= 1
        assert (found - pixels).abs().max() <= 0.5 + 1e-6
        assert F.cross_entropy(affine(found), labels) > F.cross_entropy(affine(pixels), labels)
        assert torch.equal(found, attack())


def test_noise_is_of_one_draw_and_leaves_images(pixels):
    small, large = noisy(pixels, 0.01), noisy(pixels, 0.02)
    torch.testing.assert_close((large - pixels), 2 * (small - pixels))
    assert torch.equal(noisy(pixels, 0.0), pixels)
    strong = noisy(pixels, 5.0)
    assert (strong.min(), strong.max()) == (0, 1)
    wide = torch.full((1, 1, 100, 100), 0.5)
    assert (noisy(wide, 0.1) - wide).std().item() == pytest.approx(0.1, rel=0.05)


def test_calibration_error_by_hand():
    # Two bins: 0.6 sure and 2 of 4 right; 0.9 sure and 1 of 1 right.
    confidences = np.array([0.61, 0.61, 0.61, 0.61, 0.9])
    right = np.array([True, True, False, False, True])
    found = Calibration(confidences, right)
    assert found.error() == pytest.approx(4 / 5 * abs(0.5 - 0.61) + 1 / 5 * abs(1 - 0.9))
    diagram = {name: np.array(values) for name, values in found.diagram().items()}
    filled = diagram["share"] > 0
    assert diagram["share"][filled].tolist() == [0.8, 0.2]
    assert diagram["right"][filled].tolist() == [0.5, 1.0]
    assert diagram["confidence"][filled].tolist() == [0.61, 0.9]


def test_bins_of_equal_width_and_of_equal_counts():
    edges = np.arange(1, BINS + 1) / BINS
    even = Calibration(edges, np.ones(BINS, bool))
    assert even.bins.tolist() == list(range(BINS))
    crowded = np.concatenate([np.full(3 * BINS - 3, 0.99), [0.2, 0.3, 0.4]])
    counts = np.bincount(Calibration(crowded, crowded > 0, even_counts=True).bins)
    assert counts.tolist() == [3] * BINS


@pytest.mark.parametrize("even_counts", [False, True])
def test_weights_count_images_as_often_as_they_are_drawn(even_counts):
    generator = np.random.default_rng(0)
    confidences, right = generator.uniform(0.1, 1, 60), generator.uniform(size=60) < 0.7
    found = Calibration(confidences, right, even_counts=even_counts)
    drawn = generator.integers(0, 60, 60)
    weights = np.bincount(drawn, minlength=60)
    again = Calibration(confidences[drawn], right[drawn])
    again.bins = found.bins[drawn]
    assert found.error(weights[None].astype(float))[0] == pytest.approx(float(again.error()))
    assert found.error(np.ones((1, 60)))[0] == pytest.approx(float(found.error()))


def test_renewed_statistics_are_those_of_the_activations():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 2), nn.BatchNorm2d(2))
    net.eval()
    before = copy.deepcopy(net.state_dict())
    inputs = torch.rand(250, 1, 5, 5)
    again = renewed(net, inputs)
    found = logits(again, inputs)
    torch.testing.assert_close(found.mean((0, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.var((0, 2, 3)), torch.ones(2), atol=2e-3, rtol=0)
    assert not again.training
    assert again[2].momentum == 0.1
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert has_statistics(net)
    assert not has_statistics(net[:2])
