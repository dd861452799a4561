"""Figures of decision boundaries: bends, curves, and distances to them."""

import numpy as np
import pytest
import torch

from hardtosoft.figures.decision_boundaries import bends, border, steps
from hardtosoft.results.networks import load_two_moons

NETWORK = load_two_moons()


def test_the_hard_boundary_turns_in_steps_by_its_angles():
    points, share, turned = bends.course(1.0)
    jumps, angles = np.abs(np.diff(turned)), np.abs(bends.bent_line().angles)
    np.testing.assert_allclose(np.sort(jumps[jumps > 1e-9]), np.sort(angles[angles > 1e-9]), rtol=1e-9)
    sides = np.diff(points, axis=0)[::2]
    directions = np.degrees(np.unwrap(np.arctan2(sides[:, 1], sides[:, 0])))
    np.testing.assert_allclose(turned[::2], directions - directions[0], atol=1e-6)
    assert share[0] == 0
    assert share[-1] == 1


@pytest.mark.parametrize("beta", [0.2, 0.6, 0.95])
def test_the_soft_boundary_has_logit_0_and_turns_as_it_is_drawn(beta):
    points, _, turned = bends.course(beta)
    assert NETWORK.logits(torch.from_numpy(points.copy()), beta).abs().max() < 1e-9
    sides = np.diff(points, axis=0)
    drawn = np.degrees(np.unwrap(np.arctan2(sides[:, 1], sides[:, 0])))
    middle = (turned[1:] + turned[:-1]) / 2
    assert np.median(np.abs(drawn - drawn[0] - (middle - middle[0]))) < 1.0
    assert points[0, 0] < points[-1, 0]


def test_the_linear_boundary_is_straight():
    points, _, turned = bends.course(0.0)
    assert np.abs(turned).max() < 1e-9
    assert np.linalg.svd(points - points.mean(0))[1][1] < 1e-9


def test_the_nearest_place_on_a_line_is_found_beside_it_and_beyond_its_end():
    lines = np.array([[0.0, 0.0], [1.0, 0.0], [np.nan, np.nan], [5.0, 5.0], [5.0, 6.0]])
    found = border.nearest_on(lines, np.array([[0.3, 2.0], [-1.0, 1.0], [6.0, 5.5]]))
    np.testing.assert_allclose(found, [[0.3, 0.0], [0.0, 0.0], [5.0, 5.5]])


def test_points_are_sorted_and_steps_in_the_disc_are_true():
    found = border.distances()
    assert (np.diff(found.ratio) >= 0).all()
    logits = NETWORK.logits(torch.from_numpy(found.nearest), 1.0)
    assert logits.abs().max() < 1e-9
    inside = found.linear.is_nearest.numpy()
    assert inside.any()
    np.testing.assert_allclose(found.linear.distance.numpy()[inside], found.true[inside], rtol=1e-9)


def test_the_disc_touches_the_border_of_its_region():
    found = border.distances()
    frame = border.border_frame(2.0)
    (disc,) = [trace for trace in frame.panels[0].traces if trace["name"].startswith("disc")]
    circle = torch.tensor(np.column_stack([disc["x"], disc["y"]]))
    centre = found.points[1]

    def codes(points):
        return [code > 0 for code in NETWORK.preactivations(points, 1.0)]

    for scale, same in ((0.999, True), (1.02, False)):
        moved = centre + scale * (circle - centre)
        here, there = codes(centre[None]), codes(moved)
        assert all((a == b).all() for a, b in zip(here, there, strict=True)) == same


@pytest.mark.parametrize("number", [0.2, 1.0, 60.0, 99.0])
def test_numbers_beyond_the_points_are_those_of_the_ends(number):
    assert border.border_frame(number).readout == border.border_frame(min(max(round(number), 1), 60)).readout


def test_one_step_that_stays_ends_at_logit_0():
    assert steps.step_frame((0.5, 0.4), 1.0).readout.endswith(
        "stays in its region and ends on the boundary. The logit here is 0.00."
    )
    assert "leaves its region" in steps.step_frame((0.0, 1.0), 1.0).readout
    along = steps.step_frame((0.5, 0.4), 1.0).panels[1]
    mapped, _, logit, _ = along.traces
    middle = len(logit["y"]) // 2
    np.testing.assert_allclose(
        logit["y"][: middle + 1], np.interp(np.linspace(0, 1, middle + 1), mapped["x"], mapped["y"]), atol=1e-9
    )


def test_the_logit_keeps_to_the_points_own_map_until_the_way_leaves_the_region():
    mapped, border, logit, _ = steps.step_frame((0.0, 1.0), 1.0).panels[1].traces
    end = border["x"][0]
    assert 0 < end < 1
    places = np.linspace(0, steps.MOST, len(logit["y"]))
    gaps = np.abs(logit["y"] - np.interp(places, mapped["x"], mapped["y"]))
    assert gaps[places < end].max() < 1e-9
    assert gaps[places > end + 0.05].min() > 1e-3


@pytest.mark.parametrize("point", [[0.0], [9.0, 0.0], [0.0, 0.0, 0.0]])
def test_a_point_outside_the_box_is_refused(point):
    with pytest.raises(ValueError, match="point must be two numbers in the box"):
        steps.your_step_figure(point)
