"""Orthogonal filters on photographs: what the result files say, and pictures and cosines against sums by hand."""

import numpy as np
import pytest
import torch

from hardtosoft.figures.orthogonal_filters import gains, similarity
from hardtosoft.results.filter_runs import ACTIVATIONS, CONSTRAINTS, filter_runs


@pytest.mark.claim("C10")
def test_orthogonal_filters_classify_photographs_better_in_every_pair():
    """On photographs all seeds gain with orthogonal filters, ReLU and swish; on digits nothing can be told."""
    found, digits = filter_runs("images"), filter_runs("digits")
    for activation in ACTIVATIONS:
        free, penalised, orthogonal = (found.accuracies(activation, constraint) for constraint in CONSTRAINTS)
        assert len(free) >= 5
        assert all(a < b < c for a, b, c in zip(free, penalised, orthogonal, strict=True))
        gain, less = (found.minus_none[activation, constraint] for constraint in ("orthogonal", "penalty"))
        assert gain.low > 0.02
        assert less.low > 0
        assert 0.35 < less.mean / gain.mean < 0.65
        for constraint in ("orthogonal", "penalty"):
            assert max(found.mean_cosine[activation, constraint].mean) < 0.005
            band = digits.minus_none[activation, constraint]
            assert band.low < 0 < band.high


@pytest.mark.claim("C11")
def test_swish_does_worse_than_relu_whatever_the_filters():
    """On photographs swish is behind ReLU in all three; free and orthogonal, the interval leaves 0 out."""
    gaps = filter_runs("images").swish_minus_relu
    assert set(gaps) == set(CONSTRAINTS)
    assert all(gap.mean < 0 for gap in gaps.values())
    assert max(gaps["none"].high, gaps["orthogonal"].high) < 0


@pytest.mark.parametrize("data", ["images", "digits"])
def test_intervals_are_those_of_the_runs(data):
    found = filter_runs(data)
    for (activation, constraint), band in found.minus_none.items():
        pairs = zip(found.accuracies(activation, constraint), found.accuracies(activation, "none"), strict=True)
        differences = [a - b for a, b in pairs]
        assert band.mean == pytest.approx(np.mean(differences), abs=1e-6)
        assert band.half_width == pytest.approx(2.7764 * np.std(differences, ddof=1) / 5**0.5, abs=2e-6)
    for (activation, constraint), chosen in found.chosen.items():
        tried = [run for run in found.selection if (run["activation"], run["constraint"]) == (activation, constraint)]
        best = max(tried, key=lambda run: run["accuracy"])
        assert best["accuracy"] == max(
            run["accuracy"] for run in found.tried(activation, constraint, chosen["strength"])
        )
        runs = [run for run in found.runs if (run["activation"], run["constraint"]) == (activation, constraint)]
        assert {(run["rate"], run["strength"]) for run in runs} == {(chosen["rate"], chosen["strength"])}
        assert all(run["seed"] != best["seed"] for run in runs)


def test_the_picture_shows_every_filter_in_its_own_shares():
    kept = similarity.learned(similarity.RELU, similarity.ORTHOGONAL)
    shown = similarity.tiles(kept, "red")
    assert shown.shape == (4 * 6 + 1, 8 * 6 + 1)
    assert (shown[::6] == 0.5).all()  # nothing between the filters
    for place in (0, 9, 31):
        row, column = divmod(place, 8)
        tile = shown[6 * row + 1 : 6 * row + 6, 6 * column + 1 : 6 * column + 6]
        red = kept[place, :, :, 0]
        torch.testing.assert_close(tile, 0.5 + 0.5 * red / red.abs().max())


def test_cosines_of_shifted_filters_are_sums_over_the_pixels_that_both_cover():
    kept = torch.randn(3, 5, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = similarity.shifted_cosines(kept)
    assert found.shape == (9, 9)
    unit = kept / kept.flatten(1).norm(dim=1)[:, None, None, None]
    beside = torch.stack([(a[:, 1:] * b[:, :-1]).sum().abs() for a in unit for b in unit]).mean()
    assert found[4, 5].item() == pytest.approx(beside.item())
    same = torch.stack([(unit[i] * unit[j]).sum().abs() for i in range(3) for j in range(3) if i != j]).mean()
    assert found[4, 4].item() == pytest.approx(same.item())
    torch.testing.assert_close(similarity.cosines(kept).diagonal(), torch.ones(3, dtype=torch.float64))


@pytest.mark.claim("C10")
def test_orthogonal_filters_are_so_at_the_same_window_alone():
    """The stored filters are orthogonal as far as their two decimals go, and are not so one pixel to the side."""
    for unit in similarity.UNITS:
        found = similarity.shifted_cosines(similarity.learned(unit, similarity.ORTHOGONAL))
        assert found[4, 4] < 0.005
        assert 0.05 < found[4, 5] < found.max() + 1e-12
    with pytest.raises(ValueError, match="kind must be one of"):
        similarity.learned(similarity.RELU, "none")


def test_a_line_joins_the_networks_of_one_seed():
    frame = gains.gains_frame(similarity.RELU)
    joined = frame.panels[0].traces[0]
    assert len(joined["y"]) == 5 * 4
    free, orthogonal = (filter_runs("images").accuracies("relu", kind) for kind in ("none", "orthogonal"))
    np.testing.assert_allclose(joined["y"][0::4], 100 * np.array(free))
    np.testing.assert_allclose(joined["y"][2::4], 100 * np.array(orthogonal))
    assert "leaves 0 out" in frame.panels[1].alt
