"""Two units at one input, and six: shading, sums and costs against a search by hand."""

import itertools

import numpy as np
import pytest
import torch

from betavq import mixture as mixtures
from hardtosoft.figures.joint_inference import two_units, wrong_codes
from hardtosoft.figures.layers import COHERENCES, equicorrelated, inputs, layer, pair

MAPS = ("best: only 1 on", "best: only 2 on", "best: both on")


def named(frame, name, panel=0):
    (found,) = [trace for trace in frame.panels[panel].traces if trace["name"] == name]
    return found


@pytest.mark.claim("C9")
def test_nothing_is_hatched_if_the_filters_are_orthogonal():
    """Two units with orthogonal filters, of length 1 or not: the unit-wise code is the best one everywhere."""
    for filters in (pair(0.0), torch.tensor([[0.6, 0.8], [-0.4, 0.3]]).double()):
        frame = two_units.units_frame(filters, 1.0)
        assert np.isnan(named(frame, "the units’ own code is not the best")["x"]).all()
        assert frame.readout.endswith("They differ in 0.0\u00a0% of the plane.")
        assert "nothing is hatched" in frame.panels[0].alt


@pytest.mark.parametrize("coherence", [-0.9, -0.3, 0.5, 0.9])
def test_colours_are_those_of_the_nearest_sum_and_hatched_where_units_differ_from_it(coherence):
    filters, points = pair(coherence), two_units.PLANE.points
    codes = torch.tensor(list(itertools.product((0, 1), repeat=2)))
    best = codes[torch.cdist(points, codes.double() @ filters).argmin(1)]
    wrong = (best != (points @ filters.T > 0.5)).any(-1)
    assert wrong.any()
    for name, code in zip(MAPS, ([1, 0], [0, 1], [1, 1]), strict=True):
        owned = (best == torch.tensor(code)).all(-1)
        expected = two_units.PLANE.means(owned)
        np.testing.assert_allclose(named(two_units.units_frame(filters, 1.0), name)["z"], expected, rtol=0, atol=1e-12)
    strokes = two_units.hatching(filters)
    hatched = strokes[strokes.isfinite().all(1)]
    assert len(hatched) > 10
    found = codes[torch.cdist(hatched, codes.double() @ filters).argmin(1)]
    assert (found != (hatched @ filters.T > 0.5)).any(-1).all()
    assert bool((best[wrong].sum(-1) == 2).all()) == (coherence < 0)  # alike: one too many on; opposed: too few


@pytest.mark.claim("C9")
def test_two_equal_units_explain_an_input_twice():
    """Two equal units both switch on; the best joint code has one of them on."""
    twice = layer(torch.tensor([[1.0, 0.0], [1.0, 0.0]]).double()).to_mixture()
    x = torch.tensor([1.0, 0.0]).double()
    assert mixtures.unitwise_map(twice, x).tolist() == [1, 1]
    assert mixtures.joint_map(twice, x).sum() == 1


@pytest.mark.claim("C9")
def test_orthogonal_filters_of_any_length_make_unit_wise_selection_exact():
    """With orthogonal filters the code of each unit alone is the best joint code, for every input."""
    basis = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(1)).double())[0]
    orthogonal = layer(basis[:6] * torch.tensor([0.3, 0.7, 1.0, 1.5, 2.0, 3.0])[:, None].double())
    assert mixtures.disagreement(orthogonal.to_mixture(0.4), inputs()) == 0


@pytest.mark.parametrize("coherence", [0.0, 0.25, 0.6, 0.95])
def test_filters_have_length_one_and_the_coherence_asked_for(coherence):
    for filters in (pair(coherence), equicorrelated(6, 8, coherence)):
        expected = torch.full((len(filters), len(filters)), coherence, dtype=torch.float64).fill_diagonal_(1.0)
        torch.testing.assert_close(filters @ filters.T, expected, rtol=0, atol=1e-12)


def test_the_ledger_is_the_formula():
    """The joint account is the sum of the scores less the inner product of the filters that are on."""
    filters = torch.tensor([[1.2, 0.1], [0.5, -0.7]]).double()
    x = torch.tensor([0.7, two_units.HEIGHT]).double()
    scores = [(w @ x - 0.5 * w @ w).item() for w in filters]
    own, together = two_units.accounts(filters, x)
    np.testing.assert_allclose(own, [0, scores[0], scores[1], sum(scores)], atol=1e-12)
    product = (filters[0] @ filters[1]).item()
    np.testing.assert_allclose(together, [0, scores[0], scores[1], sum(scores) - product], atol=1e-12)
    frame = two_units.units_frame(filters, 0.7)
    assert named(frame, "what the units pick", 1)["y"][0] == pytest.approx(own.max().item())
    assert named(frame, "best together", 1)["y"][0] == pytest.approx(together.max().item())


