"""Few labels: networks side by side are the networks alone, splits keep apart, and losses are those of the library."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

from betavq.papers.inversion import reconstruct, reconstruction_loss
from experiments.inversion import __main__ as program
from experiments.inversion.few_labels import LOSSES, learn, run, split, without_labels
from experiments.inversion.stacks import UNITS, beside, by_network, relative_errors, scales, stack
from experiments.inversion.tasks import images, series, small, two_digits
from experiments.inversion.way import AT, on_the_way
from experiments.inversion.without import without_labels as by_error_alone
from experiments.shared.images import DataSet, Images

pytestmark = pytest.mark.usefixtures("one_thread")


def batch(count, *shape, seed=0):
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 12, 12), (1, 64)])
@pytest.mark.parametrize("unit", UNITS)
def test_networks_side_by_side_are_the_networks_alone(shape, unit):
    inputs = batch(3, 5, *shape)
    together = by_network(stack([4, 5, 6], shape, 3, unit)(beside(inputs)), 3)
    for place, seed in enumerate((4, 5, 6)):
        alone = stack([seed], shape, 3, unit)
        torch.testing.assert_close(together[:, place], alone(inputs[place]), rtol=1e-4, atol=1e-5)


def test_errors_of_a_network_are_those_of_the_library():
    inputs = batch(2, 5, 1, 8, 8)
    x = beside(inputs).requires_grad_()
    found = scales(stack([4, 5], (1, 8, 8), 3), x)
    errors = torch.stack([relative_errors(x, each, 2, create_graph=False) for each in found])
    for place, seed in enumerate((4, 5)):
        alone = stack([seed], (1, 8, 8), 3)
        names = [name for name, layer in alone.named_modules() if isinstance(layer, torch.nn.AvgPool2d)]
        torch.testing.assert_close(errors[2, place], reconstruction_loss(alone, inputs[place]).detach())
        mean = reconstruction_loss(alone, inputs[place], layers=names).detach()
        torch.testing.assert_close(errors[:, place].mean(), mean, rtol=1e-4, atol=1e-6)


def test_losses_without_labels(digits):
    data = split(images(digits), [1, 2], 1)
    network, x = stack([1, 2], (1, 8, 8), 10), beside(data.free[:, :6])
    values = {loss: without_labels(network, x.clone(), loss, 2) for loss in LOSSES[1:]}
    shares = by_network(network(x), 2).softmax(2)
    entropy = -(shares * shares.log()).sum(2).mean(0)
    torch.testing.assert_close(values["with entropy"], (values["reconstruction"] + entropy) / 2)
    assert (values["multiscale"] != values["reconstruction"]).all()


def test_a_split_keeps_test_and_labels_apart_and_is_that_of_its_seed(digits):
    task = images(digits)
    one, two = split(task, [7, 8], 2), split(task, [8], 2)
    assert one.test.shape[0] == 449
    assert one.free.shape[:2] == (2, 1348)
    assert one.classes.T.tolist() == [[c for c in range(10) for _ in range(2)]] * 2
    torch.testing.assert_close(by_network(one.test, 2)[:, 1], two.test)
    free, known, test = (
        {tuple(row) for row in part.flatten(1).tolist()} for part in (two.free[0], two.labelled, two.test)
    )
    assert known <= free
    assert not known & test
    assert two.free.mean(1).abs().max() < 1e-5
    assert two.free.std().item() == pytest.approx(1)


def test_tasks(digits):
    two = two_digits(images(digits))
    assert two.num_classes == 2
    assert two.name == "3 and 8 alone"
    found = series()
    assert found.inputs.shape == (1200, 1, 64)
    assert found.classes.bincount().tolist() == [400, 400, 400]
    assert found.inputs[:, 0, 16:20].mean() > 5 * found.inputs[:, 0, :8].mean().abs()
    pixels = torch.zeros(3, 28, 28, 1, dtype=torch.uint8)
    pixels[:, 2:6, 2:6] = 255
    part = Images(pixels, torch.arange(3))
    at_8 = small(images(DataSet("m", part, part, 3, "")))
    assert at_8.name == "m, 8 × 8"
    assert at_8.inputs[0, 0, 1, 1] == 1  # a border of 2, then blocks of 4
    assert at_8.inputs.sum() == 6


def test_a_run_learns_and_is_the_same_again(digits):
    task = images(digits)
    found = run(task, [1, 2], "relu", "multiscale", 5, steps=30)
    again = run(task, [1, 2], "relu", "multiscale", 5, steps=30)
    assert {**found, "cpu_seconds": 0} == {**again, "cpu_seconds": 0}
    alone = run(task, [1, 2], "relu", "labels", 5, steps=30)
    assert min(found["accuracy"]) > 0.3
    assert max(found["error"]) < min(alone["error"])


def test_labels_are_not_read_without_them(digits):
    data = split(images(digits), [3], 1)
    networks = [stack([3], (1, 8, 8), 10) for _ in range(2)]
    for network, classes in zip(networks, (data.classes, data.classes.flip(0)), strict=True):
        learn(
            network,
            data.__class__(data.test, data.test_classes, data.free, data.labelled, classes),
            "reconstruction alone",
            [3],
            4,
        )
    assert all(torch.equal(a, b) for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True))


def test_the_stored_way_is_that_of_its_weights(digits, monkeypatch):
    monkeypatch.setitem(learn.__globals__, "STEPS", AT[-1])  # of the module that it came from
    task = images(digits)
    entry = on_the_way(task, 5, 5)
    last = entry["reconstruction"][-1]
    network = stack([5], (1, 8, 8), 10)
    with torch.no_grad():
        for own, numbers in zip(network.parameters(), last["weights"], strict=True):
            own.copy_(torch.tensor(numbers).view_as(own) / 1000)
    data = split(task, [5], 5)
    accuracy = (network(data.test).argmax(1) == data.test_classes[:, 0]).double().mean().item()
    assert last["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    first = data.test[:100]
    errors = (first - reconstruct(network, first)).flatten(1).square().sum(1) / first.flatten(1).square().sum(1)
    assert last["error"] == pytest.approx(errors.mean().item(), rel=1e-3)
    assert [task.classes[row].item() for row in entry["rows"]] == list(range(10))


def test_it_goes_on_from_its_file(tmp_path, monkeypatch, capsys):
    made = []

    def counted(task, seeds, unit, loss, labels):
        made.append((task.name, unit, loss, labels))
        numbers = [0.5 + 0.1 * (loss != "labels") + 0.01 * seed for seed in range(len(seeds))]
        setting = {"data": task.name, "unit": unit, "loss": loss, "labels": labels}
        return setting | {"accuracy": numbers, "error": numbers, "cpu_seconds": 1.0}

    path = tmp_path / "greys.npz"
    grey = {"x_train": np.zeros((20, 8, 8, 1), np.uint8), "y_train": np.arange(20) % 2}
    np.savez(path, **grey, x_test=grey["x_train"], y_test=grey["y_train"])
    out = tmp_path / "found.json"
    monkeypatch.setattr(program, "run", counted)
    monkeypatch.setattr(sys, "argv", ["", "--data", str(path), "--out", str(out)])
    program.main()
    first = len(made)
    assert first == 4 * 4 + 3 - 3  # at 8 × 8 the images as they are, and small, are one
    program.main()
    assert len(made) == first
    found = json.loads(out.read_text())
    assert len(found["gains"]) == 4 * 3
    assert {entry["accuracy"]["mean"] for entry in found["gains"]} == {0.1}
    capsys.readouterr()


def test_reconstruction_alone_is_compared_with_the_best_linear_map(digits):
    task = images(digits)
    found = by_error_alone(task, [1])
    assert {len(values) for values in found.values()} == {1}
    assert found["error_pca"][0] == pytest.approx(0.27, abs=0.03)
    assert found["error"][0] < found["error_pca"][0]
