"""A network run backwards: the rebuilt digit is the library's, the curves and intervals are the result files'."""

import numpy as np
import pytest
import torch

from betavq import geometry
from hardtosoft.figures.inversion import gains, rebuilt
from hardtosoft.results import few_labels
from hardtosoft.results.few_labels import way


def named(panel, name):
    (found,) = [trace for trace in panel.traces if trace["name"] == name]
    return found


@pytest.mark.parametrize("loss", rebuilt.LOSSES)
def test_the_middle_picture_is_the_transposed_map_of_the_logits(loss):
    network = way().networks[rebuilt.LOSSES[loss]][-1]
    x = way().images[7:8]
    slopes = geometry.affine_map(network, x).slopes
    expected = torch.einsum("ncijk,nc->nijk", slopes, network(x).detach())
    torch.testing.assert_close(rebuilt.rebuild(loss, 250, 7)[1], expected.flatten(), rtol=1e-9, atol=1e-9)
    frame = rebuilt.rebuilt_frame(loss, 7.0, 250.0)
    shown = named(frame.panels[0], "digits")["z"][::-1]
    levels = (way().size * expected + way().mean).clamp(0, 1).view(8, 8)
    np.testing.assert_allclose(shown[2:10, 12:20], levels, atol=1e-9)
    rest = (0.5 + way().size * (x - expected)).clamp(0, 1).view(8, 8)
    np.testing.assert_allclose(shown[2:10, 22:30], rest, atol=1e-9)


def test_the_digits_are_what_they_are_said_to_be_and_were_kept_for_the_test():
    labels = few_labels.all_digits()[1]
    rows = few_labels.contents("digits")["way"]["rows"]
    assert labels[rows].tolist() == list(range(10))
    count = len(labels)
    order = torch.randperm(
        count, generator=torch.Generator().manual_seed(few_labels.contents("digits")["way"]["seed"])
    )
    assert set(rows) <= set(order[: count // 4].tolist())


def test_rebuilding_is_learned_and_labels_alone_do_not_learn_it():
    alone, both = (way().errors[loss] for loss in ("labels", "reconstruction"))
    assert both[-1] < 0.5 < 5 < alone[-1]
    digits = torch.stack([torch.stack(rebuilt.rebuild(rebuilt.BOTH, 250, digit)) for digit in range(10)])
    error = ((digits[:, 0] - digits[:, 1]).square().sum(1) / digits[:, 0].square().sum(1)).mean().item()
    assert error == pytest.approx(both[-1], abs=0.1)  # ten digits against a hundred
    assert way().accuracies["labels"][-1] > 0.6


def test_the_curve_of_errors_is_stored_and_the_dot_lies_on_it():
    for loss, key in rebuilt.LOSSES.items():
        for step in rebuilt.STEPS:
            panel = rebuilt.rebuilt_frame(loss, 0.0, step).panels[1]
            place = rebuilt.STEPS.index(step)
            assert named(panel, "now")["x"].tolist() == [place]
            assert named(panel, "now")["y"][0] == named(panel, loss)["y"][place]
            assert 10 ** named(panel, loss)["y"][place] == pytest.approx(way().errors[key][place])


@pytest.mark.parametrize("data", gains.DATA)
def test_means_and_intervals_are_those_of_the_splits(data):
    file, name = gains.DATA[data]
    runs = {
        (r["loss"], r["labels"]): r["accuracy"]
        for r in few_labels.contents(file)["runs"]
        if r["data"] == name and r["unit"] == "relu"
    }
    left, right = gains.few_labels_frame(data).panels
    for number, loss in enumerate(few_labels.LOSSES):
        means = [100 * np.mean(runs[loss, count]) for count in gains.COUNTS]
        np.testing.assert_allclose(named(left, gains.NAMES[loss])["y"], means, atol=1e-3)
        if number:
            more = [100 * np.subtract(runs[loss, count], runs["labels", count]) for count in gains.COUNTS]
            np.testing.assert_allclose(named(right, gains.NAMES[loss])["y"], np.mean(more, 1), atol=1e-3)
            half = 2.262157 * np.std(more, 1, ddof=1) / 10**0.5  # Student's t of nine degrees of freedom
            strokes = named(right, f"{gains.NAMES[loss]}, 95 % interval")["y"].reshape(-1, 3)
            np.testing.assert_allclose((strokes[:, 1] - strokes[:, 0]) / 2, half, atol=1e-3)


@pytest.mark.claim("I2")
def test_the_book_s_bar_for_digits_holds():
    """Five labels a class: rebuilding gains at least two points, at three scales three, and intervals leave 0 out."""
    found = gains.gains("digits")
    five = gains.COUNTS.index(5)
    for loss, least in (("reconstruction", 0.02), ("multiscale", 0.03)):
        assert found[loss][five].mean >= least
        assert found[loss][five].low > 0
