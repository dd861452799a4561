"""The mixture behind a unit of two inputs: its edges stay at every variance, and only with the right prior."""

import numpy as np
import pytest
import torch

from hardtosoft.figures.gaussian_mixtures import posteriors
from hardtosoft.interactive import palette
from hardtosoft.interactive.frames import array


def named(frame, name, panel=0):
    (found,) = [trace for trace in frame.panels[panel].traces if trace["name"] == name]
    return found


def bayes(points, variance, weights):
    """Posterior probabilities by hand: weights times densities, divided by their sum."""
    squares = (points[:, None] - array(posteriors.SLOPES)).__pow__(2).sum(-1)
    joint = array(weights) * np.exp(-squares / (2 * variance))
    return joint / joint.sum(1, keepdims=True)


@pytest.mark.claim("C3")
@pytest.mark.claim("C4")
@pytest.mark.parametrize("beta", [0.1, 0.3, 0.5, 0.8])
def test_the_curves_along_the_cut_are_the_posterior(beta):
    """Bayes' rule by hand, with the weights exp((B + ½‖A‖²)/σ²), gives the drawn posterior at every variance."""
    variance = (1 - beta) / beta
    expected = bayes(array(posteriors.CUT), variance, (posteriors.ADVANTAGES / variance).softmax(0))
    frame = posteriors.posterior_frame(beta)
    for r in range(3):
        drawn = named(frame, f"posterior of component {r + 1}", panel=1)["y"]
        np.testing.assert_allclose(drawn, expected[:, r], rtol=0, atol=1e-12)


def test_tints_sum_to_one_and_are_cells_without_noise():
    for beta in (0.1, 0.5, 1.0):
        maps = [
            trace["z"] for trace in posteriors.posterior_frame(beta).panels[0].traces if trace["type"] == "heatmap"
        ]
        np.testing.assert_allclose(sum(maps), 1.0, rtol=0, atol=1e-12)
    assert all(((z == 0) | (z == 1)).mean() > 0.9 for z in maps)


@pytest.mark.claim("C3")
@pytest.mark.parametrize("beta", [0.1, 0.4, 0.5, 0.9])
def test_on_the_edges_of_the_hard_unit_the_two_best_components_tie(beta):
    """On every edge of the hard unit the two most probable components are equally probable, at every variance."""
    drawn = named(posteriors.posterior_frame(beta), "edges of the hard unit")
    ends = np.column_stack([drawn["x"], drawn["y"]]).reshape(-1, 3, 2)[:, :2]
    ends = ends[np.isfinite(ends).all((1, 2))]
    assert len(ends) == 3
    middles = torch.from_numpy(ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * np.array([0.1, 0.5, 0.9])[:, None])
    posterior = posteriors.unit().to_mixture((1 - beta) / beta).responsibilities(middles.reshape(-1, 2))[:, 0]
    first, second = posterior.topk(2).values.T
    torch.testing.assert_close(first, second, rtol=0, atol=1e-12)


@pytest.mark.claim("C3")
@pytest.mark.parametrize("variance", [0.05, 0.32, 1.0, 4.0])
def test_only_the_prior_with_one_over_the_variance_keeps_the_code(variance):
    """The most probable component is the unit's piece at every variance, but only if the prior holds 1/σ²."""
    shares = {prior: posteriors.changed_share(prior, variance) for prior in posteriors.PRIORS}
    assert shares["1/σ² in it"] == 0
    assert (shares["1/σ² forgotten"] == 0) == (variance == 1)
    assert shares["equal weights"] == posteriors.changed_share("equal weights", 1.0) > 0.1


def test_a_forgotten_variance_leads_to_the_nearest_centroid():
    points = posteriors.PLANE.points
    nearest = torch.cdist(points, posteriors.SLOPES).argmin(1)
    assert torch.equal(posteriors.nearest().selection(points)[:, 0], nearest)
    found = [
        (posteriors.mixture_of("1/σ² forgotten", variance).map_code(points)[:, 0] == nearest).double().mean()
        for variance in (1.0, 0.3, 0.1, 0.001)
    ]
    assert found == sorted(found)
    assert found[-1] > 0.999


def test_the_dot_lies_on_the_curve_of_its_prior():
    names = ("1/σ² in the prior", "1/σ² forgotten", "equal weights")
    for name, prior in zip(names, posteriors.PRIORS, strict=True):
        for place in (0, 16, len(posteriors.VARIANCES) - 1):
            frame = posteriors.prior_frame(prior, posteriors.VARIANCES[place])
            dot, curve = named(frame, "this prior, this σ²", panel=1), named(frame, name, panel=1)
            assert (dot["x"][0], dot["y"][0]) == (curve["x"][place], curve["y"][place])


def test_the_edges_drawn_are_those_of_the_tints():
    frame = posteriors.prior_frame("1/σ² forgotten", 2.5)
    drawn = named(frame, "edges of the mixture’s cells")
    ends = torch.from_numpy(np.column_stack([drawn["x"], drawn["y"]]).reshape(-1, 3, 2)[:, :2])
    ends = ends[ends.isfinite().all((1, 2))]
    assert len(ends)
    posterior = posteriors.mixture_of("1/σ² forgotten", 2.5).responsibilities(ends.mean(1))[:, 0]
    first, second = posterior.topk(2).values.T
    torch.testing.assert_close(first, second, rtol=0, atol=1e-12)


def test_unknown_priors_are_refused_and_colours_are_distinct():
    with pytest.raises(ValueError, match=r"prior must be one of '1/σ² in it', .*, got 'flat'"):
        posteriors.mixture_of("flat", 1.0)
    assert len(set(posteriors.COLOURS)) == 3
    assert set(posteriors.COLOURS) <= set(palette.TINTS)