def test_the_ways_lead_to_the_picked_sum_and_to_the_nearest():
    for coherence, along in itertools.product((-0.8, 0.0, 0.5, 0.9), (0.2, 0.45, 1.0, 1.6)):
        filters, x = pair(coherence), torch.tensor([along, two_units.HEIGHT]).double()
        frame = two_units.units_frame(filters, along)
        ends = []
        for name in ("from x to the picked sum", "from x to the best sum"):
            way = named(frame, name)
            assert (way["x"][0], way["y"][0]) == (along, two_units.HEIGHT)
            ends.append((way["x"][1], way["y"][1]))
        on = (filters @ x > 0.5).double()
        np.testing.assert_allclose(ends[0], on @ filters, atol=1e-12)
        lengths = [np.hypot(along - a, two_units.HEIGHT - b) for a, b in two_units.sums(filters).tolist()]
        assert np.hypot(along - ends[1][0], two_units.HEIGHT - ends[1][1]) == pytest.approx(min(lengths))


def test_opposite_filters_of_one_length_lose_nothing_and_are_no_rectangle():
    alt = two_units.units_frame(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).double(), 1.0).panels[0].alt
    assert alt == "Each unit alone finds the best joint code everywhere: nothing is hatched."


def test_a_tie_is_no_difference():
    filters = torch.tensor([[1.0, 0.0], [0.0, 0.7]]).double()
    on_both_edges = torch.tensor([0.5, 0.35]).double()
    alone, best = two_units.codes_at(filters, on_both_edges)
    assert torch.equal(alone, best)
    assert two_units.accounts(filters, on_both_edges)[1].abs().max() < 1e-12  # all four codes are equally probable


@pytest.mark.claim("C9")
@pytest.mark.parametrize("kind", wrong_codes.KINDS)
def test_orthogonal_filters_err_never_and_others_do(kind):
    """With orthogonal filters six units miss no code, whatever the inputs; with others they do, and it costs."""
    found = wrong_codes.curves(kind)
    assert found[0].tolist() == [0.0, 0.0]
    assert bool((found[1:] > 0).all())
    assert bool((found[:, 1].diff() > 0).all())


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (wrong_codes.NOISY, {0.05: 0.247, 0.1: 0.441, 0.2: 0.693, 0.4: 0.885, 0.6: 0.916, 0.95: 0.911}),
        (wrong_codes.CLEAR, {0.05: 0.142, 0.1: 0.398, 0.2: 0.815, 0.4: 0.940, 0.6: 0.958, 0.95: 0.967}),
    ],
)
def test_shares_are_those_measured_before(kind, known):
    for coherence, share in known.items():
        assert wrong_codes.errors(kind, coherence)[0] == pytest.approx(share, abs=0.03)  # other draws


def test_the_share_is_not_monotone_and_its_cost_is():
    share, cost = wrong_codes.curves(wrong_codes.GAUSSIAN).T
    assert 0.5 <= COHERENCES[int(share.argmax())] <= 0.7
    assert share[-1] < share.max() - 0.04
    assert int(cost.argmax()) == len(COHERENCES) - 1


def test_the_cost_is_the_difference_of_squared_residuals():
    filters, x = equicorrelated(6, 8, 0.4), inputs()
    codes = torch.tensor(list(itertools.product((0, 1), repeat=6))).double()
    least = torch.cdist(x, codes @ filters).square().amin(1)
    alone = (x @ filters.T > 0.5).double()
    wanted = ((x - alone @ filters).square().sum(1) - least).mean().item()
    assert wrong_codes.errors(wrong_codes.GAUSSIAN, 0.4)[1] == pytest.approx(wanted, rel=1e-9)
    np.testing.assert_array_equal(mixtures.unitwise_map(layer(filters).to_mixture(), x), alone)


def test_inputs_from_the_model_have_its_sums_and_its_noise():
    filters = equicorrelated(6, 8, 0.3)
    codes, _ = wrong_codes.draws()
    for kind, variance in wrong_codes.VARIANCES.items():
        noise = wrong_codes.points(kind, filters) - codes @ filters
        assert noise.var().item() == pytest.approx(variance, rel=0.03)
    assert codes.mean().item() == pytest.approx(0.5, abs=0.02)
    with pytest.raises(ValueError, match="kind must be one of 'Gaussian'"):
        wrong_codes.points("uniform", filters)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ([[1.0, 0.0]], "two pairs of finite numbers"),
        ([[1.0, 0.0], [float("nan"), 0.0]], "two pairs of finite numbers"),
        ([[1.0, 0.0], [0.0, 0.0]], "must not be 0"),
        ([[1.5, 0.0], [1.5, 0.0]], "inside the plane, -1.2 to 2.4 across and ±1.44 up"),
    ],
)
def test_filters_that_cannot_be_drawn_are_refused(filters, message):
    with pytest.raises(ValueError, match=f"filters .*{message}"):
        two_units.your_filters_figure(filters)


def test_orthogonal_filters_of_a_reader_need_no_length():
    crossed = two_units.your_filters_figure([[1.0, 0.0], [0.8, 0.6]])
    right = two_units.your_filters_figure([[1.0, 0.0], [0.0, 0.6]])
    assert "nothing is hatched" in repr(right)
    assert "nothing is hatched" not in repr(crossed)
