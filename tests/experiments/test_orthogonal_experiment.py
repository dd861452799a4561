"""The experiment on orthogonal filters: a killed run ends like an undisturbed one, and its statistics are paired."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch
from scipy.stats import t as student

from betavq.orthogonal import coherence
from experiments.orthogonal_filters.__main__ import Plan, carry_out, plan
from experiments.orthogonal_filters.runs import OrthogonalBench, Run
from experiments.orthogonal_filters.summary import best_rates, best_strength, summary
from experiments.shared import small_cnn
from experiments.shared.results import write
from experiments.shared.small_cnn import CONVOLUTIONS, Recipe
from experiments.shared.trainings import parts

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = Recipe(filters=(4, 5, 6), epochs=3, batch=20, most_images=50)
SMALL = Plan(TINY, rates=(0.1,), seeds=(0, 1))
RUNS, KILLED_AFTER = 2 * 5 + 2 * 6, 11  # those to choose by, then those to compare
RUN = Run("swish", "orthogonal", 0.0, 0.1, 7, "test")
# A small experiment of its own process and two more, which may be killed.
PROGRAM = """
import sys
from pathlib import Path
from experiments.shared.images import load
from experiments.orthogonal_filters.__main__ import Plan, carry_out
from experiments.shared.small_cnn import Recipe
small = Plan(Recipe(filters=(4, 5, 6), epochs=3, batch=20, most_images=50), rates=(0.1,), seeds=(0, 1))
carry_out(None, load(None), small, Path(sys.argv[1]), 2)
"""


@pytest.mark.parametrize("constraint", [("none", 0.0), ("penalty", 0.1), ("orthogonal", 0.0)])
def test_a_stopped_run_goes_on_to_the_same_result(digits, tmp_path, stop_after, constraint):
    run = replace(RUN, constraint=constraint[0], strength=constraint[1])
    undisturbed = OrthogonalBench(digits, TINY, tmp_path / "whole").run(run)
    for _ in range(2):
        stop_after(1, OrthogonalBench(digits, TINY, tmp_path / "stopped").run, run)
    resumed = OrthogonalBench(digits, TINY, tmp_path / "stopped").run(run)
    assert resumed == undisturbed
    assert len(resumed["losses"]) == TINY.epochs
    other = OrthogonalBench(digits, TINY, tmp_path / "other").run(replace(run, seed=8))
    assert other["losses"] != undisturbed["losses"]


def test_an_epoch_that_is_done_is_not_done_again(digits, tmp_path, stop_after, monkeypatch):
    stop_after(2, OrthogonalBench(digits, TINY, tmp_path).run, RUN)
    epochs, keep = [], small_cnn.keep
    monkeypatch.setattr(
        small_cnn, "keep", lambda path, *args, **state: (epochs.append(path), keep(path, *args, **state))
    )
    bench = OrthogonalBench(digits, TINY, tmp_path)
    first = bench.run(RUN)
    assert len(epochs) == 1
    assert bench.run(RUN) == first
    assert len(epochs) == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".done"]


def test_what_is_kept_of_other_conditions_or_damaged_is_not_used(digits, tmp_path, capsys, stop_after):
    expected = OrthogonalBench(digits, TINY, tmp_path / "whole").run(RUN)
    stop_after(1, OrthogonalBench(digits, replace(TINY, momentum=0.5), tmp_path / "kept").run, RUN)
    assert OrthogonalBench(digits, TINY, tmp_path / "kept").run(RUN) == expected
    (done,) = (tmp_path / "kept").glob("*.done")
    for damaged in (done, done.with_suffix(".pt")):
        done.write_bytes(done.read_bytes()[:-30])
        damaged.write_text("damaged", encoding="utf-8")
        assert OrthogonalBench(digits, TINY, tmp_path / "kept").run(RUN) == expected
        assert f"{damaged} cannot be read: it is made anew" in capsys.readouterr().out


def test_a_killed_experiment_gives_the_same_file_as_an_undisturbed_one(digits, tmp_path, kill):
    work = tmp_path / "work"
    write(carry_out(None, digits, SMALL, tmp_path / "whole", 1), tmp_path / "whole.json")
    kill(PROGRAM, work, KILLED_AFTER)
    done = {path: path.stat().st_mtime_ns for path in work.glob("*.done")}
    assert len(done) < RUNS
    write(carry_out(None, digits, SMALL, work, 1), tmp_path / "killed.json")
    assert (tmp_path / "killed.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert all(path.stat().st_mtime_ns == time_ for path, time_ in done.items())


def test_result_file(digits, tmp_path):
    small = Plan(replace(TINY, epochs=1), rates=(0.05, 0.1), seeds=(3, 4))
    found = carry_out(None, digits, small, tmp_path, 1)
    json.dumps(found, allow_nan=False)
    assert len(found["selection"]) == 2 * 5 * 2
    assert {run["judged_on"] for run in found["selection"]} == {"held_out"}
    assert {run["seed"] for run in found["selection"]} == {100}
    assert [(run["seed"], run["judged_on"]) for run in found["runs"]] == [(3, "test")] * 6 + [(4, "test")] * 6
    for run in found["runs"]:
        chosen = {key: run[key] for key in ("activation", "constraint", "strength", "rate")}
        assert chosen in found["chosen"]
        if run["constraint"] == "orthogonal":
            assert max(run["coherence"]) < 1e-5
    assert found["settings"]["data_sha256"] == digits.sha256
    assert set(found["settings"]) >= {"versions", "hardware", "rates", "seeds", "settings", "epochs", "weight_decay"}
    shapes = {torch.tensor(entry["filters"]).shape for entry in found["filters_of_first_seed"]}
    assert shapes == {(4, 5, 5, 1)}


def test_networks_of_a_seed_start_alike(digits, tmp_path):
    build = OrthogonalBench(digits, TINY, tmp_path).build
    free, penalised, orthogonal = (
        build(replace(RUN, constraint=constraint)) for constraint in ("none", "penalty", "orthogonal")
    )
    for one, other in zip(free.parameters(), penalised.parameters(), strict=True):
        assert torch.equal(one, other)
    for name in CONVOLUTIONS:
        kept, made = (net.get_submodule(name).weight.flatten(1) for net in (free, orthogonal))
        torch.testing.assert_close(made.norm(dim=1), kept.norm(dim=1))
        torch.testing.assert_close(made[0], kept[0])
        assert coherence(orthogonal.get_submodule(name)).item() < 1e-6
    assert torch.equal(free.get_submodule("output").weight, orthogonal.get_submodule("output").weight)
    assert not torch.equal(free.get_submodule("first").weight, build(replace(RUN, seed=8))[0].weight)


def test_images_held_out_are_not_learned_from(digits):
    rows = {
        part: {bytes(image) for image in images.pixels.numpy()}
        for part, images in zip(("learned", "held out"), parts(digits, 100)["held_out"], strict=True)
    }
    assert not rows["learned"] & rows["held out"]
    for most, learned in ((None, 1297), (100, 100)):
        split = parts(digits, most)
        assert len(split["held_out"][1]) == 259
        assert len(split["held_out"][0]) == (1038 if most is None else most)
        assert len(split["test"][0]) == learned
        assert split["test"][1] is digits.test
    again = parts(digits, 100)["held_out"][0]
    assert torch.equal(again.pixels, parts(digits, 100)["test"][0].pixels)


def test_a_penalty_that_diverges_is_reported_and_not_dropped(digits, tmp_path):
    run = replace(RUN, constraint="penalty", strength=1e9)
    found = OrthogonalBench(digits, TINY, tmp_path).run(run)
    assert found["losses"][-1] is None
    assert found["coherence"] == [None, None, None]
    json.dumps(found, allow_nan=False)
    free = [result(activation, "none", 0.9, seed=seed) for activation in ("relu", "swish") for seed in (0, 1)]
    compared = summary(free + [entry | found | asdict(_penalised(entry)) for entry in free])
    assert list(compared["coherence"]["relu"]) == ["none"]
    assert compared["accuracy"]["relu"]["penalty"]["mean"] == found["accuracy"]
    assert compared["minus_none"]["relu"]["penalty"]["mean"] == pytest.approx(found["accuracy"] - 0.9)


def _penalised(entry):
    return Run(entry["activation"], "penalty", 1e9, entry["rate"], entry["seed"], "test")


def test_the_plan_of_the_book(digits):
    chosen = plan(digits, 6)
    assert chosen.recipe.filters == (16, 64, 128)
    assert chosen.seeds == tuple(range(6))
    assert (Recipe().filters, Recipe().epochs) == ((32, 64, 128), 10)


def result(activation, constraint, accuracy, *, strength=0.0, rate=0.1, seed=0):
    run = Run(activation, constraint, strength, rate, seed, "test")
    return asdict(run) | {
        "accuracy": accuracy,
        "coherence": [0.5, 0.25],
        "mean_cosine": [0.1, 0.2],
        "losses": [1.0, 0.5],
    }


def test_what_does_best_is_chosen_and_ties_go_to_the_smallest():
    tried = [
        result("relu", "none", 0.7, rate=0.3),
        result("relu", "none", 0.7, rate=0.1),
        result("relu", "none", 0.6, rate=0.03),
        result("relu", "penalty", 0.8, strength=1.0, rate=0.03),
        result("relu", "penalty", 0.8, strength=0.1, rate=0.3),
        result("relu", "penalty", 0.75, strength=0.1, rate=0.1),
        result("swish", "penalty", 0.9, strength=0.01, rate=0.1),
    ]
    rates = best_rates(tried)
    assert rates["relu", "none", 0.0] == 0.1
    assert rates["relu", "penalty", 0.1] == 0.3
    assert best_strength(tried, "relu") == (0.1, 0.3)
    assert best_strength(tried, "swish") == (0.01, 0.1)


def test_differences_are_taken_within_a_seed():
    # Seeds differ by far more than the constraint does: only pairs show it.
    levels, gains = {0: 0.5, 1: 0.7, 2: 0.9}, {0: 0.01, 1: 0.02, 2: 0.03}
    runs = [
        result(activation, constraint, levels[seed] + gains[seed] * (constraint == "orthogonal") + shift, seed=seed)
        for seed in (2, 0, 1)
        for activation, shift in (("relu", 0.0), ("swish", -0.05))
        for constraint in ("none", "orthogonal")
    ]
    found = summary(runs)
    gain = found["minus_none"]["relu"]["orthogonal"]
    assert gain["mean"] == pytest.approx(0.02, abs=1e-6)
    assert gain["half_width"] == pytest.approx(student.ppf(0.975, 2) * 0.01 / 3**0.5, abs=1e-6)
    assert found["accuracy"]["relu"]["orthogonal"]["half_width"] > 10 * gain["half_width"]
    assert found["swish_minus_relu"]["none"] == {"mean": -0.05, "half_width": 0.0}
    assert found["coherence"]["swish"]["none"]["mean"] == [0.5, 0.25]
    assert found["last_loss"]["swish"]["none"] == {"mean": 0.5, "half_width": 0.0}
    assert found["orthogonal_minus_penalty"] == {}
    penalised = [
        result(unit, "penalty", levels[seed] + 0.01, seed=seed) for unit in ("relu", "swish") for seed in (0, 1, 2)
    ]
    more = summary(runs + penalised)["orthogonal_minus_penalty"]
    assert [more[unit]["mean"] for unit in ("relu", "swish")] == pytest.approx([0.01, -0.04], abs=1e-6)
    with pytest.raises(ValueError, match="must have the seeds"):
        summary(runs[:-1])
