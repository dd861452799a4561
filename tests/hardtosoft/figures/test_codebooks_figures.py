"""K-means by half-steps and codebooks of digits: what the figures show is what K-means does."""

from itertools import pairwise
from math import log2

import numpy as np
import pytest
import torch

from hardtosoft.figures.vector_quantization import clusters, codebooks
from hardtosoft.results.datasets import load_digits
from hardtosoft.results.networks import digits_test_set, digits_training_set


@pytest.mark.parametrize("start", clusters.STARTS)
def test_each_half_step_takes_the_best_of_its_kind(start):
    points, means = clusters.points(), clusters.history(start)
    for old, new in pairwise(means):
        code = torch.cdist(points, old).argmin(1)
        groups = torch.stack([points[code == r].mean(0) for r in range(clusters.CENTROIDS)])
        torch.testing.assert_close(new, groups, rtol=0, atol=1e-12)


@pytest.mark.claim("C2")
@pytest.mark.parametrize("start", clusters.STARTS)
def test_the_error_is_that_of_the_nearest_centroids_and_never_rises(start):
    """The unit's selection is the code step of K-means."""
    points, errors = clusters.points(), clusters.errors(start)
    for step in range(0, clusters.HALF_STEPS + 1, 2):
        distances = torch.cdist(points, clusters.at(start, step)[0]).min(1).values
        assert errors[step] == pytest.approx(distances.square().mean().item(), abs=1e-12)
    assert (np.diff(errors) <= 1e-15).all()
    assert errors[-1] == errors[-3]  # it has come to rest


@pytest.mark.parametrize("start", clusters.STARTS)
def test_the_readout_says_that_nothing_moves_just_when_it_is_so(start):
    for step in range(1, clusters.HALF_STEPS + 1):
        (before, coders_before), (after, coders) = clusters.at(start, step - 1), clusters.at(start, step)
        still = torch.equal(before, after) and (
            torch.equal(
                torch.cdist(clusters.points(), coders_before).argmin(1),
                torch.cdist(clusters.points(), coders).argmin(1),
            )
        )
        readout = clusters.k_means_frame(start, step).readout
        assert readout.endswith("nothing moves any more.") == still
        assert "0.00000 less" not in readout


def test_the_two_starts_end_elsewhere():
    bunched, spread = (clusters.errors(start)[-1] for start in clusters.STARTS)
    assert bunched > spread + 0.01
    with pytest.raises(ValueError, match="start must be one of 'bunched', 'spread out', got 'apart'"):
        clusters.start_means("apart")


def test_the_trails_lead_to_the_centroids_and_stop_there():
    for step in (0, 1, 2, 7, 32):
        plane, fall = clusters.k_means_frame("bunched", step).panels
        traces = {t["name"]: t for t in (*plane.traces, *fall.traces)}
        ways = np.column_stack([traces["path of the centroids"][key] for key in "xy"]).reshape(7, -1, 2)
        last = ways[:, (step + 1) // 2]
        np.testing.assert_array_equal(last, np.column_stack([traces["centroids"][key] for key in "xy"]))
        assert np.isnan(ways[:, (step + 1) // 2 + 1 :]).all()
        assert np.isfinite(traces["so far"]["y"]).sum() == step + 1


def test_the_plane_is_that_of_the_largest_variance():
    images, _ = load_digits()
    centred = images - images.mean(0)
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:2]
    expected = centred[: clusters.IMAGES] @ directions.T
    torch.testing.assert_close(clusters.points().abs(), expected.abs(), rtol=0, atol=1e-9)


def test_learning_and_new_digits_share_no_image_and_are_all():
    learnt, new = digits_training_set()[0], digits_test_set()[0]
    rows = torch.cat([learnt, new])
    assert len(rows) == 1797
    torch.testing.assert_close(rows.sort(0).values, load_digits()[0].sort(0).values, rtol=0, atol=0)


@pytest.mark.parametrize("size", codebooks.SIZES)
def test_every_centroid_is_on_the_canvas_once(size):
    """Each is a block of equal pixels of its own; the rest is paper."""
    marks = np.arange(1, size + 1)[:, None] / size * np.ones(64)
    canvas = codebooks.tiled(marks)
    values, counts = np.unique(canvas[canvas > 0], return_counts=True)
    np.testing.assert_allclose(values, marks[:, 0])
    assert len(set(counts.tolist())) == 1
    assert canvas.shape == codebooks.CANVAS


def test_a_tile_is_the_image_upright():
    images = np.random.default_rng(0).random((128, 64))
    canvas = codebooks.tiled(images)
    np.testing.assert_array_equal(canvas[9:17, 18:26], images[16 + 2].reshape(8, 8))


@pytest.mark.parametrize("size", [1, 16, 128])
def test_what_arrives_is_the_nearest_centroid(size):
    centroids = codebooks.codebook(size, 0)
    shown = codebooks.exchange(centroids)
    images = digits_test_set()[0][:8]
    nearest = centroids[torch.cdist(images, centroids).argmin(1)].clamp(0, 1)
    for place in range(8):
        for row, expected in ((0, images[place]), (18, nearest[place])):
            found = shown[row + 1 : row + 17 : 2, 18 * place + 1 : 18 * place + 17 : 2]
            np.testing.assert_array_equal(found, expected.reshape(8, 8))
    np.testing.assert_array_equal(shown[42:], codebooks.tiled(centroids.numpy()))


@pytest.mark.parametrize("on_new", [False, True])
def test_losses_are_shares_of_the_variance_and_fall_with_every_bit(on_new):
    losses = codebooks.losses(on_new)
    assert losses[0] == pytest.approx(100)
    assert (np.diff(losses.mean(1)) < 0).all()
    images = (digits_test_set() if on_new else digits_training_set())[0]
    centroids = codebooks.codebook(8, 3)
    inertia = torch.cdist(images, centroids).min(1).values.square().sum()
    variance = (images - digits_training_set()[0].mean(0)).square().sum()
    assert losses[codebooks.SIZES.index(8), 3] == pytest.approx(100 * (inertia / variance).item(), rel=1e-9)


def test_the_readout_counts_bits():
    for place, size in enumerate(codebooks.SIZES):
        assert codebooks.codebook_frame(size).readout.startswith(f"{place} bits an image instead of 262")
    assert pytest.approx(64 * log2(17)) == codebooks.RAW_BITS
