"""The figures of the first chapter: their curves against PyTorch's own, their points and bounds."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from book_figures import FIGURES

from hardtosoft.figures.relu_to_swish import smoothings, trained, units
from hardtosoft.interactive.frames import plain


def test_only_known_axes_can_be_set():
    with pytest.raises(ValueError, match="axes of 'relu-to-swish' are unit, beta; got gamma"):
        units.unit_figure().frame(gamma=1.0)


@pytest.mark.parametrize(("beta", "expected"), [(0.0, lambda u: u / 2), (0.5, F.silu), (1.0, F.relu)])
@pytest.mark.parametrize("frame", [FIGURES["relu-to-swish"].frame, trained.opening_frame])
def test_the_curve_passes_through_the_line_swish_and_relu(frame, beta, expected):
    (curve,) = [t for t in frame(beta=beta).panels[0].traces if t["name"] == "value at this β"]
    np.testing.assert_allclose(curve["y"], expected(units.INPUTS).numpy(), rtol=0, atol=1e-14)
    np.testing.assert_allclose(units.INPUTS, units.GRID[0] + units.GRID[1] * np.arange(len(units.INPUTS)), atol=1e-12)


@pytest.mark.parametrize(
    ("unit", "hard"),
    [("ReLU", F.relu), ("leaky ReLU", lambda u: F.leaky_relu(u, units.LEAKY_SLOPE)), ("absolute value", torch.abs)],
)
def test_each_unit_hardens_to_pytorchs_own(unit, hard):
    (curve,) = [t for t in units.unit_frame(1.0, unit).panels[0].traces if t["name"] == "value at this β"]
    np.testing.assert_array_equal(curve["y"], hard(units.INPUTS).numpy())


def test_the_marked_code_is_the_highest_point_of_the_problem():
    for beta in (0.0, 0.3, 0.5, 0.9, 1.0):
        for u in (-2.0, -0.4, 0.0, 1.0):
            problem = units.objective_frame(beta, u).panels[0]
            total, best = problem.traces[1], problem.traces[-1]
            assert best["y"][0] >= total["y"].max() - 1e-12
            nearest = np.interp(best["x"][0], total["x"], total["y"])
            assert best["y"][0] - nearest < 2e-3  # the dot lies on the curve, up to the grid of its points


def test_the_gap_never_exceeds_its_bound_and_reaches_it():
    for beta in (0.25, 0.5, 0.8, 0.95, 0.99):
        gap, bound = smoothings.gap_frame(beta).panels[0].traces
        assert gap["y"].max() <= bound["y"][0]
        assert smoothings.largest_gap(beta) == pytest.approx(bound["y"][0], rel=1e-6)


def test_numbers_of_the_chapter_on_the_gap():
    assert smoothings.gap_bound(0.96533) > 0.01 > smoothings.gap_bound(0.96534)
    u = torch.linspace(-2, 0, 200_001, dtype=torch.float64)
    swish = F.silu(u)
    assert (round(swish.min().item(), 4), round(u[swish.argmin()].item(), 3)) == (-0.2785, -1.278)


def test_free_energy_exceeds_value_by_the_entropy_over_eta():
    for beta in (0.25, 0.5, 0.9, 1.0):
        difference, entropy = smoothings.softplus_frame(beta).panels[1].traces
        np.testing.assert_allclose(difference["y"], entropy["y"], rtol=0, atol=1e-12)


def test_regions_are_flat_polygons_when_hard_and_one_shade_when_linear():
    hard, _, _, bent = trained.regions_panel(1.0).traces
    flat, _, _, straight = trained.regions_panel(0.0).traces
    shades, cells = np.unique(hard["z"].round(9), return_counts=True)
    assert cells[cells > 20].sum() > 0.8 * hard["z"].size  # most cells lie inside a region, and have its shade
    assert len(shades[cells > 20]) < 60
    assert np.ptp(flat["z"]) < 1e-12
    x, y = (straight[key][np.isfinite(straight[key])] for key in "xy")
    residual = np.linalg.svd(np.column_stack([x - x.mean(), y - y.mean()]))[1][1]
    assert residual < 1e-9
    x, y = (bent[key][np.isfinite(bent[key])] for key in "xy")
    assert np.linalg.svd(np.column_stack([x - x.mean(), y - y.mean()]))[1][1] > 1


def test_plain_frames_hold_no_arrays():
    assert isinstance(plain(units.unit_frame(0.5, "ReLU").panels[0].traces)[0]["y"], list)
