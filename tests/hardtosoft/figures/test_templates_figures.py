"""Templates along a way, neighbours by two distances, and the study of the penalty."""

import numpy as np
import pytest
import torch

import betavq
from experiments import template_penalty
from hardtosoft.figures.templates import neighbours, ways
from hardtosoft.results import template_study
from hardtosoft.results.networks import digits_model, digits_test_set, digits_training_set, load_digits_network

ROWS = ways.WAYS["3 to 8"]


def named(panel, name):
    (found,) = [trace for trace in panel.traces if trace["name"] == name]
    return found


def test_the_layers_are_the_books_network():
    images = digits_test_set()[0]
    torch.testing.assert_close(digits_model()(images).detach(), load_digits_network().logits(images, 1.0))


def test_the_ways_begin_and_end_at_digits_that_are_read_rightly():
    images, labels = digits_test_set()
    for name, rows in ways.WAYS.items():
        first, last = (int(labels[row]) for row in rows)
        assert name == f"{first} to {last}"
        assert digits_model()(images[list(rows)]).argmax(1).tolist() == [first, last]
        torch.testing.assert_close(ways.images_at(rows, (0.0, 1.0)), images[list(rows)])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_template_times_image_plus_bias_is_the_logit(share):
    (image,), (rows, biases) = ways.images_at(ROWS, (share,)), ways.templates_at(ROWS, share)
    logits = digits_model()(image[None])[0].detach()
    torch.testing.assert_close(rows @ image + biases, logits, rtol=0, atol=1e-12)
    frame = ways.templates_figure().frame(share=share)
    assert frame.readout.endswith(f"Read as {int(logits.argmax())}.")
    labels = digits_test_set()[1]
    for panel, digit in zip(frame.panels[1:3], (int(labels[row]) for row in ROWS), strict=True):
        expected = (0.5 + rows[digit].view(8, 8) / (2 * ways.REACH)).clamp(0, 1)
        np.testing.assert_allclose(named(panel, "template")["z"][::-1], expected, atol=1e-12)
        assert panel.title == f"Template of {digit}"
        assert panel.xlabel.endswith(f"= {logits[digit]:.1f}".replace("-", "−"))


def test_logits_are_straight_between_the_ticks_and_templates_stand_still():
    logits, changes = ways.along(ROWS)
    shares = np.array(ways.FINE)
    bends = np.abs(np.diff(logits.numpy(), n=2, axis=0)).max(1)
    near = np.abs(shares[1:-1, None] - changes.numpy()).min(1) < 0.004
    assert bends[~near].max() < 1e-9
    assert bends[near].max() > 1e-3
    inside = [share for share in np.linspace(0, 1, 41) if np.abs(share - changes.numpy()).min() > 1e-6]
    region = np.searchsorted(changes.numpy(), inside)
    for share, later, here, there in zip(inside, inside[1:], region, region[1:], strict=False):
        same = torch.allclose(ways.templates_at(ROWS, share)[0], ways.templates_at(ROWS, later)[0], atol=1e-9)
        assert same == (here == there)


def test_ticks_stand_at_the_borders():
    frame = ways.templates_figure().frame()
    ticks = named(frame.panels[3], "borders of regions")["x"]
    found = ticks[np.isfinite(ticks)][::2]
    np.testing.assert_allclose(found, ways.along(ROWS)[1])


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [(0, 500, "whole numbers from 0 to 499"), (3.0, 1, "whole numbers"), (7, 7, "two different ones, got 7 twice")],
)
def test_rows_that_there_are_not_are_refused(first, last, message):
    with pytest.raises(ValueError, match=message):
        ways.your_way_figure(first, last)


def test_the_pixels_neighbours_are_the_nearest_images():
    images, known = digits_test_set()[0], digits_training_set()[0]
    for digit in (3, 5):
        row = int((digits_test_set()[1] == digit).nonzero()[0])
        nearest = (known - images[row]).square().sum(1).argsort()[:5]
        panel = neighbours.neighbours_frame(float(digit)).panels[0]
        shown = named(panel, "digits")["z"][::-1]
        for place, image in enumerate([images[row], *known[nearest]]):
            left, top = 2 + place % 3 * 10, 2 + place // 3 * 10
            np.testing.assert_allclose(shown[top : top + 8, left : left + 8], image.view(8, 8))


