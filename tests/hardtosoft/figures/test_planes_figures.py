"""Planes from above: edges lie where the two highest tie, level lines where the maximum has their height."""

import numpy as np
import pytest
import torch

from betavq import MASO
from hardtosoft.drawing.edges import edges, level_lines
from hardtosoft.figures.max_affine_splines import planes
from hardtosoft.figures.max_affine_splines.planes import BOX

UNITS = {
    "four planes": planes.four_planes(0.8, 0.3),
    "closed cell": planes.four_planes(0.0, 0.0),
    "leaning": planes.four_planes(-0.6, 1.1),
    "parallel": MASO(
        torch.tensor([[[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]]]).double(), torch.tensor([[0.0, 0.5, -1.0]]).double()
    ),
    "padded": MASO(
        torch.tensor([[[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]]).double(),
        torch.tensor([[0.0, 0.5, -torch.inf]]).double(),
    ),
}
units = pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)


def along(points, share):
    """Points on each of the segments that there are, at a share of its length."""
    first, second = points[0::3], points[1::3]
    found = first + share * (second - first)
    return torch.from_numpy(found[np.isfinite(found).all(1)])


@units
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_on_an_edge_the_two_highest_pieces_tie(unit, share):
    places = along(edges(unit, BOX.x, BOX.y).reshape(-1, 2).numpy(), share)
    best = unit.scores(places)[:, 0].sort(-1, descending=True).values
    torch.testing.assert_close(best[:, 0], best[:, 1], rtol=0, atol=1e-9)
    assert len(places)


@units
def test_the_selection_changes_just_across_edges(unit):
    """On straight walks through the picture, as many changes of piece as edges crossed."""
    points = edges(unit, BOX.x, BOX.y).reshape(-1, 2).numpy()
    ends = [(points[i], points[i + 1]) for i in range(0, len(points), 3) if np.isfinite(points[i]).all()]
    for height in (-1.71, -0.33, 0.77, 2.03):
        walk = torch.linspace(-3, 3, 6001, dtype=torch.float64)
        chosen = unit.selection(torch.stack([walk, torch.full_like(walk, height)], -1))[:, 0]
        crossed = sum((a[1] - height) * (b[1] - height) < 0 for a, b in ends)
        assert int((chosen.diff() != 0).sum()) == crossed


@units
def test_level_lines_have_their_height_and_stay_in_the_picture(unit):
    for level in (-0.5, 0.7, 1.9):
        places = along(level_lines(unit, [level], BOX.x, BOX.y).reshape(-1, 2).numpy(), 0.4)
        torch.testing.assert_close(
            unit(places), torch.full((len(places), 1), level, dtype=torch.float64), rtol=0, atol=1e-9
        )
        assert (places.abs() <= torch.tensor([3.0, 2.4], dtype=torch.float64) + 1e-9).all()


@units
@pytest.mark.parametrize("level", [-0.5, 0.7, 1.9])
def test_no_level_line_is_missing(unit, level):
    """On straight walks through the picture, as many passages through the height as lines crossed."""
    strokes = level_lines(unit, [level], BOX.x, BOX.y).numpy()
    for height in (-1.71, -0.33, 0.77, 2.03):
        walk = torch.linspace(-3, 3, 6001, dtype=torch.float64)
        above = unit(torch.stack([walk, torch.full_like(walk, height)], -1))[:, 0] > level
        crossed = sum((a[1] - height) * (b[1] - height) < 0 for a, b, _ in strokes if np.isfinite(a).all())
        assert int((above[1:] != above[:-1]).sum()) == crossed


def test_a_flat_fourth_plane_is_gone_once_it_no_longer_clears_the_corner():
    shares = [planes.planes_frame(offset, 0.0, 0.0).readout for offset in (-0.5, 0.0, 0.5)]
    assert [" 0 %" in words for words in shares] == [True, True, False]
    assert planes.planes_frame(-0.5, 0.0, 0.0).panels[0].alt.startswith("3 of 4 planes")
    assert planes.planes_frame(-0.5, 1.1, 0.0).panels[0].alt.startswith("4 of 4 planes")


def test_an_offset_moves_edges_and_does_not_turn_them():
    def directions(offset):
        points = edges(planes.four_planes(offset, 0.3), BOX.x, BOX.y).reshape(-1, 2).numpy()
        steps = points[1::3] - points[0::3]
        return steps / np.linalg.norm(steps, axis=1, keepdims=True)

    before, after = directions(0.4), directions(1.2)
    both = np.isfinite(before).all(1) & np.isfinite(after).all(1)
    np.testing.assert_allclose(before[both], after[both], rtol=0, atol=1e-12)
    assert both.sum() >= 3


@pytest.mark.parametrize("cut", [-1.5, 0.0, 2.0])
def test_along_the_cut_the_maximum_is_that_of_the_drawn_lines(cut):
    above, lines = planes.planes_frame(0.8, 0.4, cut).panels
    drawn = [found for found in lines.traces if found["type"] == "scatter"]
    maximum, pieces = drawn[-1]["y"], np.stack([found["y"] for found in drawn[:-1]])
    np.testing.assert_allclose(maximum, pieces.max(0), rtol=0, atol=1e-14)
    (mark,) = [found for found in above.traces if found["name"] == "the cut"]
    assert (list(mark["x"]), list(mark["y"])) == ([-3.0, 3.0], [cut, cut])
    tints = np.stack([found["z"] for found in above.traces if found["type"] == "heatmap"])
    np.testing.assert_array_equal(tints.sum(0), 1)


def test_a_readers_unit_is_drawn_or_refused():
    figure = planes.own_figure(UNITS["parallel"])
    assert figure.frame().panels[0].alt.startswith("2 of 3 pieces")
    assert planes.own_figure(UNITS["padded"]).frame().readout.endswith(" 0 %.")
    with pytest.raises(ValueError, match=r"slopes must be of shape \(1, R, 2\).*got \(2, 2, 3\) in float64"):
        planes.own_figure(MASO(torch.ones(2, 2, 3).double(), torch.zeros(2, 2).double()))
    with pytest.raises(ValueError, match=r"in float64, got \(1, 2, 2\) in float32"):
        planes.own_figure(MASO(torch.ones(1, 2, 2), torch.zeros(1, 2)))
