"""Partitions of networks that are more than a chain: pooling, residual connections, maxout, slices of images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from partition_examples import (
    Convolutional,
    Pooled,
    Residual,
    box,
    edge_lengths,
    maxout_net,
    outputs,
    random_points,
    seeded,
)
from torch import nn
from torch.nn.utils import prune

from betavq.geometry import Partition, codes, partition
from betavq.orthogonal import orthogonal_filters

NETS = {
    "residual": (Residual, 3.0),
    "pooled": (Pooled, 3.0),
    "maxout": (maxout_net, 2.0),
    "images": (Convolutional, 1),
}


@pytest.fixture(scope="module", params=NETS)
def example(request: pytest.FixtureRequest) -> tuple[nn.Module, Partition]:
    make, half = NETS[request.param]
    model = seeded(make, 3)
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return model, partition(model, box(half), plane=images if make is Convolutional else None)


def test_regions_tile_the_domain_and_differ_in_code(example: tuple[nn.Module, Partition]) -> None:
    _, regions = example
    area = np.prod(np.ptp(regions.domain, axis=0))
    assert abs(regions.areas.sum() / area - 1) < 1e-9
    assert len(np.unique(regions.codes, axis=0)) == len(regions) > 100


def test_points_are_in_listed_regions_with_their_maps_and_codes(example: tuple[nn.Module, Partition]) -> None:
    model, regions = example
    points = random_points(regions, 10_000)
    inputs, where = regions.inputs(points), regions.locate(points)
    assert where.min() >= 0
    assert np.abs(regions.logits(points) - outputs(model, inputs)).max() < 1e-10
    # An independent reading of what the units select; two points have one code if and only if they share a region.
    selected = torch.cat([code.flatten(1) for code in codes(model, inputs).values()], 1).numpy()
    _, by_code = np.unique(selected, axis=0, return_inverse=True)
    pairs = np.unique(np.stack((by_code.ravel(), where)), axis=1)
    assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


def test_neighbours_share_all_edges_inside(example: tuple[nn.Module, Partition]) -> None:
    _, regions = example
    shared = regions.neighbours
    lengths = np.hypot(*(shared.segments[:, 1] - shared.segments[:, 0]).T)
    inside = regions.edge_depth > 0
    assert 2 * lengths.sum() == pytest.approx(edge_lengths(regions)[inside].sum(), rel=1e-9)
    start = np.cumsum([0, *(layer.num_units for layer in regions.layers)])
    unit = start[shared.depths - 1] + shared.units
    first, second = (regions.codes[shared.pairs[:, side], unit] for side in (0, 1))
    assert (first > second).all()
    before = np.arange(start[-1]) < start[shared.depths - 1][:, None]
    same = regions.codes[shared.pairs[:, 0]] == regions.codes[shared.pairs[:, 1]]
    assert same[before].all()


def test_the_network_is_continuous_across_shared_edges(example: tuple[nn.Module, Partition]) -> None:
    _, regions = example
    shared = regions.neighbours
    first, second = (
        (regions.slopes[rows][:, None] * shared.segments[:, :, None]).sum(-1) + regions.offsets[rows][:, None]
        for rows in shared.pairs.T
    )
    assert np.abs(first - second).max() < 1e-10


def test_codes_of_units_of_many_pieces() -> None:
    """More pieces than a byte tells apart."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 600), nn.Unflatten(1, (2, 300)), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    model = model.double().eval()
    regions = partition(model, box(2.0))
    x = torch.from_numpy(random_points(regions, 500))
    selected = model[1](model[0](x)).argmax(2).numpy()
    assert selected.max() > 255
    assert np.array_equal(regions.codes[regions.locate(x)], selected)
    assert np.array_equal(torch.cat(list(codes(model, x).values()), 1).numpy(), selected)


WEIGHTS = {
    "orthogonal filters": lambda: orthogonal_filters(nn.Linear(2, 2)),
    "weight norm": lambda: torch.nn.utils.parametrizations.weight_norm(nn.Linear(2, 6)),
    "orthogonal": lambda: torch.nn.utils.parametrizations.orthogonal(nn.Linear(2, 6)),
    "pruned": lambda: prune.l1_unstructured(nn.Linear(2, 6), "weight", 0.5),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_are_computed(name: str) -> None:
    """By a parametrisation, or by what pruning leaves."""
    torch.manual_seed(1)
    first = WEIGHTS[name]()
    model = nn.Sequential(first, nn.ReLU(), nn.Linear(first.out_features, 1)).double().eval()
    regions = partition(model, box(1.0))
    points = random_points(regions, 200)
    assert np.abs(regions.logits(points) - outputs(model, torch.from_numpy(points))).max() < 1e-12
    assert len(regions) > 2


def test_a_number_a_row_is_a_unit_too() -> None:
    """Of shape (N,), without a dimension of its own."""

    class Scalar(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.maximum(x.sum(1).relu(), x[:, 0].abs() - 1).unsqueeze(1)

    model = Scalar().eval()
    regions = partition(model, box(2.0))
    points = random_points(regions, 300)
    x = torch.from_numpy(points)
    assert np.abs(regions.logits(points) - outputs(model, x)).max() < 1e-12
    found = codes(model, x)
    assert list(found) == ["relu", "abs", "maximum"]
    assert all(code.shape == (300, 1) for code in found.values())
    assert [layer.num_units for layer in regions.layers] == [1, 1, 1]
