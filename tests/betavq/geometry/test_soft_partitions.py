"""The entropies of a softened network's codes over the plane."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from partition_examples import Convolutional, Pooled, box, outputs, random_net, seeded
from torch import nn

import betavq
from betavq._torch.hard_units import Kinks
from betavq.functional import beta_relu
from betavq.geometry import distance_to_border, soft_partition
from betavq.geometry._entropies import soft_kinks

NET = random_net(6, 5, seed=1, outputs=2)


def test_entropy_and_logits_are_those_of_the_softened_forward_pass() -> None:
    found = soft_partition(NET, box(2.0), 0.6, resolution=(7, 4))
    assert found.entropy.shape == (2, 4, 7)
    assert found.logits.shape == (2, 4, 7)
    eta = 0.6 / 0.4
    x = torch.from_numpy(np.stack(np.meshgrid(found.x, found.y), -1)).reshape(-1, 2)
    for layer in range(2):
        u = NET[2 * layer](x)
        t = torch.sigmoid(eta * u)
        entropy = -(t * t.log() + (1 - t) * (1 - t).log()).mean(1) / math.log(2)
        assert found.entropy[layer].ravel() == pytest.approx(entropy.detach().numpy())
        x = beta_relu(u, beta=0.6)
    assert pytest.approx(NET[4](x).detach().numpy()) == found.logits.reshape(2, -1).T


def test_all_is_undecided_at_0_and_decided_at_1() -> None:
    assert soft_partition(NET, box(2.0), 0.0, resolution=5).entropy == pytest.approx(1.0)
    hard = soft_partition(NET, box(2.0), 1.0, resolution=6)
    assert (hard.entropy == 0).all()
    grid = torch.from_numpy(np.stack(np.meshgrid(hard.x, hard.y), -1)).reshape(-1, 2)
    assert pytest.approx(outputs(NET, grid)) == hard.logits.reshape(2, -1).T


def test_entropy_vanishes_off_the_edges_as_beta_grows() -> None:
    highest = []
    for beta in (0.9, 0.999, 0.99999):
        found = soft_partition(NET, box(2.0), beta, resolution=40)
        grid = torch.from_numpy(np.stack(np.meshgrid(found.x, found.y), -1)).reshape(-1, 2)
        away = (distance_to_border(NET, grid) > 0.02).numpy().reshape(40, 40)
        assert away.sum() > 500
        highest.append(found.entropy[:, away].max())
    assert highest == sorted(highest, reverse=True)
    assert highest[-1] < 1e-6


def test_outside_the_domain_there_is_nothing() -> None:
    found = soft_partition(NET, [[0, 0], [1, 0], [0, 1]], 0.5, resolution=10)
    x, y = np.meshgrid(found.x, found.y)
    off_the_side = np.abs(x + y - 1) > 1e-9
    assert np.array_equal(np.isnan(found.entropy[0])[off_the_side], (x + y > 1)[off_the_side])


@pytest.mark.parametrize("make", [Convolutional, Pooled])
def test_pooling_counts_among_how_many_entries_a_window_selects(make: type[nn.Module]) -> None:
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    plane = images if make is Convolutional else None
    found = soft_partition(seeded(make, 1), box(1.0), 0.0, resolution=3, plane=plane)
    assert len(found.layers) == len(found.entropy)
    assert found.entropy == pytest.approx(1.0)
    assert 0 < soft_partition(seeded(make, 1), box(1.0), 0.8, resolution=3, plane=plane).entropy.min() < 1


def test_a_minimum_of_two_pieces_hardens_to_the_network() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.PReLU(4, init=1.7), nn.Linear(4, 1)).double().eval()
    found = soft_partition(model, box(1.0), 1 - 1e-9, resolution=5)
    grid = torch.from_numpy(np.stack(np.meshgrid(found.x, found.y), -1)).reshape(-1, 2)
    assert pytest.approx(outputs(model, grid), abs=1e-6) == found.logits.reshape(1, -1).T


def test_arguments_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"beta must be in \[0, 1\], got 1.5"):
        soft_partition(NET, box(1.0), 1.5)
    with pytest.raises(ValueError, match="resolution must be at least 1"):
        soft_partition(NET, box(1.0), 0.5, resolution=0)
    with pytest.raises(ValueError, match="units that are the largest of their pieces, got layer '1' \\(Hardtanh\\)"):
        soft_partition(nn.Sequential(nn.Linear(2, 3), nn.Hardtanh(), nn.Linear(3, 1)).eval(), box(1.0), 0.5)


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.6, 0.999, 1.0])
def test_units_of_two_pieces_are_those_of_the_code_of_their_pieces(beta: float) -> None:
    generator = torch.Generator().manual_seed(0)
    slopes = torch.randn(2, 40, generator=generator, dtype=torch.float64)
    slopes[1, :3] = slopes[0, :3]  # two pieces that are one
    bend = 0.3
    constants = torch.stack([torch.zeros(40).double(), (slopes[0] - slopes[1]) * bend])
    scores = torch.randn(50, 40, generator=generator, dtype=torch.float64)
    value, entropy = soft_kinks(Kinks((bend,), slopes, constants, (40,)), scores, beta)
    pieces = slopes.T * scores[..., None] + constants.T
    sign = torch.where(slopes[0] > slopes[1], -1.0, 1.0)  # of a minimum
    t = betavq.code(sign[:, None] * pieces, beta)
    torch.testing.assert_close(value, (t * pieces).sum(-1), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(entropy, torch.special.entr(t).sum(-1) / math.log(2), rtol=1e-10, atol=1e-14)
