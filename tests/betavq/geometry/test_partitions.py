"""Exact partitions: regions tile the domain, their maps are the network's, and none is missing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from partition_examples import box, codes, outputs, random_net, random_points
from torch import nn

from betavq.geometry import Partition, partition

NETS = {
    "one layer": (random_net(12, seed=1), 3.0),
    "two layers": (random_net(8, 8, seed=2, outputs=3), 2.0),
    "three layers": (random_net(9, 9, 9, seed=3), 3.0),
    "deep": (random_net(6, 6, 6, 6, 6, seed=4, outputs=2), 5.0),
    "wide": (random_net(32, 32, seed=5), 1.0),
    "leaky": (random_net(10, 10, seed=6, unit=lambda: nn.LeakyReLU(0.3)), 3.0),
    "learned slope": (random_net(10, 10, seed=7, unit=lambda: nn.PReLU(10, init=-0.2)), 3.0),
}


@pytest.fixture(scope="module", params=NETS)
def example(request: pytest.FixtureRequest) -> tuple[nn.Module, Partition]:
    model, half = NETS[request.param]
    return model, partition(model, box(half))


def test_areas_sum_to_that_of_the_domain(example: tuple[nn.Module, Partition]) -> None:
    _, regions = example
    area = np.prod(np.ptp(regions.domain, axis=0))
    assert abs(regions.areas.sum() / area - 1) < 1e-12
    assert regions.areas.min() > 0
    assert abs(sum(region.area for region in regions) - area) < 1e-9 * area


def test_no_two_regions_have_one_code(example: tuple[nn.Module, Partition]) -> None:
    _, regions = example
    assert len(np.unique(regions.codes, axis=0)) == len(regions) > 20


@pytest.mark.claim("H1")
def test_no_point_is_in_a_region_that_is_not_listed(example: tuple[nn.Module, Partition]) -> None:
    """No point of the plane has a code that no region has."""
    model, regions = example
    points = random_points(regions, 100_000)
    assert len(points) == 100_000
    inputs = torch.from_numpy(points)
    kinds = (nn.ReLU, nn.LeakyReLU, nn.PReLU)
    assert np.array_equal(regions.codes[regions.locate(points)], codes(model, kinds, inputs))
    assert np.abs(regions.logits(points) - outputs(model, inputs)).max() < 1e-10
