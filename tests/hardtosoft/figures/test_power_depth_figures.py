"""Depth as subdivision, and one diagram for the whole network: against the network itself."""

import numpy as np
import pytest
import torch

from betavq import geometry
from hardtosoft.figures.power_diagrams import depth as power_depth
from hardtosoft.figures.power_diagrams.depth import PLANE, partition


def named(panel, name):
    (found,) = [trace for trace in panel.traces if trace["name"] == name]
    return found


def code(depth, points):
    return torch.cat(list(geometry.codes(power_depth.first_layers(depth), points).values()), 1)


@pytest.mark.parametrize(("depth", "along"), [("one layer", -2.0), ("two layers", 0.2), ("three layers", 1.4)])
def test_green_is_the_region_on_the_left_and_the_power_cell_on_the_right(depth, along):
    count = power_depth.DEPTHS[depth]
    x = torch.tensor([[along, power_depth.HEIGHT]], dtype=torch.float64)
    left, right = power_depth.depth_frame(depth, along).panels
    same = (code(count, PLANE.points) == code(count, x)).all(1)
    difference = np.abs(named(left, "region of x")["z"] - PLANE.means(same.double()).numpy())
    assert (difference > 1e-9).mean() < 0.01  # points on an edge may go to either side
    before = (code(count - 1, PLANE.points) == code(count - 1, x)).all(1) if count > 1 else same | True
    inside = PLANE.means(before.double()).numpy() == 1
    np.testing.assert_allclose(
        named(right, "cell of x")["z"][inside], named(left, "region of x")["z"][inside], atol=0.3
    )
    agree = named(right, "cell of x")["z"][inside] == named(left, "region of x")["z"][inside]
    assert agree.mean() > 0.98
    if count > 1:
        assert named(right, "cell of x")["z"].sum() >= named(left, "region of x")["z"].sum() - 1


@pytest.mark.parametrize("depth", [2, 3])
def test_the_pulled_back_layer_is_the_layer_inside_the_region(depth):
    x = torch.tensor([0.2, power_depth.HEIGHT], dtype=torch.float64)
    inside = PLANE.points[(code(depth - 1, PLANE.points) == code(depth - 1, x[None])).all(1)]
    before = power_depth.first_layers(depth - 1)
    expected = power_depth.layer(depth)(before(inside))
    torch.testing.assert_close(power_depth.pulled_back(depth, x)(inside), expected, rtol=0, atol=1e-12)


def test_edges_drawn_are_kinks_of_the_layer_that_is_said_to_have_made_them():
    left = power_depth.depth_frame("three layers", 0.2).panels[0]
    for made_by in (1, 2, 3):
        edge = named(left, f"edges of layer {made_by}")
        ends = np.column_stack([edge["x"], edge["y"]]).reshape(-1, 3, 2)[:, :2]
        middles = torch.from_numpy(ends[np.isfinite(ends).all((1, 2))].mean(1))
        below = power_depth.first_layers(made_by - 1)(middles) if made_by > 1 else middles
        scores = power_depth.layer(made_by).scores(below)
        assert (scores[..., 0] - scores[..., 1]).abs().amin(1).max() < 1e-9


def test_edges_of_later_layers_are_absent_before_their_time():
    left = power_depth.depth_frame("one layer", 0.2).panels[0]
    assert np.isfinite(named(left, "edges of layer 1")["x"]).any()
    assert np.isnan(named(left, "edges of layer 2")["x"]).all()
    with pytest.raises(ValueError, match="depth must be one of 'one layer', 'two layers', 'three layers', got 'four'"):
        power_depth.depth_frame("four", 0.2)


def test_every_layer_adds_regions():
    counts = [len(partition(depth)) for depth in range(4)]
    assert counts[0] == 1
    assert counts == sorted(set(counts))


def test_one_diagram_has_all_regions_at_small_weights_and_not_at_equal_ones():
    shares = [power_depth.in_own_cell(gamma).double().mean().item() for gamma in power_depth.GAMMAS]
    assert shares[0] < 0.6
    assert all(share == 1 for share, e in zip(shares, power_depth.GAMMAS, strict=True) if e <= 0.5)
    assert "100" in str(max(power_depth.one_diagram_frame(0.5).panels[1].traces[1]["y"]))


def test_its_function_is_convex_at_small_weights_and_bends_down_somewhere_at_equal_ones():
    generator = torch.Generator().manual_seed(0)
    a, b = (3 * (2 * torch.rand(20_000, 2, generator=generator).double() - 1) for _ in range(2))
    worst = []
    for gamma in (0.5, 0.1, 1.0):
        function = power_depth.WeightedSums(gamma)
        with torch.no_grad():
            worst.append((function((a + b) / 2) - (function(a) + function(b)) / 2).max().item())
    assert max(worst[:2]) < 1e-12
    assert worst[2] > 1e-3


@pytest.mark.parametrize("seed", [1, 4])
def test_other_networks_too_have_one_diagram(seed):
    """Drawn at random, larger: points by the largest affine piece of the weighted sum, against their codes."""
    generator = torch.Generator().manual_seed(seed)
    layers, width = [], 2
    for _ in range(3):
        slopes = torch.randn(8, 1, width, generator=generator).double() / width**0.5
        offsets = torch.randn(8, 1, generator=generator).double()
        layers.append((slopes * torch.tensor([[0.1], [1.0]]), offsets * torch.tensor([0.1, 1.0])))
        width = 8

    def weighted(x):
        total = 0.0
        for depth, (slopes, offsets) in enumerate(layers):
            x = (torch.einsum("nd,krd->nkr", x, slopes) + offsets).amax(2)
            total = total + 0.05**depth * x.sum(1)
        return total

    def codes(x):
        found = []
        for slopes, offsets in layers:
            z = torch.einsum("nd,krd->nkr", x, slopes) + offsets
            found.append(z.argmax(2))
            x = z.amax(2)
        return torch.cat(found, 1)

    x = 3 * (2 * torch.rand(3000, 2, generator=generator).double() - 1)
    _, region = codes(x).unique(dim=0, return_inverse=True)
    first = torch.stack([(region == r).nonzero()[0, 0] for r in range(int(region.max()) + 1)])
    points = x[first].requires_grad_()
    values = weighted(points)
    (slopes,) = torch.autograd.grad(values.sum(), points)
    offsets = values.detach() - (slopes * points.detach()).sum(1)
    assert torch.equal((x @ slopes.T + offsets).argmax(1), region)
