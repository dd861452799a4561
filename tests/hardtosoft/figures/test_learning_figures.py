"""β as a parameter: gradients against their formula, descent with its traps, and what the result files say."""

import math

import numpy as np
import pytest
import torch

import betavq
from hardtosoft.figures.learning_beta import descent, learned
from hardtosoft.results.beta_runs import beta_runs, curve_fits, hardness_of_data


@pytest.mark.claim("C8")
def test_beta_has_the_gradient_of_the_formula_and_none_at_one():
    """∂y/∂β is u²σ(1 − σ)/(1 − β)², u²/4 at β = 0, and 0 for all inputs at β = 1."""
    u = descent.INPUTS
    for beta in (0.0, 0.3, 0.9):
        eta = beta / (1 - beta)
        gate = torch.sigmoid(eta * u)
        expected = u**2 * gate * (1 - gate) / (1 - beta) ** 2
        torch.testing.assert_close(descent.pull(u, torch.tensor(beta, dtype=torch.float64)), expected)
    assert (descent.pull(u, torch.tensor(1.0).double()) == 0).all()


def test_sizes_of_the_gradient_in_three_parametrisations():
    sizes = descent.sizes()
    at = {name: (size[1].item(), size[50].item(), size[99].item()) for name, size in sizes.items()}
    assert at[descent.RAW] == pytest.approx((0.44, 0.80, 0.065), rel=0.03)
    assert at[descent.LOGIT] == pytest.approx((0.0044, 0.20, 6.4e-4), rel=0.03)
    assert at[descent.ETA] == pytest.approx((0.433, 0.20, 6.5e-6), rel=0.03)
    assert all(size[-1].isnan() for size in sizes.values())


@pytest.mark.claim("C8")
def test_beta_is_learned_from_everywhere_but_one():
    """Gradient descent on β itself finds the goal from every start below 1; at 1 it stays."""
    for goal in descent.TARGETS.values():
        for start in (0.0, 0.4, 0.95):
            assert descent.descent(start, goal)[descent.RAW][-1].item() == pytest.approx(goal, abs=0.01)
        assert (descent.descent(1.0, goal)[descent.RAW] == 1).all()
    slow = descent.descent(0.25, 0.9)
    assert slow[descent.ETA][-1] < slow[descent.LOGIT][-1] < slow[descent.RAW][-1]
    assert slow[descent.ETA][0].item() == pytest.approx(0.25)
    assert descent.descent(0.0, 0.5)[descent.LOGIT].isnan().all()


def test_the_loss_is_smallest_at_the_goal():
    for goal in descent.TARGETS.values():
        assert descent.BETAS[descent.losses(goal).argmin()].item() == pytest.approx(goal)


def test_a_detached_code_is_the_gate_and_leaves_out_a_curve_of_one_shape():
    for beta in (0.3, 0.7):
        eta = beta / (1 - beta)
        u = torch.linspace(-8, 8, 4001).double() / eta
        gate = torch.sigmoid(eta * u)
        torch.testing.assert_close(descent.slope(u, beta, detached=True), gate)
        gap = descent.slope(u, beta) - gate
        torch.testing.assert_close(gap, eta * u * gate * (1 - gate))
        assert gap.max().item() == pytest.approx(0.2239, abs=1e-4)
        assert eta * u[gap.argmax()].item() == pytest.approx(1.543, abs=5e-3)
    assert descent.slope(descent.INPUTS, 1.0).unique().numel() <= 3


def test_other_goals_and_choices_are_refused():
    with pytest.raises(ValueError, match="goal must be one of"):
        descent.descent_frame(0.5, "hard")
    with pytest.raises(ValueError, match="way must be one of"):
        learned.fit_frame("1", "cos 2x", "25", "attached")
    with pytest.raises(ValueError, match="learned must be one of"):
        learned.where_frame(1, "none", "attached")


