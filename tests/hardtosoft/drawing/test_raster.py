"""The raster of a box of the plane."""

import numpy as np
import pytest
import torch

from hardtosoft.drawing.raster import FINER, Plane
from hardtosoft.interactive import palette

PLANE = Plane((-1.0, 3.0), (0.0, 2.0), 8, 6)


def test_points_fill_the_box_evenly_row_by_row_from_the_bottom():
    points = PLANE.points
    assert points.shape == (8 * 6 * FINER**2, 2)
    assert points[0].tolist() == pytest.approx([-1 + 4 / 32, 2 / 24])
    assert points[1].tolist() == pytest.approx([-1 + 12 / 32, 2 / 24])
    torch.testing.assert_close(points.mean(0), torch.tensor([1.0, 1.0]).double())


def test_means_are_over_the_points_of_each_cell():
    values = (PLANE.points - torch.tensor([-1.0, 0.0]).double()) / torch.tensor([4.0, 2.0]).double()
    means = PLANE.means(values)
    assert means.shape == (6, 8, 2)
    np.testing.assert_allclose(means[0, :, 0], (np.arange(8) + 0.5) / 8)
    np.testing.assert_allclose(means[:, 0, 1], (np.arange(6) + 0.5) / 6)


def test_tints_are_one_map_a_piece_in_its_colour():
    first = (PLANE.points[:, 0] < 1).double()
    maps = PLANE.tints(torch.stack([first, 1 - first], 1), (palette.BLUE, palette.GREEN))
    assert [trace["colorscale"][1][1] for trace in maps] == [palette.TINTS[palette.BLUE], palette.TINTS[palette.GREEN]]
    np.testing.assert_allclose(maps[0]["z"] + maps[1]["z"], 1.0)
    np.testing.assert_array_equal(maps[0]["z"][:, :4], 1.0)
    assert PLANE.aspect == 2.0
