"""The simplex figures: the drawn summit is the best code, lines are level, the way ends where it should."""

import numpy as np
import pytest
import torch

import betavq
from hardtosoft.figures.beta_vq import simplex
from hardtosoft.interactive.marks import unmarked

SETS = pytest.mark.parametrize("scores", simplex.SCORES.values(), ids=simplex.SCORES)


def trace(frame, name):
    return next(trace for panel in frame.panels for trace in panel.traces if trace["name"] == name)


def codes_at(x, y):
    """The weights at points of the triangle: the inverse of ``place``."""
    third = np.asarray(y) / simplex.HEIGHT
    second = np.asarray(x) - third / 2
    return torch.from_numpy(np.stack([1 - second - third, second, third], axis=-1))


def test_corners_and_centre_lie_where_geometry_puts_them():
    places = simplex.place(torch.eye(3, dtype=torch.float64))
    sides = torch.cdist(places, places)[[0, 1, 2], [1, 2, 0]]
    np.testing.assert_allclose(sides, 1, rtol=0, atol=1e-15)
    codes = torch.tensor([[0.2, 0.5, 0.3], [1 / 3, 1 / 3, 1 / 3]], dtype=torch.float64)
    np.testing.assert_allclose(codes_at(*simplex.place(codes).T.numpy()), codes, rtol=0, atol=1e-15)
    np.testing.assert_allclose(simplex.place(codes)[1], places.mean(0), rtol=0, atol=1e-15)


@SETS
@pytest.mark.claim("C6")
@pytest.mark.parametrize("beta", [0.0, 0.2, 0.5, 0.9, 0.975, 1.0])
def test_the_marked_code_is_the_summit_of_the_landscape(scores, beta):
    """Over the simplex of three pieces no code is better than the softmax that the figure marks."""
    dot = trace(simplex.simplex_frame(beta, scores), "the best code at this β")
    offered = simplex.scores_of(scores)
    top = simplex.goal(codes_at(dot["x"], dot["y"]).clamp(min=0), offered, beta).item()
    corners = torch.rand(20_000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 4
    everywhere = corners / corners.sum(-1, keepdim=True)
    heights = simplex.goal(everywhere, offered, beta)
    assert heights.max() <= top + 1e-12
    assert heights.max() >= top - 0.02


@SETS
@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_codes_on_a_level_line_are_equally_good(scores, beta):
    offered = simplex.scores_of(scores)
    lines = simplex.level_lines(offered, beta).reshape(len(simplex.DEPTHS), -1, 2).numpy()
    best = simplex.goal(betavq.code(offered, beta), offered, beta).item()
    depth = best - beta * min(scores)
    for share, points in zip(simplex.DEPTHS, lines, strict=True):
        *outline, gap = points
        assert np.isnan(gap).all()
        np.testing.assert_array_equal(outline[0], outline[-1])
        codes = codes_at(*np.transpose(outline))
        assert codes.min() > -1e-12
        found = (best - simplex.goal(codes.clamp(min=0), offered, beta)) / depth
        # Where the triangle ends before the level is reached, the line runs on along the side.
        on_side = codes.min(-1).values < 1e-12
        assert found.max() < share + 1e-7
        np.testing.assert_allclose(found[~on_side], share, rtol=0, atol=1e-7)
        assert (~on_side).sum() >= 2


@SETS
@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 0.9, 0.975, 1.0])
def test_a_level_line_reaches_a_side_where_the_level_does(scores, beta):
    """No stretch of a drawn line between two of its points cuts through codes that are better than its level."""
    offered = simplex.scores_of(scores)
    lines = simplex.level_lines(offered, beta).reshape(len(simplex.DEPTHS), -1, 2).numpy()
    best = simplex.goal(betavq.code(offered, beta), offered, beta).item()
    depth = best - beta * min(scores)
    for share, points in zip(simplex.DEPTHS, lines, strict=True):
        middle = (points[:-2] + points[1:-1]) / 2
        found = (best - simplex.goal(codes_at(*middle.T).clamp(min=0), offered, beta)) / depth
        assert found.max() < share + 1e-7  # what reaches a level is convex, so its chords lie within
        sides = codes_at(*middle.T).min(-1).values < 1e-12
        assert found[~sides].min() > share - 0.03


