"""Exact partitions of the book's two trained networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from betavq.geometry import Partition, decision_boundary, partition
from hardtosoft.results.networks import Network, digits_test_set, load_digits_network, load_two_moons


def as_module(network: Network) -> nn.Module:
    layers: list[nn.Module] = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        layer = nn.Linear(*reversed(weight.shape)).double()
        layer.load_state_dict({"weight": weight, "bias": bias})
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


@pytest.fixture(scope="module")
def two_moons() -> Partition:
    return partition(as_module(load_two_moons()), [[-2, -2], [3, -2], [3, 2], [-2, 2]])


@pytest.fixture(scope="module")
def digits() -> Partition:
    """The triangle between three digits and a little beyond."""
    images, _ = digits_test_set()
    first, second, third = images[:3]
    corners = [[-0.2, -0.2], [1.4, -0.2], [-0.2, 1.4]]
    return partition(as_module(load_digits_network()), corners, plane=(first, second - first, third - first))


@pytest.mark.parametrize("name", ["two_moons", "digits"])
def test_the_partition_is_exact(name: str, request: pytest.FixtureRequest) -> None:
    regions: Partition = request.getfixturevalue(name)
    network = load_two_moons() if name == "two_moons" else load_digits_network()
    x, y = regions.domain.T
    area = abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
    assert abs(regions.areas.sum() / area - 1) < 1e-9
    assert len(np.unique(regions.codes, axis=0)) == len(regions) > 20
    low, high = regions.domain.min(0), regions.domain.max(0)
    points = np.random.default_rng(0).uniform(low, high, (50_000, 2))
    where = regions.locate(points)
    assert name == "digits" or where.min() >= 0
    points, where = points[where >= 0], where[where >= 0]
    inputs = regions.inputs(points)
    assert np.abs(regions.logits(points) - network.logits(inputs, 1.0).numpy()).max() < 1e-10
    scores = torch.cat(network.preactivations(inputs, 1.0), 1)
    assert np.array_equal(regions.codes[where], (scores > 0).numpy())


def test_the_boundary_of_two_moons_is_where_the_logit_is_0(two_moons: Partition) -> None:
    network = load_two_moons()
    lines = decision_boundary(two_moons)
    assert len(lines[0].regions) > 5
    for line in lines:
        assert network.logits(torch.from_numpy(line.points), 1.0).abs().max() <= 1e-9
