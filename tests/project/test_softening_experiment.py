"""The experiment on softened networks: what is held out, a stopped run, choices by validation, paired intervals."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from experiments import softening_networks, softening_runs
from experiments.image_data import load
from experiments.small_cnn import Recipe
from experiments.softening import carry_out, main
from experiments.softening_networks import PublishedError, Split, published, top_level
from experiments.softening_runs import BETAS, Bench, Piece, Plan, pieces, plan
from experiments.softening_summary import Draws, Judged, best, chosen, curve, difference

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


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits():
    return load(None)


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
    made, measure = [], Bench._measure

    def stopping(bench, piece):
        if len(made) == 4:
            raise KeyboardInterrupt
        made.append(piece)
        return measure(bench, piece)

    monkeypatch.setattr(Bench, "_measure", stopping)
    with pytest.raises(KeyboardInterrupt):
        carry_out(None, digits, TINY, tmp_path, 1)
    monkeypatch.undo()
    rest = []
    monkeypatch.setattr(Bench, "_measure", lambda bench, piece: (rest.append(piece), measure(bench, piece))[1])
    assert carry_out(None, digits, TINY, tmp_path, 1) == contents
    assert not set(made) & set(rest)
    # Nor is anything done again where all is done.
    rest.clear()
    assert carry_out(None, digits, TINY, work, 1) == contents
    assert not rest


@pytest.mark.usefixtures("contents")
def test_what_is_damaged_or_of_other_conditions_is_made_again(digits, work, tmp_path, capsys):
    piece = Piece(0, "value", 0.5, "kept")
    expected = Bench(digits, TINY, work).run(piece)
    name = "0-value-0.5-kept.npz"
    (tmp_path / name).write_bytes((work / name).read_bytes()[:-50])
    for network in work.glob("*.pt"):
        (tmp_path / network.name).write_bytes(network.read_bytes())
    again = Bench(digits, TINY, tmp_path).run(piece)
    assert "cannot be read: it is made anew" in capsys.readouterr().out
    assert all(np.array_equal(again[key], expected[key]) for key in expected)
    louder = Bench(digits, replace(TINY, sigmas=(0.3,)), tmp_path).run(piece)
    assert "noise 0.3 test" in louder


@pytest.mark.usefixtures("contents")
def test_pieces_are_each_once_and_softening_leaves_the_network(digits, work):
    bench = Bench(digits, TINY, work)
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
    pixels, labels = Bench(digits, TINY, work).inputs(digits.test, 40)
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


def test_the_published_network_is_built_as_it_is_stored():
    generator = torch.Generator().manual_seed(0)
    stored = {}

    def put(name, **parts):
        arrays = {f"{part}:0": {(): tensor.numpy()} for part, tensor in parts.items()}
        stored[name] = {name: arrays}

    sizes = (3, 4, 4, 5, 5, 4, 4)
    for number, (into, out) in enumerate(pairwise(sizes)):
        end = f"_{number}" if number else ""
        put(f"conv2d{end}", kernel=torch.randn(3, 3, into, out, generator=generator), bias=torch.randn(out))
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        put(f"batch_normalization{end}", **{name: torch.rand(out, generator=generator) + 0.5 for name in names})
    for number, (into, out) in enumerate(((4, 6), (6, 5), (5, 3))):
        put(f"dense_{number}" if number else "dense", kernel=torch.randn(into, out), bias=torch.randn(out))
    net = softening_networks._built(stored).eval()
    x = torch.rand(2, 3, 32, 32, generator=generator)
    assert net(x).shape == (2, 3)
    assert [type(layer) for layer in net[:3]] == [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]
    kernel = stored["conv2d"]["conv2d"]["kernel:0"][()]
    corner = x[0, :, :3, :3].permute(1, 2, 0).numpy()
    by_hand = (kernel * corner[..., None]).sum((0, 1, 2)) + stored["conv2d"]["conv2d"]["bias:0"][()]
    np.testing.assert_allclose(net[0](x)[0, :, 0, 0].detach().numpy(), by_hand, rtol=1e-4, atol=1e-4)


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(softening_networks, "find_spec", lambda _: None)
    with pytest.raises(PublishedError, match=r"pip install --no-deps cifar-10-model==7\.4\.0 h5py$"):
        published()


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
    for smoothing in softening_runs.SMOOTHINGS:
        net = softening_runs.soften(nn.Sequential(nn.ReLU()), 0.9, smoothing)
        at = torch.tensor([[0.3]])
        assert net(at).item() != pytest.approx(0.3, abs=1e-4)