@pytest.mark.claim("C6")
@pytest.mark.parametrize(
    ("name", "end"), [("clear winner", (0, 1, 0)), ("near tie", (0, 1, 0)), ("exact tie", (0.5, 0.5, 0))]
)
def test_the_way_leads_from_the_centre_to_the_limit(name, end):
    """At β = 0 the weights are equal; as β goes to 1 the best piece takes all, and two that tie take half each."""
    frame = simplex.simplex_frame(0.5, simplex.SCORES[name])
    way = trace(frame, "the best code’s path, β from 0 to 1")
    codes = codes_at(way["x"], way["y"])
    np.testing.assert_allclose(codes[0], [1 / 3] * 3, rtol=0, atol=1e-12)
    np.testing.assert_allclose(codes[-1], end, rtol=0, atol=1e-9)
    for piece, style in enumerate(simplex.WEIGHTS):
        curve = trace(frame, f"weight {style.name}")["y"]
        assert curve[0] == pytest.approx(1 / 3)
        assert curve[-1] == pytest.approx(end[piece], abs=1e-9)


def test_the_dot_lies_on_the_way_and_on_the_curves():
    frame = simplex.simplex_frame(0.5, simplex.SCORES["near tie"])
    dot, way = trace(frame, "the best code at this β"), trace(frame, "the best code’s path, β from 0 to 1")
    assert np.hypot(way["x"] - dot["x"], way["y"] - dot["y"]).min() < 0.02
    for weight in (of.name for of in simplex.WEIGHTS):
        assert trace(frame, f"{weight} at this β")["y"][0] == pytest.approx(trace(frame, f"weight {weight}")["y"][50])


@pytest.mark.claim("C6")
def test_at_a_tie_the_limit_is_a_draw_and_the_rule_takes_the_first():
    """At a tie codes tend to equal weights as β goes to 1, and at β = 1 the first of the best pieces takes all."""
    almost = trace(simplex.simplex_frame(simplex.ALMOST_ONE, (1, 1, 0)), "t₂ at this β")["y"]
    assert almost[0] == pytest.approx(0.5)
    frame = simplex.simplex_frame(1.0, (1, 1, 0))
    assert "Code (1.000, 0.000, 0.000)" in unmarked(frame.readout)
    assert "The two best tie" in frame.readout
    assert "the corner of piece 1" in frame.panels[0].alt


def test_equal_scores_stay_in_the_centre_and_leave_no_lines_at_the_end():
    figure = simplex.scores_figure([2, 2, 2])
    assert "the centre, wholly undecided" in figure.frame(beta=0.9).panels[0].alt
    assert "The three best tie" in figure.frame(beta=1.0).readout
    assert np.isnan(trace(figure.frame(beta=1.0), "equally good codes")["x"]).all()
    assert np.isfinite(trace(figure.frame(beta=0.9), "equally good codes")["x"]).any()


@pytest.mark.parametrize("scores", [[0, 30, 10], [-1e4, 0, 1e4], [1e-9, 0, 0]])
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.99, 1.0])
def test_any_scores_can_be_drawn(scores, beta):
    frame = simplex.scores_figure(scores).frame(beta=beta)
    for panel in frame.panels:
        for drawn in panel.traces:
            assert not np.isinf(drawn["y"]).any()


@pytest.mark.parametrize("scores", [[1, 2], [1, 2, 3, 4], [1, 2, float("nan")], [1, float("inf"), 0], 3.0])
def test_what_is_not_three_finite_scores_is_refused(scores):
    with pytest.raises(ValueError, match="scores must be three finite numbers, one for each corner, got"):
        simplex.scores_figure(scores)
