"""Cells of the smallest power are those of the codes, for a unit, for a layer and deep in a network."""

import itertools

import pytest
import torch
from piecewise_examples import everything, images, leaky_stack, maso, mlp, points
from torch import nn

import betavq
from betavq import geometry

POINTS = 5000


def definition(diagram, x):
    """‖x − μ‖² − ρ, as it is written."""
    return torch.cdist(x, diagram.centroids).square() - diagram.squared_radii


def test_a_layer_assigns_every_point_its_code():
    layer, x = maso(4, 3, 5), points(POINTS, 5, 6.0)
    diagram = geometry.power_diagram(layer)
    assert len(diagram) == 81
    assert torch.equal(diagram.assign(x), layer.selection(x))
    assert torch.equal(diagram.codes[definition(diagram, x).argmin(1)], layer.selection(x))
    torch.testing.assert_close(diagram.powers(x), definition(diagram, x), rtol=0, atol=1e-11)


@pytest.mark.claim("P1")
def test_centroids_and_radii_are_those_of_the_formula():
    """Centroids and radii are those of the formula."""
    layer = betavq.MASO(maso(2, 3, 4).slopes, maso(2, 3, 4).offsets - 2)
    diagram = geometry.power_diagram(layer)
    assert diagram.codes.tolist() == [list(q) for q in itertools.product(range(3), repeat=2)]
    for q, centroid, radius in zip(diagram.codes.tolist(), diagram.centroids, diagram.squared_radii, strict=True):
        mu = layer.slopes[0, q[0]] + layer.slopes[1, q[1]]
        torch.testing.assert_close(centroid, mu.detach())
        rho = mu @ mu + 2 * (layer.offsets[0, q[0]] + layer.offsets[1, q[1]])
        torch.testing.assert_close(radius, rho.detach())
    assert (diagram.squared_radii < 0).any()


def test_a_unit_by_itself():
    layer, x = maso(3, 4, 2), points(POINTS, 2)
    for k in range(3):
        diagram = geometry.power_diagram(layer, unit=k)
        torch.testing.assert_close(diagram.centroids, layer.slopes[k].detach())
        assert torch.equal(diagram.assign(x)[:, 0], layer.selection(x)[:, k])


def test_offsets_of_nearest_centroids_have_radius_0():
    centroids = maso(1, 5, 3).slopes.detach()
    unit = betavq.MASO(centroids, -0.5 * centroids.square().sum(2))
    diagram = geometry.power_diagram(unit)
    assert diagram.squared_radii.abs().max() < 1e-12
    x = points(500, 3)
    assert torch.equal(diagram.cell(x), torch.cdist(x, centroids[0]).argmin(1))


def test_a_constant_moves_no_cell_and_a_single_change_does():
    layer, x = maso(3, 2, 2), points(POINTS, 2)
    diagram = geometry.power_diagram(layer)
    radii = diagram.squared_radii
    raised = geometry.PowerDiagram(diagram.codes, diagram.centroids, radii + 7.0)
    assert torch.equal(raised.cell(x), diagram.cell(x))
    one = radii.clone()
    one[diagram.cell(x)[0]] -= 2.0
    assert not torch.equal(geometry.PowerDiagram(diagram.codes, diagram.centroids, one).cell(x), diagram.cell(x))


def test_codes_that_occur_are_enough_for_the_points_they_come_from():
    layer, x = maso(20, 2, 2), points(POINTS, 2)
    with pytest.raises(ValueError, match=r"max_codes must allow for 2\*\*20 codes of 20 units of 2 pieces, got 65536"):
        geometry.power_diagram(layer)
    diagram = geometry.power_diagram(layer, points=x)
    assert len(diagram) <= 1 + 20 + 190  # cells that 20 lines make
    assert torch.equal(diagram.assign(x), layer.selection(x))
    given = geometry.power_diagram(layer, codes=diagram.codes[:7])
    torch.testing.assert_close(given.centroids, diagram.centroids[:7])


def test_excluded_pieces_have_no_cell():
    slopes = maso(2, 2, 2).slopes.detach()
    layer = betavq.MASO(slopes, torch.tensor([[0.0, -torch.inf], [0.1, 0.2]], dtype=torch.float64))
    diagram, x = geometry.power_diagram(layer), points(300, 2)
    assert torch.equal(diagram.assign(x), layer.selection(x))
    assert diagram.squared_radii.isneginf().sum() == 2
    assert diagram.powers(x).isposinf().sum() == 600


@pytest.mark.claim("P1")
def test_every_layer_of_a_deep_network_assigns_every_point_its_code():
    """In every layer of a deep network the cell of smallest power is that of the code."""
    layers, x = leaky_stack(2, 9, 9, 9, seed=1), points(POINTS, 2)
    checked = {1: 0, 2: 0}
    for depth in checked:
        before, layer = nn.Sequential(*layers[:depth]), layers[depth]
        code = torch.cat(list(geometry.codes(before, x).values()), 1)
        _, region = code.unique(dim=0, return_inverse=True)
        for r in range(int(region.max()) + 1):
            inside = x[region == r]
            wanted = layer.selection(before(inside))
            diagram = geometry.power_diagram(layer, before=before, at=inside[0], points=inside)
            assert torch.equal(diagram.assign(inside), wanted)
            checked[depth] += len(inside)
    assert checked == {1: POINTS, 2: POINTS}


