"""A partition as a sequence, its arrays, and the edges in them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from partition_examples import box, edge_lengths, random_net, seeded
from torch import nn

from betavq.geometry import Partition, partition


@pytest.fixture(scope="module")
def regions() -> Partition:
    return partition(random_net(8, 8, seed=3, outputs=2), box(3.0))


def test_regions_are_rows_of_the_arrays(regions: Partition) -> None:
    assert len(list(regions)) == len(regions)
    for i in (0, 5, -1):
        row = i % len(regions)
        region = regions[i]
        assert np.array_equal(region.polygon, regions.vertices[regions.starts[row] : regions.starts[row + 1]])
        assert np.array_equal(region.slopes, regions.slopes[row])
        assert np.array_equal(region.offsets, regions.offsets[row])
        assert np.array_equal(region.code, regions.codes[row])
        assert region.area == regions.areas[row]
    assert [region.area for region in regions[2:5]] == regions.areas[2:5].tolist()
    with pytest.raises(IndexError, match="index must be below the number of regions"):
        regions[len(regions)]


def test_polygons_are_convex_and_counterclockwise(regions: Partition) -> None:
    for region in regions:
        before = region.polygon - np.roll(region.polygon, 1, axis=0)
        after = np.roll(before, -1, axis=0)
        assert (before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0] > -1e-12).all()
    assert (regions.locate(regions.centres) == np.arange(len(regions))).all()


def test_edges_tell_the_layer_and_the_unit_that_drew_them(regions: Partition) -> None:
    lengths, depth = edge_lengths(regions), regions.edge_depth
    assert lengths[depth == 0].sum() == pytest.approx(24.0)
    assert set(depth.tolist()) == {0, 1, 2}
    first = partition(random_net(8, 8, seed=3, outputs=2)[:3], box(3.0))  # the first layer of units alone
    assert lengths[depth == 1].sum() == pytest.approx(edge_lengths(first)[first.edge_depth == 1].sum())
    model = random_net(8, 8, seed=3, outputs=2)
    following = np.arange(1, len(regions.vertices) + 1)
    following[regions.starts[1:] - 1] = regions.starts[:-1]
    middle = torch.from_numpy((regions.vertices + regions.vertices[following]) / 2)
    scores = model[0](middle), model[2](torch.relu(model[0](middle)))
    for layer in (1, 2):
        rows = np.flatnonzero(depth == layer)
        at_kink = scores[layer - 1][rows, regions.edge_unit[rows]]
        assert at_kink.abs().max() < 1e-12


def test_points_outside_are_in_no_region(regions: Partition) -> None:
    points = [[0.0, 0.0], [3.1, 0.0], [1e9, -1e9]]
    assert (regions.locate(points) >= 0).tolist() == [True, False, False]
    assert np.isnan(regions.logits(points)[1:]).all()
    with pytest.raises(ValueError, match=r"points must have shape \(N, 2\), got \(2,\)"):
        regions.locate([0.0, 1.0])


def test_a_slice_of_a_larger_input_space() -> None:
    model = random_net(8, inputs=5, seed=2)
    origin, first, second = torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    regions = partition(model, box(2.0), plane=(origin, first, second))
    point = np.array([[0.3, -1.2]])
    assert torch.allclose(regions.inputs(point), origin + 0.3 * first - 1.2 * second)
    assert regions.logits(point) == pytest.approx(model(regions.inputs(point)).detach().numpy())


def test_an_affine_network_has_one_region() -> None:
    (region,) = partition(seeded(lambda: nn.Linear(2, 3), 0), box(1.0))
    assert region.area == pytest.approx(4)
    assert region.code.size == 0
    assert len(partition(seeded(lambda: nn.Linear(2, 3), 0), box(1.0)).neighbours.pairs) == 0


@pytest.mark.parametrize(
    "unit", [nn.ReLU6(), nn.Hardtanh(-0.3, 0.5), nn.Hardsigmoid()], ids=lambda unit: type(unit).__name__
)
def test_units_of_three_pieces(unit: nn.Module) -> None:
    model = random_net(6, 6, seed=2, unit=lambda: unit)
    regions = partition(model, box(8.0))
    assert len(np.unique(regions.codes, axis=0)) == len(regions) > 10
    assert regions.codes.max() == 2
    assert regions.areas.sum() == pytest.approx(256, rel=1e-9)
    points = np.random.default_rng(0).uniform(-8, 8, (5000, 2))
    assert np.abs(regions.logits(points) - model(torch.from_numpy(points)).detach().numpy()).max() < 1e-10
