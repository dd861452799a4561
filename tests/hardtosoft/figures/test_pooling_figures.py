"""One window and a photograph at every β: PyTorch's own pooling at the ends, and what the chapter says of the rest."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import betavq
from hardtosoft.figures import pooling
from hardtosoft.figures.pooling import photograph
from hardtosoft.figures.pooling.window import WINDOW, window_frame
from hardtosoft.figures.relu_to_swish import smoothings
from hardtosoft.results.pooled import load_photograph, photograph_credit, pooling_comparison

KINDS = {"mean", "soft", "harder", "max", "learned"}


@pytest.mark.claim("C4")
def test_max_pooling_turns_into_pooling_with_softmax_weights():
    """Max-pooling is PyTorch's at β = 1, has softmax weights at β = ½, and is PyTorch's average at β = 0."""
    image = photograph.TOP * load_photograph()[None]
    for size in photograph.SIZES.values():
        hard, soft, linear = (photograph.TOP * photograph.pooled(size, beta) for beta in (1.0, 0.5, 0.0))
        torch.testing.assert_close(hard, F.max_pool2d(image, size)[0], rtol=1e-15, atol=0)
        torch.testing.assert_close(linear, F.avg_pool2d(image, size)[0], rtol=1e-13, atol=0)
        windows = F.unfold(image[None], size, stride=size)[0]
        expected = (torch.softmax(windows, 0) * windows).sum(0).reshape(soft.shape)
        torch.testing.assert_close(soft, expected, rtol=1e-13, atol=0)


def test_the_window_balances_at_its_value_over_discs_of_its_weights():
    for beta in (0.0, 0.3, 0.5, 1.0):
        balance, counted = window_frame([3.0, -1.0, 0.5], beta).panels
        drawn = {
            trace["name"]: trace
            for trace in (*balance.traces, *counted.traces)
            if trace["mode"] == "markers" or trace["name"] == "value"
        }
        weights = drawn["weight t"]["y"]
        value = betavq.value(torch.tensor([3.0, -1.0, 0.5], dtype=torch.float64), beta).item()
        assert drawn["value"]["x"][0] == pytest.approx(value, abs=1e-14)
        assert value == pytest.approx(np.dot(weights, [3.0, -1.0, 0.5]), abs=1e-14)
        veil = next(trace for trace in balance.traces if trace["name"] == "discs")
        rows = veil["y"].reshape(3, -1)[:, :-1]
        np.testing.assert_allclose(rows.max(1) ** 2 / rows.max(1).max() ** 2, weights / weights.max(), atol=1e-3)


def test_the_gradient_is_the_slope_of_the_value():
    window = torch.tensor(WINDOW, dtype=torch.float64)
    for beta in (0.0, 0.2, 0.5, 0.9):
        step = 1e-5 * torch.eye(4, dtype=torch.float64)
        slope = (betavq.value(window + step, beta) - betavq.value(window - step, beta)) / 2e-5
        torch.testing.assert_close(pooling.gradient(window, beta), slope, rtol=0, atol=1e-8)
        assert slope.sum().item() == pytest.approx(1.0)
    assert pooling.gradient(window, 0.0).tolist() == [0.25] * 4
    assert pooling.gradient(window, 1.0).tolist() == [0, 0, 0, 1]
    soft = pooling.gradient(window, 0.5)
    assert soft[2] < 0
    assert soft[3] > 1


def test_gradients_of_any_window_fit_the_plot():
    windows = 20 * torch.randn(2000, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    # The extremes: all but one tie, at any distance.
    steps = torch.linspace(0, 20, 401, dtype=torch.float64)
    for extra in (
        *windows,
        *(F.pad(step[None], (0, 8)) for step in steps),
        *(F.pad(-step[None], (0, 8)) for step in steps),
    ):
        slopes = pooling.gradient(extra, 0.5)
        assert slopes.min() > -0.4
        assert slopes.max() < 1.4


@pytest.mark.parametrize("pieces", [2, 4, 9, 16])
def test_the_gap_constant_is_lamberts_and_the_largest_gap(pieces):
    constant = smoothings.gap_constant(pieces)
    assert constant * math.exp(constant) == pytest.approx((pieces - 1) / math.e, rel=1e-14)
    distance = torch.linspace(0, 20, 20_001, dtype=torch.float64)
    scores = torch.stack([distance, *[torch.zeros_like(distance)] * (pieces - 1)], dim=-1)
    assert (distance - betavq.value(scores, 0.5)).max().item() == pytest.approx(constant, rel=1e-6)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ([1.0], "window must be a list of 2 to 9 numbers, got 1"),
        ("1, 2", "window must be a list of 2 to 9 numbers, got a str"),
        ([1.0, math.nan], "window must hold finite numbers"),
    ],
)
def test_a_readers_window_is_checked(window, message):
    with pytest.raises(ValueError, match=message):
        pooling.your_window_figure(window)


def test_a_readers_window_may_hold_ties_and_negative_numbers():
    assert "is worth −2.00" in repr(pooling.your_window_figure([-2, -2]))


def test_windows_of_the_photograph_lie_between_mean_and_largest():
    for beta in (0.05, 0.5, 0.95):
        now, mean, largest = (photograph.pooled(4, each) for each in (beta, 0.0, 1.0))
        assert (now >= mean - 1e-12).all()
        assert (now <= largest + 1e-12).all()


def test_the_picture_shows_the_windows_and_marks_the_row_drawn_beside():
    original, whole, row = photograph.photograph_frame("4 × 4", 0.7).panels
    np.testing.assert_array_equal(original.traces[0]["z"][::-1], load_photograph().numpy())
    pixels, mark = whole.traces
    now = photograph.pooled(4, 0.7)
    np.testing.assert_array_equal(pixels["z"][::-1][::4, ::4], now.numpy())
    from_top = photograph.PIXELS - mark["y"][0]
    assert from_top // 4 == photograph.ROW // 4
    steps = row.traces[-1]
    np.testing.assert_array_equal(steps["y"][::8], now[photograph.ROW // 4].numpy())
    assert (steps["x"][0], steps["x"][-1]) == (0, photograph.PIXELS)


def test_larger_numbers_go_further_at_the_same_beta():
    ways = [photograph.way_at(top, 0.5) for top in photograph.SCALES.values()]
    assert ways == sorted(ways)
    assert ways[0] < 0.1
    assert ways[-1] > 0.95
    # A scale is a factor on η.
    eta = betavq.eta_from_beta(0.5) * photograph.TOP
    assert photograph.way_at(photograph.TOP, 0.5) == pytest.approx(photograph.way_at(1.0, betavq.beta_from_eta(eta)))


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match="size must be one of '2 × 2', '4 × 4', '8 × 8', got '3 × 3'"):
        photograph.photograph_frame("3 × 3", 0.5)
    with pytest.raises(ValueError, match="scale must be one of '0 to 1', '0 to 10', '0 to 255', got 'big'"):
        photograph.units_frame("big", 0.5)


def test_the_photograph_is_a_picture_with_its_credit():
    image = load_photograph()
    assert image.shape == (photograph.PIXELS, photograph.PIXELS)
    assert 0 <= image.min() < 0.1 < 0.9 < image.max() <= 1
    credit = photograph_credit()
    assert credit["author"] == "danielbuechele"
    assert "CC BY 2.0" in credit["licence"]
    assert credit["changes"]


def test_the_comparison_tells_what_the_chapter_says():
    found = pooling_comparison()
    assert set(found.accuracy) == KINDS
    assert set(found.minus_max) == KINDS - {"max"}
    for kind, difference in found.minus_max.items():
        expected = found.accuracy[kind].mean - found.accuracy["max"].mean
        assert difference.mean == pytest.approx(expected, abs=2e-6)
    assert found.minus_max["mean"].high < found.minus_max["soft"].mean < 0
    assert [betas.shape for betas in found.learned_betas] == [(20, 8), (20, 16)]
    assert all(((betas >= 0) & (betas <= 0.99)).all() for betas in found.learned_betas)
