"""The experiment on learned β: a stopped run ends like an undisturbed one, and pairs differ in β alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from scipy.stats import t as student
from torch import nn

from betavq.nn import BetaReLU
from experiments.learned_beta.__main__ import OTHER_STARTS, RATES, SETTINGS, Plan, carry_out, plan
from experiments.learned_beta.runs import LearnedBench, Run, hardness
from experiments.learned_beta.summary import SOFT, path, summary
from experiments.shared.results import DATA, write
from experiments.shared.small_cnn import Recipe
from experiments.shared.training import LARGEST_BETA, keep_below_one, parameter_groups

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = Recipe(filters=(3, 4, 5), epochs=2, batch=20, most_images=40)
SMALL = Plan(TINY, rate=0.3, relu_rate=0.1, seeds=(0, 1))
RUN = Run("channel", 0.5, "attached", 0.3, 7)
RUNS, KILLED_AFTER = 2 * len(SETTINGS) + len(OTHER_STARTS), 6
PROGRAM = """
import sys
from pathlib import Path
from experiments.shared.images import load
from experiments.learned_beta.__main__ import Plan, carry_out
from experiments.shared.small_cnn import Recipe
small = Plan(Recipe(filters=(3, 4, 5), epochs=2, batch=20, most_images=40), rate=0.3, relu_rate=0.1, seeds=(0, 1))
carry_out(None, load(None), small, Path(sys.argv[1]), 1)
"""


@pytest.fixture(scope="module")
def whole(digits, tmp_path_factory):
    """An undisturbed small experiment: its contents, and its file."""
    folder = tmp_path_factory.mktemp("whole")
    threads = torch.get_num_threads()
    contents = carry_out(None, digits, SMALL, folder / "work", 1)
    torch.set_num_threads(threads)
    write(contents, folder / "out.json")
    return contents, folder / "out.json"


@pytest.mark.parametrize("learned", ["fixed", "shared", "channel"])
def test_a_stopped_run_goes_on_to_the_same_result(digits, tmp_path, stop_after, learned):
    run = replace(RUN, learned=learned, code="detached")
    undisturbed = LearnedBench(digits, TINY, tmp_path / "whole").run(run)
    stop_after(1, LearnedBench(digits, TINY, tmp_path / "stopped").run, run)
    assert LearnedBench(digits, TINY, tmp_path / "stopped").run(run) == undisturbed
    assert len(undisturbed["beta"]) == TINY.epochs + 1


def test_a_killed_experiment_gives_the_same_file_as_an_undisturbed_one(digits, whole, tmp_path, kill):
    work, out = tmp_path / "work", tmp_path / "killed.json"
    kill(PROGRAM, work, KILLED_AFTER)
    assert len(list(work.glob("*.done"))) < RUNS
    write(carry_out(None, digits, SMALL, work, 1), out)
    assert out.read_bytes() == whole[1].read_bytes()


def test_result_file(digits, whole):
    found = json.loads(whole[1].read_text(encoding="utf-8"))
    assert [(run["seed"], run["rate"]) for run in found["runs"]] == [
        (seed, 0.1 if start == 1 else 0.3) for seed in (0, 1) for _, start, _ in SETTINGS
    ]
    for run in found["runs"] + found["starts"]:
        assert ("beta" in run) == (run["learned"] != "fixed")
        assert ("beta_by_epoch" in run) == (run["learned"] != "fixed" and run["seed"] == 0)
        assert ("scales" in run) == (run["start"] < 1 and run["seed"] == 0)
        if run["learned"] != "fixed":
            counts = (1, 1, 1) if run["learned"] == "shared" else TINY.filters
            assert tuple(len(layer) for layer in run["beta"]) == counts
            assert all(0 <= beta <= LARGEST_BETA for layer in run["beta"] for beta in layer)
        if "scales" in run:
            assert tuple(len(layer) for layer in run["scales"]) == TINY.filters
        if "beta_by_epoch" in run:
            assert run["beta_by_epoch"][-1] == run["beta"]
            assert all(beta == run["start"] for layer in run["beta_by_epoch"][0] for beta in layer)
    assert {(run["learned"], run["start"]) for run in found["starts"]} == {(a, b) for a, b, _ in OTHER_STARTS}
    assert found["settings"]["data_sha256"] == digits.sha256
    assert set(found["settings"]) >= {"versions", "hardware", "rate", "relu_rate", "seeds", "settings", "epochs"}


def test_networks_of_a_seed_start_alike_and_differ_in_beta(digits, tmp_path):
    build = LearnedBench(digits, TINY, tmp_path).build
    networks = [build(replace(RUN, learned=learned)) for learned in ("fixed", "shared", "channel")]
    for name, parameter in networks[0].named_parameters():
        assert all(torch.equal(parameter, other.get_parameter(name)) for other in networks)
    shapes = [[layer.beta.shape for layer in net if isinstance(layer, BetaReLU)] for net in networks]
    assert [[shape.numel() for shape in one] for one in shapes] == [[1, 1, 1], [1, 1, 1], list(TINY.filters)]
    assert [len(shape) for one in shapes for shape in one] == [0] * 6 + [1] * 3
    assert all(layer.detach_code for layer in build(replace(RUN, code="detached"))[2::4])
    assert hardness(networks[1]) == [[0.5]] * 3


def test_beta_has_no_weight_decay_and_stays_below_one():
    network = nn.Sequential(nn.Linear(2, 3), BetaReLU(0.5, learnable=True), nn.Linear(3, 1))
    decayed, free = parameter_groups(network, 0.1)
    assert [parameter.shape for parameter in decayed["params"]] == [(3, 2), (3,), (1, 3), (1,)]
    assert free["params"] == [network[1].beta]
    assert "weight_decay" not in free
    assert len(parameter_groups(nn.Linear(1, 1), 0.1)) == 1
    for left, put_back in ((1.3, LARGEST_BETA), (-0.2, 0.0), (0.7, 0.7)):
        with torch.no_grad():
            network[1].beta.fill_(left)
        keep_below_one(network)
        assert network[1].beta.item() == pytest.approx(put_back)


@pytest.mark.parametrize(("part", "colour"), [("images", True), ("digits", False)])
def test_rates_are_those_that_the_experiment_on_filters_chose(part, colour):
    chosen = json.loads((DATA / f"orthogonal_filters_{part}.json").read_text(encoding="utf-8"))["chosen"]
    rates = {entry["activation"]: entry["rate"] for entry in chosen if entry["constraint"] == "none"}
    assert RATES[colour] == (rates["swish"], rates["relu"])
    stored = json.loads((DATA / f"learned_beta_{part}.json").read_text(encoding="utf-8"))["settings"]
    assert (stored["rate"], stored["relu_rate"]) == RATES[colour]


def test_the_plan_of_the_book(digits):
    chosen = plan(digits, 6)
    assert chosen.seeds == tuple(range(6))
    assert (chosen.rate, chosen.relu_rate) == RATES[False]
    assert chosen.recipe.filters == (16, 64, 128)


def result(setting, accuracy, seed, betas):
    learned, start, code = setting
    return {"learned": learned, "start": start, "code": code, "accuracy": accuracy, "seed": seed, "beta": betas}


def test_differences_are_taken_within_a_seed():
    levels, gains = {0: 0.5, 1: 0.7, 2: 0.9}, {0: 0.01, 1: 0.02, 2: 0.03}
    learned, detached = ("channel", 0.5, "attached"), ("channel", 0.5, "detached")
    runs = [
        result(setting, levels[seed] + gains[seed] * share, seed, [[[0.5, 0.5]], [[0.2, 0.6 + 0.1 * seed]]])
        for seed in (2, 0, 1)
        for setting, share in ((SOFT, 0), (learned, 1), (detached, 2))
    ]
    found = summary(runs)
    (gain, twice) = found["minus_soft"]
    assert (gain["learned"], gain["code"], twice["code"]) == ("channel", "attached", "detached")
    assert gain["mean"] == pytest.approx(0.02, abs=1e-6)
    assert gain["half_width"] == pytest.approx(student.ppf(0.975, 2) * 0.01 / 3**0.5, abs=1e-6)
    (attached,) = found["attached_minus_detached"]
    assert attached["mean"] == pytest.approx(-0.02, abs=1e-6)
    assert [entry["code"] for entry in found["path"]] == ["attached", "detached"]
    assert found["path"][0]["mean"]["mean"][0] == pytest.approx([0.5, 0.45])
    with pytest.raises(ValueError, match="must have the seeds"):
        summary(runs[:-1])


def test_the_path_of_beta_is_its_mean_and_spread_over_channels():
    # Two seeds, two epochs, layers of two channels and of one.
    found = path([[[[0.2, 0.4], [0.5]], [[0.1, 0.5], [0.7]]], [[[0.4, 0.6], [0.5]], [[0.3, 0.7], [0.9]]]])
    assert found["mean"]["mean"] == [pytest.approx([0.4, 0.4]), pytest.approx([0.5, 0.8])]
    assert found["spread"]["mean"] == [pytest.approx([0.1, 0.2]), pytest.approx([0, 0])]
