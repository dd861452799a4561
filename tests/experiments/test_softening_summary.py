"""What the experiment on softened networks makes of logits: measures, paired intervals, choices by validation."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.softening.summary import Draws, Judged, best, chosen, curve, difference


def judged(logits, labels, part="test", **more):
    return Judged([{f"logits {part}": np.asarray(one), **more} for one in logits], np.asarray(labels), part)


def random_networks(shift, images=400, networks=3):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, images)
    found = generator.normal(size=(networks, images, 3)) + shift * np.eye(3)[labels]
    return found, labels


def test_measures_by_hand():
    logits = np.log([[[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]]])
    found = judged(logits, [0, 1, 2])
    assert found.level("accuracy") == pytest.approx(1 / 3)
    assert found.level("nll") == pytest.approx(-np.log([0.7, 0.3, 0.25]).mean())
    assert found.level("confidence") == pytest.approx((0.7 + 0.4 + 0.5) / 3)
    flags = judged(logits, [0, 1, 2], **{"noise 0.1 test": np.array([True, False])})
    assert flags.level("noise 0.1") == 0.5


def test_intervals_of_paired_differences():
    hard, labels = random_networks(1.0)
    soft = hard + np.random.default_rng(1).normal(size=hard.shape) * 0.3
    draws = Draws()
    for measure in ("accuracy", "nll", "ece", "adaptive_ece"):
        nothing = difference(judged(hard, labels), judged(hard, labels), measure, draws)
        assert nothing == {"difference": 0, "low": 0, "high": 0}
        found = difference(judged(soft, labels), judged(hard, labels), measure, draws)
        assert found["low"] < found["high"]
    one, other = judged(soft[:1], labels), judged(hard[:1], labels)
    gaps = (one.images("nll") - other.images("nll"))[0]
    found = difference(one, other, "nll", draws)
    assert found["difference"] == pytest.approx(gaps.mean(), abs=1e-5)
    half = (found["high"] - found["low"]) / 2
    assert half == pytest.approx(1.96 * gaps.std() / len(gaps) ** 0.5, rel=0.1)
    apart = (one.images("nll").var() + other.images("nll").var()) ** 0.5 / len(gaps) ** 0.5
    assert half < 1.96 * apart / 2  # pairs tell more


def test_networks_that_differ_widen_the_interval():
    hard, labels = random_networks(1.0)
    soft = hard + np.array([0.0, 1.0, 2.0])[:, None, None] * np.eye(3)[labels]
    together = difference(judged(soft, labels), judged(hard, labels), "nll", Draws())
    alone = difference(judged(soft[1:2], labels), judged(hard[1:2], labels), "nll", Draws())
    assert together["high"] - together["low"] > 2 * (alone["high"] - alone["low"])


def test_the_choice_is_made_by_validation_images_alone():
    networks = {beta: random_networks(shift) for beta, shift in ((0.5, 0.2), (0.9, 1.5), (1.0, 1.0))}
    validation = {beta: judged(*found, part="validation") for beta, found in networks.items()}
    hostile = {beta: judged(-found, labels) for beta, (found, labels) in networks.items()}
    found = chosen(
        validation,
        hostile,
        hostile[1.0],
        {"accuracy": "accuracy", "nll": "nll"},
        lambda _: ["accuracy", "nll"],
        Draws(),
    )
    assert {criterion: entry["beta"] for criterion, entry in found.items()} == {"accuracy": 0.9, "nll": 0.9}
    assert found["accuracy"]["soft"]["accuracy"]["difference"] < 0
    assert found["accuracy"]["hard"]["accuracy"] == pytest.approx(hostile[1.0].level("accuracy"), abs=1e-5)


def test_ties_go_to_the_hardest():
    found, labels = random_networks(1.0)
    same = {beta: judged(found, labels) for beta in (0.2, 0.7, 0.9)}
    assert best(same, "accuracy", largest=True) == 0.9
    assert best(same, "nll", largest=False) == 0.9


def test_curves_start_from_the_hard_network():
    networks = {beta: judged(*random_networks(shift)) for beta, shift in ((0.5, 0.2), (1.0, 1.0))}
    found = curve(networks, networks[1.0], ["accuracy"], Draws())
    level = networks[0.5].level("accuracy")
    assert found["accuracy"]["level"][0] == pytest.approx(level, abs=1e-5)
    gap = level - networks[1.0].level("accuracy")
    assert found["accuracy"]["low"][0] < gap < found["accuracy"]["high"][0]
