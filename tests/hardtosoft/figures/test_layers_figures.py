"""Layers as planes: the pieces drawn are those of the layers, and the regions counted are there."""

import pytest
import torch
import torch.nn.functional as F

from hardtosoft.figures.max_affine_splines import layers, planes


def double(values):
    return torch.tensor(values, dtype=torch.float64)


ORACLES = {
    "ReLU": lambda u, _: F.relu(u[:, 0]),
    "leaky ReLU": lambda u, _: F.leaky_relu(u[:, 0], layers.LEAKY_SLOPE),
    "absolute value": lambda u, _: u[:, 0].abs(),
    "maxout": lambda u, _: u.amax(1),
    "max-pool": lambda _, x: x.amax(1),
    "ReLU, max-pool": lambda u, _: F.relu(u).amax(1),
    "BatchNorm, ReLU": lambda u, _: F.relu((u[:, 0] + 1) / 2),
    "x + ReLU": lambda u, x: x[:, 0] + F.relu(u[:, 0]),
}


@pytest.mark.claim("C1")
@pytest.mark.parametrize("offset", [-1.5, 0.25, 1.0])
@pytest.mark.parametrize("kind", layers.KINDS)
def test_each_layer_drawn_is_the_layer(kind, offset):
    """Every layer that the figure offers equals its pieces' maximum, on the map's points."""
    x = planes.BOX.points
    weight, bias = double(layers.WEIGHTS), double([offset, layers.SECOND_OFFSET])
    maso = layers.layer_maso(kind, offset)
    torch.testing.assert_close(maso(x)[:, 0], ORACLES[kind](F.linear(x, weight, bias), x), rtol=0, atol=1e-12)
    assert maso.num_pieces <= layers.MOST_PIECES


def test_the_line_of_numbers_names_the_pieces():
    assert layers.kinds_frame("ReLU", -0.5).readout == "A₁ = (0, 0), B₁ = 0; A₂ = (1, 0.5), B₂ = −0.5."
    assert layers.kinds_frame("max-pool", 1.0).readout == "A₁ = (1, 0), B₁ = 0; A₂ = (0, 1), B₂ = 0."
    assert layers.kinds_frame("ReLU, max-pool", 1.0).readout.endswith("A₃ = (−0.5, 1), B₃ = −0.5.")


def test_another_layer_is_refused():
    with pytest.raises(ValueError, match=r"kind must be one of 'ReLU', 'leaky ReLU', .*, got 'GELU'"):
        layers.layer_maso("GELU", 0.0)


@pytest.mark.parametrize("count", range(1, 7))
def test_regions_are_the_codes_that_occur_in_the_picture(count):
    """Codes found on a fine grid, the count by crossings, and the largest number that lines allow agree."""
    xs, ys = torch.linspace(-3, 3, 601).double(), torch.linspace(-2.4, 2.4, 481).double()
    codes = layers.relu_layer(count).selection(torch.cartesian_prod(xs, ys))
    assert len(codes.unique(dim=0)) == layers.regions(count) == 1 + count + count * (count - 1) // 2


@pytest.mark.parametrize("count", [1, 4, 6])
def test_edges_of_the_layer_lie_where_its_units_are_zero(count):
    panel = layers.overlay_frame(count).panels[0]
    before, last = panel.traces[1:]
    points = torch.tensor([*zip(before["x"], before["y"], strict=True), *zip(last["x"], last["y"], strict=True)])
    points = points[points.isfinite().all(1)]
    assert len(points) == 2 * count
    u = F.linear(points, double(layers.FILTERS), double(layers.FILTER_OFFSETS))
    assert u[:, :count].abs().amin(1).max() < 1e-9


def test_the_newest_edge_alone_is_orange_and_a_half_unit_is_rounded():
    assert layers.overlay_frame(2.4).readout == layers.overlay_frame(2).readout
    assert layers.overlay_frame(0.2).readout == "1 × 2 pieces; 2 codes to write down, 2 regions."