@pytest.mark.parametrize("data", ["images", "digits"])
def test_where_beta_ends_is_where_the_runs_say(data):
    """The stored means are those of the runs."""
    found = beta_runs(data)
    assert len(found.settings["seeds"]) >= 5
    for setting, band in found.mean.items():
        ends = [[np.mean(layer) for layer in run["beta"]] for run in found.of(setting)]
        np.testing.assert_allclose(np.mean(ends, axis=0), [layer[-1] for layer in band.mean], atol=1e-4)


@pytest.mark.claim("C8")
def test_a_shared_beta_ends_in_one_place_on_photographs_and_single_ones_do_not_on_digits():
    """On photographs one β a layer ends alike from every start, and gains on ½; on digits neither."""
    found, digits = beta_runs("images"), beta_runs("digits")
    runs = found.of(("shared", 0.5, "attached"))
    runs += [run for start in (0.1, 0.9) for run in found.of(("shared", start, "attached"), elsewhere=True)]
    ends = np.array([[layer[0] for layer in run["beta"]] for run in runs])
    assert len(runs) == 7
    assert np.ptp(ends, axis=0).max() < 0.06
    assert ends.min() > 0.7
    for learned_by in ("shared", "channel"):
        assert found.minus_soft[learned_by, 0.5, "attached"].low > 0
        band = digits.minus_soft[learned_by, 0.5, "attached"]
        assert band.low < 0 < band.high
    for start in (0.1, 0.5, 0.9):
        runs = digits.of(("channel", start, "attached"), elsewhere=start != 0.5)
        means = np.mean([[np.mean(layer) for layer in run["beta"]] for run in runs], axis=0)
        assert abs(means - start).max() < 0.06


def test_the_hardness_of_data_is_eta_times_the_scale():
    run = {"start": 0.5, "scales": [[2.0, -0.5]], "beta": [[0.5, 0.8]]}
    assert hardness_of_data(run)[0].tolist() == pytest.approx([2.0, 2.0])
    assert hardness_of_data({"start": 0.5, "scales": [[2.0, -0.5]]})[0].tolist() == [2.0, 0.5]


def test_curve_fits_draw_the_stored_network_and_reach_their_error():
    fits = curve_fits()
    assert len(fits) == 2 * 3 * (7 * 2 + 5)
    fit = fits["bump", 25, "0.75", "attached"]
    x = torch.linspace(-6, 6, 1000).double()
    eta = 3.0
    units = (x[:, None] * fit.slopes + fit.offsets) * torch.sigmoid(eta * (x[:, None] * fit.slopes + fit.offsets))
    torch.testing.assert_close(fit(x), units @ fit.outputs + fit.last, rtol=1e-6, atol=1e-6)
    error = math.log10((fit(x) - torch.exp(-(x**2))).square().mean().sqrt())
    assert abs(error - float(fit.error.mean)) < 0.6
    assert [len(seed) for seed in fits["bump", 25, "unit", "attached"].betas] == [25] * 20
    assert betavq.eta_from_beta(0.75) == eta


def test_channels_stand_in_order():
    shares, ordered = learned._sorted([0.3, 0.1, 0.2])
    assert (np.diff(ordered) >= 0).all()
    assert (shares[0], shares[-1], ordered[0], ordered[-1]) == (0, 1, 0.1, 0.3)


@pytest.mark.parametrize("beta", [0.3, 0.5, 0.9, 0.98, 0.99])
def test_what_a_detached_code_leaves_out_is_at_most_the_same_at_every_hardness(beta):
    """The largest difference of the two slopes, found between the points of the drawn curve too."""
    assert descent.left_out_at_most(beta) == pytest.approx(0.22387, abs=5e-6)
    assert descent.detached_frame(beta).panels[1].traces[0]["y"].max() <= descent.left_out_at_most(beta) + 1e-12


@pytest.mark.parametrize("beta", [0.0, 0.05, 0.2, 1.0])
def test_where_the_peak_lies_outside_the_drawn_range_the_end_counts(beta):
    drawn = descent.detached_frame(beta).panels[1].traces[0]["y"].max()
    assert descent.left_out_at_most(beta) == pytest.approx(drawn, abs=1e-12)
