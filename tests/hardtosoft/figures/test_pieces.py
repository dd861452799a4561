"""The unit that a reader writes down: any affine pieces, drawn in a box that holds them at every β."""

import numpy as np
import pytest
import torch

import betavq
from hardtosoft.drawing import looks
from hardtosoft.figures.relu_to_swish import pieces, smoothings, units
from hardtosoft.interactive.marks import unmarked


def curve(frame, name):
    return next(trace["y"] for panel in frame.panels for trace in panel.traces if trace["name"] == name)


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_the_pieces_of_relu_make_the_chapters_own_unit(beta):
    own, known = pieces.pieces_figure(lambda u: [0, u]).frame(beta=beta), units.unit_frame(beta, "ReLU")
    np.testing.assert_array_equal(curve(own, "value at this β"), curve(known, "value at this β"))


@pytest.mark.parametrize("beta", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("offer", [pieces.valley, lambda u: [-u - 1, u - 1], lambda u: [u, 2 * u + 1, 0, -3]])
def test_the_value_stays_between_linear_and_hard_and_in_the_box(offer, beta):
    frame = pieces.pieces_figure(offer).frame(beta=beta)
    hard, linear = (curve(frame, f"β = {name}") for name in ("1: the largest piece", "0: the mean of the pieces"))
    value = curve(frame, "value at this β")
    assert (linear - 1e-12 <= value).all()
    assert (value <= hard + 1e-12).all()
    low, high = frame.panels[0].layout["yaxis"]["range"]
    assert low < linear.min()
    assert hard.max() < high


def test_three_pieces_move_further_than_two_may_and_keep_their_own_bound():
    u = torch.linspace(-8, 8, 16_001, dtype=torch.float64)
    offered = pieces.scores(pieces.valley, u)
    gap = (betavq.value(offered, 1.0) - betavq.value(offered, 0.5)).max().item()
    assert smoothings.gap_bound(0.5) < gap < smoothings.gap_bound(0.5, pieces=3)


def test_without_its_floor_the_valley_is_the_absolute_value_moved_down():
    frame = pieces.pieces_figure(lambda u: [-u - 1, u - 1]).frame(beta=0.5)
    expected = units.INPUTS * torch.tanh(units.INPUTS) - 1
    np.testing.assert_allclose(curve(frame, "value at this β"), expected, rtol=0, atol=1e-12)
    assert unmarked(frame.readout) == "At u = 0: code (0.500, 0.500), value −1.000."


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
def test_slopes_and_offsets_can_be_typed(beta):
    typed = {"piece1": (-0.5, 1.0), "piece2": (2.0, -1.0), "piece3": (0.0, 0.25)}
    frame = pieces.pieces_figure().frame(beta=beta, **typed)
    u = units.INPUTS
    expected = betavq.value(torch.stack([1 - 0.5 * u, 2 * u - 1, torch.full_like(u, 0.25)], -1), beta)
    np.testing.assert_allclose(curve(frame, "value at this β"), expected, rtol=0, atol=1e-12)
    assert unmarked(frame.readout).endswith(f"value {betavq.value(torch.tensor([1.0, -1.0, 0.25]), beta):.3f}.")


def test_what_is_no_line_is_drawn_and_has_no_numbers_to_type():
    figure = pieces.pieces_figure(lambda u: [u.square() - 3, u])
    assert [axis.name for axis in figure.axes] == ["beta"]
    assert curve(figure.frame(beta=1.0), "value at this β")[0] == 22


def test_bounds_hold_the_readers_own_lines():
    boxes = pieces.pieces_figure(lambda u: [7 * u, 0]).axes[1]
    assert (boxes.low, boxes.high, boxes.start) == ((-7.0, -7.0), (7.0, 7.0), (7.0, 0.0))


@pytest.mark.parametrize(
    ("offer", "message"),
    [
        (lambda u: [u], "pieces must return a list of 2 to 4 pieces, got 1"),
        (lambda u: [u] * 5, "pieces must return a list of 2 to 4 pieces, got 5"),
        (lambda u: u, "pieces must return a list of 2 to 4 pieces, got a Tensor"),
        (lambda u: [0, u.log()], "piece 2 must be finite wherever the figure draws it"),
        (lambda u: [0, u[:3]], r"piece 2 must have the shape of u, \(201,\), got \(3,\)"),
    ],
)
def test_pieces_that_make_no_unit_are_refused(offer, message):
    with pytest.raises(ValueError, match=message):
        pieces.pieces_figure(offer)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-0.667, 4, [0, 1, 2, 3, 4]), (-7, 5, [-6, -4, -2, 0, 2, 4]), (3, 3, [3])],
)
def test_ticks_are_round_numbers_inside(low, high, expected):
    assert looks.even_ticks(low, high) == pytest.approx(expected)
