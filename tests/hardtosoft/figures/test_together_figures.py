"""Units inferred one by one or together: equal for orthogonal filters, different otherwise."""

import itertools

import numpy as np
import pytest
import torch

from betavq import mixture as mixtures
from hardtosoft.figures.gaussian_mixtures import together


def named(frame, name, panel=0):
    (found,) = [trace for trace in frame.panels[panel].traces if trace["name"] == name]
    return found


@pytest.mark.claim("C9")
def test_orthogonal_filters_make_unit_wise_selection_exact():
    """With orthogonal filters the code of each unit alone is the best joint code, for every input."""
    assert named(together.together_frame(0.0), "unit-wise code is not the best")["z"].max() == 0
    assert together.disagreement(0.0) == 0
    basis = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(1)).double())[0]
    layer = together.layer(basis[:6] * torch.tensor([0.3, 0.7, 1.0, 1.5, 2.0, 3.0])[:, None].double())
    assert mixtures.disagreement(layer.to_mixture(0.4), together.inputs()) == 0


@pytest.mark.claim("C9")
def test_two_equal_units_explain_an_input_twice():
    """Two equal units both switch on; the best joint code has one of them on, and its residual is 0."""
    layer = together.layer(torch.tensor([[1.0, 0.0], [1.0, 0.0]]).double()).to_mixture()
    x = torch.tensor([1.0, 0.0]).double()
    assert mixtures.unitwise_map(layer, x).tolist() == [1, 1]
    assert mixtures.joint_map(layer, x).sum() == 1


@pytest.mark.parametrize("coherence", [0.0, 0.25, 0.6, 0.95])
def test_filters_have_length_one_and_the_coherence_asked_for(coherence):
    for filters in (together.pair(coherence), together.equicorrelated(6, 8, coherence)):
        expected = torch.full((len(filters), len(filters)), coherence, dtype=torch.float64).fill_diagonal_(1.0)
        torch.testing.assert_close(filters @ filters.T, expected, rtol=0, atol=1e-12)


@pytest.mark.claim("C9")
@pytest.mark.parametrize(
    ("coherence", "known"), [(0.05, 0.112), (0.1, 0.192), (0.2, 0.326), (0.4, 0.475), (0.6, 0.523), (0.95, 0.449)]
)
def test_the_curve_is_the_one_measured_before(coherence, known):
    """How often six units err grows with the coherence of their filters up to about 0.6, and not beyond."""
    assert together.disagreement(coherence) == pytest.approx(known, abs=0.025)  # two draws of 4000 inputs
    assert known <= together.disagreements().max() + 0.025


def test_the_share_is_not_monotone():
    shares = together.disagreements()
    assert 0.45 <= together.COHERENCES[int(shares.argmax())] <= 0.75
    assert shares[-1] < shares.max() - 0.04


def test_shading_is_where_a_search_by_hand_finds_a_better_code():
    filters, points = together.pair(0.7), together.PLANE.points[::37]
    codes = torch.tensor(list(itertools.product((0, 1), repeat=2)))
    # Equal prior weights: the best code is the one whose sum of filters is nearest.
    best = codes[torch.cdist(points, codes.double() @ filters).argmin(1)]
    alone = (points @ filters.T > 0.5).long()
    layer = together.layer(filters).to_mixture()
    assert torch.equal(mixtures.joint_map(layer, points), best)
    assert torch.equal(mixtures.unitwise_map(layer, points), alone)
    assert torch.equal(together.together(filters).selection(points)[:, 0], best[:, 0] * 2 + best[:, 1])


def test_the_dot_lies_on_the_curve_and_the_shaded_area_is_named():
    frame = together.together_frame(0.5)
    dot, curve = named(frame, "six units at this ρ", panel=1), named(frame, "share of random inputs", panel=1)
    assert dot["y"][0] == pytest.approx(curve["y"][10], abs=1e-9)
    area = 100 * named(frame, "unit-wise code is not the best")["z"].mean()
    assert f"two units, {area:.1f} % of the plane" in frame.readout
    assert np.isfinite(named(frame, "edges of the best joint codes")["x"]).any()
