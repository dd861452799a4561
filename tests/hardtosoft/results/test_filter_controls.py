"""The controls beside orthogonal filters: differences are those of the runs, choices those of the selection."""

from __future__ import annotations

import statistics

import pytest

from hardtosoft.results.filter_controls import NAMES, filter_controls


def test_differences_are_paired_and_turn_their_sign():
    found = filter_controls()
    kinds = found.kinds("relu")
    assert kinds[:2] == ["none", "orthogonal"]
    for kind in kinds[1:]:
        gains = [
            one["accuracy"] - other["accuracy"]
            for one, other in zip(found.of("relu", kind), found.of("relu", "none"), strict=True)
        ]
        assert float(found.minus("relu", kind, "none").mean) == pytest.approx(statistics.mean(gains), abs=1e-6)
        assert float(found.minus("relu", "none", kind).mean) == pytest.approx(-statistics.mean(gains), abs=1e-6)
    with pytest.raises(ValueError, match="kind and other must be two of none, orthogonal"):
        found.minus("relu", "none", "another")


def test_what_was_chosen_did_best_on_three_seeds():
    found = filter_controls()
    for kind in found.kinds("relu"):
        tried: dict[tuple[float, float], list[float]] = {}
        for run in found.selection:
            if (run["activation"], run["constraint"]) == ("relu", kind):
                tried.setdefault((run["strength"], run["rate"]), []).append(run["accuracy"])
        assert all(len(accuracies) == 3 for accuracies in tried.values())
        choice = found.choice("relu", kind)
        best = statistics.mean(tried[choice["strength"], choice["rate"]])
        assert best == pytest.approx(max(statistics.mean(each) for each in tried.values()))


def test_networks_fit_what_they_learn_from_and_orthogonal_ones_are_no_faster():
    """What the chapter says: the gain is there although all fit, and half the loss takes as many epochs."""
    found = filter_controls()
    assert set(found.kinds("relu")) <= set(NAMES)
    assert all(found.mean("relu", kind, "last_loss") < 0.1 for kind in found.kinds("relu"))
    assert found.minus("relu", "orthogonal", "none").low > 0.02
    assert abs(found.epochs_to("relu", "orthogonal", 0.5) - found.epochs_to("relu", "none", 0.5)) < 3


def test_neither_the_start_nor_lengths_learned_apart_gain_what_orthogonal_filters_gain():
    """What the chapter says of two controls: their gain holds 0, and orthogonal filters are ahead of both."""
    found = filter_controls()
    for kind in ("start", "weight_norm"):
        gain = found.minus("relu", kind, "none")
        assert gain.low < 0 < gain.high
        assert found.minus("relu", "orthogonal", kind).low > 0.01