def test_accuracies_count_ties_by_their_share():
    distance = neighbours.distances()["VQ, layer 1"]
    labels, known = digits_test_set()[1], digits_training_set()[1]
    by_hand, tied = 0.0, 0
    for row, label in zip(distance, labels, strict=True):
        near = known[row == row.min()]
        by_hand += (near == label).double().mean().item()
        tied += len(near) > 1
    right, share = neighbours.nearest_accuracy(distance)
    assert right == pytest.approx(by_hand / len(labels))
    assert share == pytest.approx(tied / len(labels))


def test_pixels_find_the_class_more_often_and_yet_the_distance_knows_of_it():
    """What the chapter says of the two."""
    pixels, vq = (
        neighbours.nearest_accuracy(neighbours.distances()[name])[0] for name in ("pixels", "VQ, mean of both")
    )
    assert 0.5 < vq < pixels - 0.1
    distance = neighbours.distances()["VQ, mean of both"]
    same = digits_test_set()[1][:, None] == digits_training_set()[1]
    assert distance[same].mean() < distance[~same].mean() - 0.03


def test_the_soft_distance_is_that_of_codes_and_hard_at_one():
    images, known = digits_test_set()[0][:3], digits_training_set()[0][:4]
    model, total = digits_model(), torch.zeros(3, 4, dtype=torch.float64)
    first, second = model[0](images), model[0](known)
    for _ in (1, 2):
        codes = [betavq.code(torch.stack((torch.zeros_like(u), u), -1), 0.5)[..., 1].detach() for u in (first, second)]
        total += (codes[0][:, None] - codes[1]).abs().sum(-1)
        first, second = model[2](first.relu()), model[2](second.relu())
    torch.testing.assert_close(neighbours.soft_distance(0.5)[:3, :4], total / 64)
    torch.testing.assert_close(neighbours.soft_distance(1.0), neighbours.distances()["VQ, mean of both"])


def test_beta_is_chosen_without_the_test_digits_and_closes_the_gap():
    """What the chapter says: chosen on training digits, it stands within chance of pixels."""
    beta = neighbours.chosen_beta()
    assert 0.3 <= beta <= 0.8
    soft, hard = (neighbours.nearest_accuracy(neighbours.soft_distance(at))[0] for at in (beta, 1.0))
    assert soft >= 0.97
    assert hard < 0.82
    assert neighbours.right_without_itself(beta) > neighbours.right_without_itself(1.0) + 0.15
    labels = digits_training_set()[1]
    codes = neighbours.soft_codes(beta)[1]
    distance = torch.cdist(codes[:50], codes, p=1)
    distance[range(50), range(50)] = torch.inf
    nearest = labels[distance.argmin(1)] == labels[:50]
    assert nearest.double().mean() > 0.9


@pytest.mark.claim("S2")
def test_the_study_says_what_the_chapter_says():
    """Penalties make templates orthogonal; every difference of accuracy holds 0."""
    none, *others = template_study.penalised()
    assert (none.where, none.strength) == ("none", 0.0)
    full = [each for each in others if each.where == template_penalty.FULL]
    assert len(full) == 4
    assert all(each.cosine.high < 0.05 < none.cosine.low for each in full)
    assert all(each.accuracy_minus_none.low < 0 < each.accuracy_minus_none.high for each in others)
    near = template_study.neighbour_accuracy()
    assert near["VQ, mean of both"].high < near["last hidden values"].low
    assert template_study.settings()["seeds"] == list(template_penalty.SEEDS)


def test_the_experiment_measures_what_it_says(monkeypatch):
    monkeypatch.setattr(template_penalty, "STEPS", 3)
    with torch.random.fork_rng():
        train_set, test = template_penalty.split(0)
        plain = template_penalty.train(train_set, lambda *_: 0.0, 0)
        pressed = template_penalty.train(train_set, template_penalty.penalty(template_penalty.LAST, 1.0), 0)
    assert [len(part[1]) for part in (train_set, test)] == [200, 1000]
    assert template_penalty.measure(pressed, test)["cosine"] < template_penalty.measure(plain, test)["cosine"]
    linear = torch.nn.Sequential(torch.nn.Linear(64, 2, bias=False)).double().eval()
    linear[0].weight.data = torch.stack([torch.ones(64), torch.ones(64)]).double()
    assert template_penalty.alikeness(linear, test[0][:5]) == pytest.approx(1.0)
    distances, known = torch.tensor([[1.0, 1.0, 2.0], [3.0, 0.5, 2.0]]), torch.tensor([0, 1, 1])
    assert template_penalty.nearest(distances, known, torch.tensor([0, 1])) == 0.75
