"""Value, entropy and free energy: the tangent is a tangent, the envelope an envelope, and limits are reached."""

import numpy as np
import pytest
import torch

from hardtosoft.figures.beta_vq import readouts, simplex

LINE = "⟨t, z⟩ + T·H(t) of the code at this β"


def traces(panel):
    return {trace["name"]: trace for trace in panel.traces}


@pytest.mark.parametrize("beta", [0.25, 0.5, 0.8, 0.975])
@pytest.mark.parametrize("scores", simplex.SCORES)
def test_the_straight_line_touches_the_free_energy_from_below_and_starts_at_the_value(beta, scores):
    heat = traces(readouts.tangent_frame(beta, scores).panels[0])
    free, straight = heat["free energy"]["y"], heat[LINE]["y"]
    along = np.interp(readouts.TEMPERATURES, [0, readouts.HOTTEST], straight)
    assert (free - along).min() > -1e-12
    touch = heat["free energy at this β"]
    assert np.interp(touch["x"][0], [0, readouts.HOTTEST], straight) == pytest.approx(touch["y"][0], abs=1e-12)
    z = np.array(simplex.SCORES[scores])
    weights = np.exp(z * beta / (1 - beta)) / np.exp(z * beta / (1 - beta)).sum()
    assert straight[0] == heat["value at this β"]["y"][0] == pytest.approx(weights @ z)
    assert (straight[1] - straight[0]) / readouts.HOTTEST == pytest.approx(-(weights * np.log(weights)).sum())


@pytest.mark.parametrize("scores", simplex.SCORES)
def test_the_free_energy_lies_above_the_lines_of_a_corner_and_of_the_centre(scores):
    heat = traces(readouts.tangent_frame(0.5, scores).panels[0])
    for name in ("largest score (entropy 0)", "mean score + T · log 3"):
        along = np.interp(readouts.TEMPERATURES, [0, readouts.HOTTEST], heat[name]["y"])
        assert (heat["free energy"]["y"] - along).min() > -1e-12


@pytest.mark.claim("C6")
@pytest.mark.parametrize("scores", simplex.SCORES)
def test_value_rises_and_free_energy_falls_to_the_largest_score(scores):
    """As β goes to 1 the value rises and the free energy falls to the largest score."""
    hardness = traces(readouts.tangent_frame(1.0, scores).panels[1])
    order = np.argsort(hardness["value"]["x"])
    value, free = hardness["value"]["y"][order], hardness["free energy"]["y"][order]
    assert (np.diff(value) >= -1e-12).all()
    assert (np.diff(free) <= 1e-12).all()
    assert value[-1] == free[-1] == max(simplex.SCORES[scores])


def test_an_infinite_temperature_is_refused():
    with pytest.raises(ValueError, match="beta must be above 0"):
        readouts.tangent_frame(0.0, "near tie")


@pytest.mark.claim("C6")
@pytest.mark.parametrize(("second", "limit"), [(0.0, 0.0), (0.9, 0.0), (1.0, np.log(2)), (1.2, 0.0), (2.0, 0.0)])
def test_the_entropy_falls_from_log_3_to_the_log_of_the_number_of_best_pieces(second, limit):
    """The entropy of the code falls with β, from log 3 at β = 0 to the logarithm of the number of best pieces."""
    curve = traces(readouts.entropy_frame(0.5, second).panels[0])["H(t) at this z₂"]["y"]
    assert curve[0] == pytest.approx(np.log(3))
    assert curve[-1] == pytest.approx(limit, abs=1e-9)
    assert (np.diff(curve) <= 1e-12).all()


@pytest.mark.parametrize("beta", [0.3, 0.5, 0.9, 0.975])
def test_the_ridge_at_the_tie_is_never_lower_than_log_2(beta):
    ridge = traces(readouts.entropy_frame(beta, 1.0).panels[1])["H(t) at this β"]["y"]
    tie = int((readouts.SECOND - 1).abs().argmin())
    assert ridge[tie] >= np.log(2)
    code = torch.softmax(readouts.rival(readouts.SECOND) * beta / (1 - beta), -1)
    np.testing.assert_allclose(ridge, torch.distributions.Categorical(code).entropy(), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("beta", "second"), [(0.5, 1.2), (0.0, 1.0), (1.0, 1.0), (0.9, 2.0)])
def test_both_views_mark_the_same_entropy(beta, second):
    frame = readouts.entropy_frame(beta, second)
    left, right = (traces(panel)["at this β and z₂"] for panel in frame.panels)
    assert left["y"][0] == right["y"][0]
    assert (left["x"][0], right["x"][0]) == (beta, second)
    assert ("takes the first" in frame.readout) == (beta == second == 1)