def test_all_codes_of_a_deep_layer_and_its_formula():
    layers, x = leaky_stack(2, 6, 4, seed=2), points(400, 2)
    first, second = layers
    diagram = geometry.power_diagram(second, before=first, at=x[0])
    (matrix,), (shift,) = geometry.affine_map(first, x[:1])
    q = diagram.codes[5]
    picked = second.slopes[torch.arange(4), q].sum(0)
    constant = second.offsets[torch.arange(4), q].sum()
    torch.testing.assert_close(diagram.centroids[5], (matrix.t() @ picked).detach())
    radius = (matrix.t() @ picked).square().sum() + 2 * picked @ shift + 2 * constant
    torch.testing.assert_close(diagram.squared_radii[5], radius.detach())
    inside = x[geometry.vq_distance(first, x, x[:1]).mean == 0]
    assert torch.equal(diagram.assign(inside), second.selection(first(inside)))


def test_layers_before_may_be_any_network():
    network, x = everything(), images(40)
    layer = maso(3, 2, 4)
    diagram = geometry.power_diagram(layer, before=network, at=x[0])
    assert diagram.centroids.shape == (8, 64)
    assert torch.equal(diagram.assign(x[:1].flatten(1)), layer.selection(network(x[:1])))


def test_the_centroid_by_a_backward_pass_is_that_of_the_diagram():
    layers, x = leaky_stack(2, 9, 9, 9, seed=1), points(30, 2)
    stack = nn.Sequential(*layers)
    for depth in (1, 2, 3):
        found = geometry.centroid(stack, x, depth)
        for point, mean in zip(x, found, strict=True):
            before = {"before": nn.Sequential(*layers[: depth - 1]), "at": point} if depth > 1 else {}
            diagram = geometry.power_diagram(layers[depth - 1], points=point[None], **before)
            torch.testing.assert_close(diagram.centroids[0], mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(geometry.centroid(stack, x), geometry.centroid(stack, x, 3))


def test_the_centroid_counts_the_layers_that_select():
    """Deep in a network with BatchNorm and a layer that works in place, against autograd by hand."""
    network, x = everything(), images(2)
    points = x.clone().requires_grad_()
    hidden = torch.relu(network.bn(network.conv(points)))
    by_hand = [torch.autograd.grad(hidden.sum(), points, retain_graph=True)[0]]
    inner = network.block(hidden)
    by_hand.append(torch.autograd.grad(inner.sum(), points, retain_graph=True)[0])
    by_hand.append(torch.autograd.grad(network.pool(hidden + inner).sum(), points)[0])
    for depth, expected in enumerate(by_hand, start=1):
        torch.testing.assert_close(geometry.centroid(network, x, depth), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"unit": 3}, "unit must be from 0 to 2, got 3"),
        ({"codes": torch.tensor([[0, 1, 2]])}, "codes must be from 0 to 1, got 0 to 2"),
        ({"codes": torch.tensor([[0, 1]])}, r"codes must be of shape \(Q, 3\), Q ≥ 1, got \(1, 2\)"),
        ({"points": points(0, 2)}, r"points must be of shape \(N, 2\), N ≥ 1, got \(0, 2\)"),
        ({"points": points(2, 2), "codes": torch.tensor([[0, 1, 1]])}, "not be given both"),
        ({"at": points(1, 2)[0]}, "before and at must be given together"),
        ({"before": mlp(2, 3, 4), "at": points(1, 2)[0]}, r"before must put out \(N, 2\), got \(1, 4\)"),
        ({"max_codes": 7}, "max_codes must allow for"),
        ({"before": nn.Sequential(mlp(2, 3, 2), nn.Dropout()).double().train(), "at": points(1, 2)[0]}, "eval mode"),
    ],
)
def test_what_makes_no_diagram_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        geometry.power_diagram(maso(3, 2, 2), **arguments)


def test_other_kinds_are_refused():
    with pytest.raises(TypeError, match=r"maso must be a betavq\.MASO, got Linear"):
        geometry.power_diagram(nn.Linear(2, 2))
    with pytest.raises(TypeError, match=r"codes must be a tensor of integers, got torch\.float64"):
        geometry.power_diagram(maso(3, 2, 2), codes=points(1, 3))
    diagram = geometry.power_diagram(maso(3, 2, 2))
    with pytest.raises(ValueError, match=r"x must be of shape \(N, 2\), got \(2,\)"):
        diagram.cell(points(1, 2)[0])
    with pytest.raises(TypeError, match="x must have the dtype of the diagram"):
        diagram.powers(points(1, 2).float())
    with pytest.raises(ValueError, match="depth must be from 1 to 1, the layers that select, got 2"):
        geometry.centroid(mlp(2, 3, 2), points(1, 2), 2)
