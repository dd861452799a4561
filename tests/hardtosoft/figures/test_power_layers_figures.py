"""A layer's cells, centroids and circles: against the definition of power, point by point."""

import numpy as np
import pytest
import torch

from hardtosoft.figures.power_diagrams import layers
from hardtosoft.figures.power_diagrams.layers import CODES, COMMON, PLANE, moving_layer


def named(panel, name):
    (found,) = [trace for trace in panel.traces if trace["name"] == name]
    return found


def by_hand(offset, turn):
    """Centroids and squared radii of the eight codes, from the filters and biases."""
    angle = np.deg2rad(turn)
    first = layers.LENGTH * np.array([np.cos(angle), np.sin(angle)])
    filters = np.array([first, layers.SECOND, layers.THIRD])
    centroids = CODES.numpy() @ filters
    return centroids, (centroids**2).sum(1) + 2 * CODES.numpy() @ np.array([offset, *layers.BIASES])


def places(panel):
    """All eight centroids, ``(8, 2)``, those with a cell and those without."""
    with_cell, without = (named(panel, name) for name in ("centroid", "centroid without a cell"))
    return np.column_stack([np.where(np.isnan(with_cell[key]), without[key], with_cell[key]) for key in "xy"])


@pytest.mark.parametrize(("offset", "turn"), [(0.0, 0.0), (-0.8, 60.0), (1.0, -90.0)])
def test_tints_are_the_cells_of_the_smallest_power(offset, turn):
    centroids, radii = by_hand(offset, turn)
    points = PLANE.points.numpy()
    powers = ((points[:, None] - centroids) ** 2).sum(2) - radii
    nearest = torch.from_numpy(powers.argmin(1))
    plane = layers.layer_frame(moving_layer(offset, turn), 0.3).panels[0]
    for unit in range(3):
        shares = 0.5 * PLANE.means(CODES[nearest][:, unit].double())
        tint = next(t["z"] for t in plane.traces if t["type"] == "heatmap" and t["name"] == f"unit {unit + 1}")
        difference = np.abs(tint - shares.numpy())
        assert (difference > 1e-9).mean() < 0.01  # points on a line may go to either side


@pytest.mark.parametrize(("offset", "turn"), [(0.3, 15.0), (-1.0, 90.0)])
def test_circles_are_those_of_the_codes_that_occur_and_differ_in_one_unit(offset, turn):
    centroids, radii = by_hand(offset, turn)
    layer = moving_layer(offset, turn)
    met = torch.bincount(layers.cells(layer), minlength=8) > 0
    right = layers.layer_frame(layer, 0.3).panels[1]
    circles = named(right, "circles of codes")
    around = np.stack([circle for key in "xy" for circle in circles[key].reshape(8, -1)[:, :-1]]).reshape(2, 8, -1)
    x = torch.tensor([0.3, layers.HEIGHT], dtype=torch.float64)
    near = (layer.selection(x) != CODES).sum(1) == 1
    for q, (x, y) in enumerate(around.transpose(1, 0, 2)):
        squared = (x - centroids[q][0]) ** 2 + (y - centroids[q][1]) ** 2
        if met[q] and near[q] and radii[q] + COMMON > 0:
            np.testing.assert_allclose(squared, radii[q] + COMMON, atol=1e-12)
        else:
            assert np.isnan(squared).all()


def test_the_offset_moves_no_centroid_and_four_radii_alike():
    before, after = by_hand(0.2, 30.0), by_hand(0.7, 30.0)
    np.testing.assert_array_equal(before[0], after[0])
    np.testing.assert_allclose(after[1] - before[1], np.where(CODES[:, 0] == 1, 1.0, 0.0), atol=1e-12)
    frames = [layers.layer_frame(moving_layer(b, 30.0), 0.3).panels[1] for b in (0.2, 0.7)]
    np.testing.assert_array_equal(*map(places, frames))


def test_turning_the_filter_moves_four_centroids_by_one_arrow():
    before, after = by_hand(0.0, 0.0)[0], by_hand(0.0, 60.0)[0]
    arrows = after - before
    assert np.abs(arrows[CODES[:, 0] == 0]).max() == 0
    np.testing.assert_allclose(arrows[CODES[:, 0] == 1], np.tile(arrows[4], (4, 1)), atol=1e-12)
    drawn = places(layers.layer_frame(moving_layer(0.0, 60.0), 0.3).panels[1])
    np.testing.assert_allclose(drawn, after, atol=1e-12)


def test_three_lines_make_seven_cells_and_six_through_one_point():
    frame = layers.layer_figure().frame()
    assert frame.readout.startswith("7 of 8 codes have a cell here.")
    through_one = layers.your_layer_figure([[0.8, 0.0], [-0.6, 0.5], [-0.1, -0.75]], [0.0, 0.0, 0.0]).frame()
    assert through_one.readout.startswith("6 of 8 codes have a cell here.")
    assert np.isfinite(named(through_one.panels[1], "centroid without a cell")["x"]).sum() == 2


@pytest.mark.parametrize("along", [-2.1, -0.3, 0.3, 2.1])
def test_the_thick_circle_is_that_of_the_code_of_x(along):
    layer = moving_layer(0.4, 15.0)
    x = torch.tensor([along, layers.HEIGHT], dtype=torch.float64)
    code = layer.selection(x)
    frame = layers.layer_frame(layer, along)
    assert f"Code of x: {''.join(map(str, code.tolist()))}," in frame.readout
    thick = named(frame.panels[1], "circle of the code of x")
    centroid = by_hand(0.4, 15.0)[0][int((code == CODES).all(1).nonzero())]
    np.testing.assert_allclose([np.mean(thick["x"][:-1]), np.mean(thick["y"][:-1])], centroid, atol=1e-9)


@pytest.mark.parametrize(
    ("filters", "biases", "message"),
    [
        ([[1.0, 0.0]], [0.0], "filters must be three pairs and biases three finite numbers"),
        ([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [0.0] * 3, "filters must not be 0"),
        ([[2.0, 0.0], [1.0, 1.0], [0.0, 1.0]], [0.0] * 3, "must lie inside ±2.4 and ±2.1"),
        ([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], [0.0, 0.0, float("nan")], "finite"),
    ],
)
def test_layers_that_cannot_be_drawn_are_refused(filters, biases, message):
    with pytest.raises(ValueError, match=message):
        layers.your_layer_figure(filters, biases)
