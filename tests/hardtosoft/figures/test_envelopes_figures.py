"""Three lines and a residual block: the cells are where the lines win, and the chord test tells convex from not."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from hardtosoft.drawing.looks import ORDINALS
from hardtosoft.figures.max_affine_splines import envelopes

X = envelopes.INPUTS


def trace(panel, name):
    return next(found for found in panel.traces if found["name"] == name)


@pytest.mark.claim("C1")
@pytest.mark.parametrize(("slope", "offset"), [(0.0, 0.0), (1.3, -1.7), (-2.0, 1.5), (0.5, -0.2), (0.2, -1.4)])
def test_the_maximum_is_that_of_the_lines_and_convex(slope, offset):
    """The drawn maximum is the largest of the three lines, and its second differences are never negative."""
    curve = envelopes.lines_frame(slope, offset).panels[0]
    lines = [-X - 1, slope * X + offset, 0.5 * X - 1]
    maximum = trace(curve, "the maximum")["y"]
    np.testing.assert_allclose(maximum, torch.stack(lines).amax(0), rtol=0, atol=1e-14)
    assert np.diff(maximum, 2).min() > -1e-12
    for place, values in zip(ORDINALS, lines, strict=False):
        np.testing.assert_allclose(trace(curve, f"the {place} line")["y"], values, rtol=0, atol=1e-14)


@pytest.mark.parametrize("offset", [-1.8, -1.0, -0.4, 0.0, 0.9])
@pytest.mark.parametrize("slope", [-1.55, -1.0, -0.3, 0.0, 0.5, 0.75])
def test_each_cell_is_where_its_line_is_selected(slope, offset):
    maso = envelopes.three_lines(slope, offset)
    inputs = torch.linspace(-40, 40, 4001, dtype=torch.float64) + 1e-4
    chosen = maso.selection(inputs[:, None])[:, 0]
    for r, (low, high) in enumerate(envelopes.cells(maso)):
        inside = inputs[chosen == r]
        if math.isnan(low):
            assert not len(inside)
        else:
            assert torch.equal(chosen == r, (inputs > low) & (inputs < high))


@pytest.mark.parametrize("slope", [-0.9, 0.0, 0.4])
def test_the_second_cell_vanishes_where_the_line_runs_through_the_corner(slope):
    assert envelopes.lines_frame(slope, -1.0).readout.endswith("Never selected: the second.")
    assert envelopes.lines_frame(slope, -0.99).readout.startswith("3 cells")
    assert envelopes.lines_frame(0.6, -1.5).readout.startswith("3 cells")  # steeper than both others: back, far right


@pytest.mark.parametrize(("slope", "offset"), [(0.0, 0.0), (1.5, -2.0), (-2.0, -0.5), (-1.0, 0.0)])
def test_the_stairs_climb_and_hold_the_slope_of_the_maximum(slope, offset):
    panel = envelopes.lines_frame(slope, offset).panels[1]
    steps = [found for found in panel.traces if found["name"] in [f"the {place} line" for place in ORDINALS]]
    steps = sorted((s["x"][0], s["x"][1], s["y"][0]) for s in steps if np.isfinite(s["x"]).all())
    assert [s[2] for s in steps] == sorted(s[2] for s in steps)
    assert (steps[0][0], steps[-1][1]) == envelopes.SPAN
    assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(steps))
    maso = envelopes.three_lines(slope, offset)
    for low, high, height in steps:
        ends = torch.tensor([[low], [high]], dtype=torch.float64)
        rise = maso(ends)[:, 0].diff().item()
        assert rise == pytest.approx(height * (high - low), abs=1e-12)


@pytest.mark.parametrize("weight", [-2.0, -0.35, 0.0, 1.0])
def test_the_block_is_that_of_pytorch(weight):
    expected = X + 2 * torch.relu(-X - 1) + weight * torch.relu(X - 1)
    torch.testing.assert_close(envelopes.block(X, weight), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("weight", [-2.0, -0.05, 0.0, 0.4, 1.5])
def test_some_chord_is_below_the_curve_just_when_the_second_weight_is_negative(weight):
    middles = torch.linspace(-2, 2, 401, dtype=torch.float64)
    over = envelopes.excess(middles, weight)
    assert over.max().item() == pytest.approx(max(0.0, -weight / 2), abs=1e-12)
    frame = envelopes.block_frame(weight, 1.0)
    assert ("no maximum of affine pieces" in frame.readout) == (weight < 0)
    curve, chord = frame.panels[0].traces[:2]
    at = np.interp(chord["x"], X, curve["y"])
    np.testing.assert_allclose(chord["y"], at, rtol=0, atol=1e-12)
    words = "on its chord" if weight == 0 else "above" if weight < 0 else "below"
    assert words in frame.readout
