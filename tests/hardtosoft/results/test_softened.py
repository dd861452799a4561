"""What was measured of softened networks, and the stored one: as stored, and as the library computes it now."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import betavq
from hardtosoft.figures.softening_networks import digits
from hardtosoft.results.softened import Softened, load_digits_cnn, load_softened

FILES = ("digits", "images", "published")
every_file = pytest.mark.parametrize("which", FILES)


@every_file
def test_files_hold_what_the_figures_read(which):
    found = load_softened(which)
    for smoothing, statistics in (
        ("value", "kept"),
        ("value", "renewed"),
        ("free_energy", "kept"),
        ("curvature_tuning", "kept"),
    ):
        for name in ("accuracy", "nll", "confidence", "ece", "adaptive_ece"):
            measure = found.measure(name, smoothing, statistics)
            assert measure.beta[-1] == 1
            assert bool((np.diff(measure.beta) > 0).all())
            assert bool((measure.low <= measure.high).all())
            assert measure.at(1.0) == measure.level[-1]
    hard = {found.measure("accuracy", one).level[-1] for one in ("value", "free_energy", "curvature_tuning")}
    assert len(hard) == 1
    assert hard.pop() == pytest.approx(np.mean(found.settings["accuracies_of_hard_networks"]), abs=1e-4)
    assert bool((found.measure("accuracy").beta == load_softened("digits").measure("accuracy").beta).all())


@every_file
def test_diagrams_sum_up_to_accuracy_confidence_and_error(which):
    found = load_softened(which)
    for beta in found.measure("accuracy").beta.tolist():
        share, sure, right = found.diagram(beta)
        assert share.sum() == pytest.approx(1, abs=1e-3)
        assert share @ right == pytest.approx(found.measure("accuracy").at(beta), abs=1e-3)
        assert share @ sure == pytest.approx(found.measure("confidence").at(beta), abs=1e-3)
        # Of all networks together; the curve is the mean of theirs, which is at least as large.
        assert share @ abs(right - sure) <= found.measure("ece").at(beta) + 1e-3


@every_file
def test_choices_are_told_from_the_hard_network(which):
    found = load_softened(which)
    for criterion in ("accuracy", "nll", "ece", "noise", "attack"):
        choice, measure = found.chosen(criterion), found.judged_by(criterion)
        assert choice.hard[measure] == pytest.approx(found.measure(measure).level[-1], abs=2e-5)
        level = found.measure(measure).at(choice.beta)
        assert choice.hard[measure] + choice.difference[measure] == pytest.approx(level, abs=3e-5)
        assert choice.low[measure] <= choice.difference[measure] <= choice.high[measure]
    told = found.chosen("nll").row("nll", 1, 3)
    assert told.startswith(f"{found.measure('nll').level[-1]:.3f} ")


def test_unknown_names_are_told_what_there_is():
    found = load_softened("digits")
    with pytest.raises(ValueError, match=r"name must be one of accuracy, .*, got 'speed'"):
        found.measure("speed")
    with pytest.raises(ValueError, match=r"smoothing and statistics must be one of value, kept; .*got gelu, kept"):
        found.measure("accuracy", "gelu")


def test_a_curve_is_read_between_its_points():
    curves = {"beta": [0.0, 0.9, 1.0], "accuracy": {"level": [0.1, 0.5, 0.9], "low": [-0.1] * 3, "high": [0.1] * 3}}
    entry = {"smoothing": "value", "statistics": "kept", "curves": curves, "under_attack": {"beta": []}, "chosen": {}}
    measure = Softened({"settings": {}, "results": [entry]}).measure("accuracy")
    assert measure.at(0.45) == pytest.approx(0.3)
    assert (measure.low[0], measure.high[0]) == (pytest.approx(0.8), pytest.approx(1.0))


def test_the_stored_network_does_what_was_measured():
    net, found = load_digits_cnn(), load_softened("digits")
    assert not net.training
    pixels, labels = digits.images()
    right = [(digits.probabilities(net, pixels).argmax(1) == labels).double().mean().item()]
    assert right[0] == pytest.approx(found.settings["accuracies_of_hard_networks"][0], abs=2 / 500)
    assert [type(layer).__name__ for layer in net][1:5] == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"]
    report = betavq.report(betavq.soften(net, 0.9))
    assert len(report.replaced) == sum(isinstance(layer, nn.ReLU | nn.MaxPool2d) for layer in net) == 5
    assert not report.left_alone
    assert torch.isfinite(net(pixels)).all()
