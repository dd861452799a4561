"""Exact regions as figures draw them, held against the forward pass and against counting by hand."""

import numpy as np
import pytest
import torch

from betavq.geometry import decision_boundary, partition
from hardtosoft.drawing.regions import code_shades, codes_to, count_to, joined, rectangle, regions, relief
from hardtosoft.figures.partitions.many import random_network
from hardtosoft.results.networks import load_digits_network, load_two_moons, module_of, moons_snapshots

SQUARE = rectangle((-1.0, 1.0), (-1.0, 1.0))


@pytest.fixture(scope="module")
def found():
    return partition(random_network((7, 6), seed=3), SQUARE)


def test_the_module_is_the_network_at_beta_1():
    inputs = torch.rand(50, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for network, x in ((load_digits_network(), inputs), (load_two_moons(), inputs[:, :2])):
        torch.testing.assert_close(module_of(network)(x), network.logits(x, 1.0), rtol=1e-12, atol=1e-12)


def test_lines_of_one_layer_make_as_many_regions_as_they_cross():
    """A line that cuts a convex box adds one region, and each crossing of two lines in it adds another."""
    network = random_network((7,), seed=3)
    weight, bias = (t.detach().numpy() for t in network[0].parameters())
    corners = np.array(SQUARE) @ weight.T + bias
    cutting = np.flatnonzero((corners.min(0) < 0) & (corners.max(0) > 0))
    pairs = [(i, j) for i in cutting for j in cutting if i < j]
    meet = np.array([np.linalg.solve(weight[[i, j]], -bias[[i, j]]) for i, j in pairs])
    crossings = int((np.abs(meet) < 1).all(1).sum())
    assert len(partition(network, SQUARE)) == 1 + len(cutting) + crossings


def test_counts_to_a_depth_are_those_of_the_shorter_network(found):
    shorter = partition(random_network((7, 6), seed=3)[:2], SQUARE)
    assert [count_to(found, depth) for depth in range(3)] == [1, len(shorter), len(found)]


def test_regions_that_share_an_edge_have_other_shades(found):
    shades = (255 * code_shades(found, 2)).round()
    first, second = found.neighbours.pairs.T
    assert (shades[first] != shades[second]).all()
    same = (codes_to(found, 1)[first] == codes_to(found, 1)[second]).all(1)
    assert np.array_equal(same, code_shades(found, 1)[first] == code_shades(found, 1)[second])


def test_a_flat_surface_is_lit_evenly_and_a_facet_that_faces_the_lamp_most(found):
    light = relief(found, steepness=0.5, lamp=0.0)
    assert 0 <= light.min() < light.max() <= 1
    west = found.slopes[:, 0, 0] - (found.areas @ found.slopes[:, 0, 0]) / found.areas.sum()
    assert light[west < 0].mean() > light[west > 0].mean()  # a facet that falls towards the lamp faces it
    plane = partition(random_network((1,), seed=3), SQUARE)
    assert np.ptp(relief(plane, steepness=0.0)) == 0


def test_edges_of_layers_that_are_not_shown_are_clear(found):
    trace = regions(found, 1, None)
    assert [stroke["opacity"] for stroke in trace["strokes"]] == [1.0, 0.0]
    np.testing.assert_array_equal(trace["kinds"], found.edge_depth)
    assert set(trace["kinds"]) == {0, 1, 2}
    assert trace["sides"].sum() == len(trace["x"]) == len(found.vertices)


def test_polylines_are_joined_by_gaps(found):
    boundary = decision_boundary(found)
    points = joined(boundary)
    assert np.isnan(points[:, 0]).sum() == len(boundary) >= 1
    assert np.isnan(joined([])).all()


def test_the_last_snapshot_is_the_trained_network():
    snapshots = moons_snapshots()
    assert list(snapshots) == sorted(snapshots)
    trained = load_two_moons()
    for ours, stored in zip(snapshots[1500].weights, trained.weights, strict=True):
        assert torch.equal(ours, stored)
    assert not torch.equal(snapshots[0].weights[0], trained.weights[0])
