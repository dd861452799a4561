"""The experiment on softened networks: what is held out, a stopped run, damaged files, the result file."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from experiments.shared.small_cnn import Recipe
from experiments.softening import runs
from experiments.softening.__main__ import carry_out, main
from experiments.softening.networks import Split, top_level
from experiments.softening.runs import BETAS, Piece, Plan, SofteningBench, pieces, plan

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = Plan(
    Recipe(filters=(3, 4, 5), epochs=1, batch=100),
    seeds=(0, 1),
    betas=(0.5, 0.9, 1.0),
    coarse_betas=(0.0, 0.9, 1.0),
    attacked_betas=(0.9, 1.0),
    sigmas=(0.1,),
    sizes=(0.1,),
    pgd_size=0.1,
    pgd_steps=2,
    validation=50,
    noisy=(20, 30),
    attacked=(10, 20),
)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def contents(digits, work):
    return carry_out(None, digits, TINY, work, 1)


def test_what_is_held_out_is_not_learned_from_and_tests_are_not_chosen_by(digits):
    here, there = Split.of(digits), Split.of_test_images(digits)
    assert [len(part) for part in (here.train, here.validation, here.test)] == [1038, 259, 500]
    assert [len(part) for part in (there.train, there.validation, there.test)] == [1297, 250, 250]
    for split in (here, there):
        parts = [
            {bytes(image) for image in part.pixels.numpy()} for part in (split.train, split.validation, split.test)
        ]
        assert not parts[0] & parts[1]
        assert not parts[1] & parts[2]
        assert not parts[0] & parts[2]


def test_result_file(contents, digits):
    json.dumps(contents, allow_nan=False)
    kinds = [(entry["smoothing"], entry["statistics"]) for entry in contents["results"]]
    assert kinds == [("value", "kept"), ("value", "renewed"), ("free_energy", "kept"), ("curvature_tuning", "kept")]
    value, renewed, *others = contents["results"]
    assert value["curves"]["beta"] == [0.5, 0.9, 1.0]
    assert value["under_attack"]["beta"] == [0.9, 1.0]
    assert renewed["curves"]["beta"] == [0.0, 0.9, 1.0]
    assert "own pgd" not in renewed["under_attack"]
    for other in others:  # at β = 1 they are the hard network
        assert other["curves"]["beta"] == [0.9, 1.0]
        for measure in ("accuracy", "nll", "ece", "noise 0.1"):
            assert other["curves"][measure]["level"][-1] == value["curves"][measure]["level"][-1]
    for measure, curved in value["curves"].items():
        if measure != "beta":  # the hard network differs from itself by nothing, in every draw
            assert (curved["low"][-1], curved["high"][-1]) == (0, 0)
    assert len(value["diagrams"]) == 3
    assert sum(value["diagrams"][0]["share"]) == pytest.approx(1, abs=1e-3)
    settings = contents["settings"]
    assert settings["data_sha256"] == digits.sha256
    assert settings["images"] == {"train": 1038, "validation": 259, "test": 500}
    assert set(settings) >= {"versions", "hardware", "seeds", "sigmas", "sizes", "pgd_steps", "calibration_bins"}
    mean = np.mean(settings["accuracies_of_hard_networks"])
    assert value["curves"]["accuracy"]["level"][-1] == pytest.approx(mean, abs=1e-4)


def test_both_attacks_withstood_is_at_most_either(contents):
    attacked = contents["results"][0]["under_attack"]
    for name in ("pgd", "fgsm 0.1"):
        own, carried, both = (attacked[f"{kind} {name}"]["level"] for kind in ("own", "transferred", "worst"))
        assert all(c <= min(a, b) for a, b, c in zip(own, carried, both, strict=True))
        assert own[-1] == carried[-1] == both[-1]


def test_a_stopped_run_goes_on_to_the_same_file(contents, digits, work, tmp_path, monkeypatch):
    made, measure = [], SofteningBench.make

    def stopping(bench, piece, *more):
        if len(made) == 4:
            raise KeyboardInterrupt
        made.append(piece)
        return measure(bench, piece, *more)

    monkeypatch.setattr(SofteningBench, "make", stopping)
    with pytest.raises(KeyboardInterrupt):
        carry_out(None, digits, TINY, tmp_path, 1)
    monkeypatch.undo()
    rest = []
    monkeypatch.setattr(
        SofteningBench, "make", lambda bench, piece, *more: (rest.append(piece), measure(bench, piece, *more))[1]
    )
    assert carry_out(None, digits, TINY, tmp_path, 1) == contents
    assert not set(made) & set(rest)
    # Nor is anything done again where all is done.
    rest.clear()
    assert carry_out(None, digits, TINY, work, 1) == contents
    assert not rest


@pytest.mark.usefixtures("contents")
def test_what_is_damaged_or_of_other_conditions_is_made_again(digits, work, tmp_path, capsys):
    piece = Piece(0, "value", 0.5, "kept")
    expected = SofteningBench(digits, TINY, work).run(piece)
    (name,) = (path.name for path in work.glob("network_0-value-*_0.5-statistics_kept.done"))
    (tmp_path / name).write_bytes((work / name).read_bytes()[:-50])
    for network in work.glob("*.pt"):
        (tmp_path / network.name).write_bytes(network.read_bytes())
    again = SofteningBench(digits, TINY, tmp_path).run(piece)
    assert "cannot be read: it is made anew" in capsys.readouterr().out
    assert all(np.array_equal(again[key], expected[key]) for key in expected)
    louder = SofteningBench(digits, replace(TINY, sigmas=(0.3,)), tmp_path).run(piece)
    assert "noise 0.3 test" in louder


@pytest.mark.usefixtures("contents")
def test_pieces_are_each_once_and_softening_leaves_the_network(digits, work):
    bench = SofteningBench(digits, TINY, work)
    planned = bench.pieces()
    assert len(set(planned)) == len(planned) == 2 * (3 + 3 + 1 + 1)
    assert list(pieces(TINY, statistics=False)) == [piece for piece in planned if piece.statistics == "kept"]
    hard = bench.network(0)
    inputs = bench.inputs(digits.test, 20)[0]
    before = hard(inputs)
    soft = bench.soft(Piece(0, "value", 0.5, "renewed"))
    assert not torch.allclose(soft(inputs), before, atol=1e-3)
    assert torch.equal(hard(inputs), before)
    assert torch.equal(bench.soft(Piece(0, "value", 1.0, "kept"))(inputs), before)


def test_pixels_are_between_black_and_white(digits, work):
    assert top_level(digits) == 16
    pixels, labels = SofteningBench(digits, TINY, work).inputs(digits.test, 40)
    assert pixels.shape == (40, 1, 8, 8)
    assert (pixels.min(), pixels.max()) == (0, 1)
    assert torch.equal(labels, digits.test.labels[:40])


def test_plans_of_the_book(digits):
    found = plan(digits, 4, of_published=False)
    assert found.seeds == (0, 1, 2, 3)
    assert BETAS[0] == 0
    assert BETAS[-1] == 1
    assert {0.5, 0.9, 0.99, 0.999} < set(BETAS)
    assert set(found.attacked_betas) | set(found.coarse_betas) <= set(BETAS)
    assert plan(digits, 4, of_published=True).seeds == (0,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "nowhere.npz"], "--data: nowhere.npz does not exist"),
        (["--published"], "--published needs --data, images of CIFAR-10"),
        (["--seeds", "1"], "--seeds must be at least 2, --processes at least 1"),
    ],
)
def test_the_script_says_it_in_one_line(options, message, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["experiments.softening", *options])
    with pytest.raises(SystemExit) as stopped:
        main()
    told = stopped.value.code if isinstance(stopped.value.code, str) else capsys.readouterr().err
    assert told.strip().splitlines()[-1].endswith(message)


def test_smoothings_are_those_of_the_library():
    for smoothing in runs.SMOOTHINGS:
        net = runs.soften(nn.Sequential(nn.ReLU()), 0.9, smoothing)
        at = torch.tensor([[0.3]])
        assert net(at).item() != pytest.approx(0.3, abs=1e-4)
