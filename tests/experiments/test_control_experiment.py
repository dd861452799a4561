"""The controls beside orthogonal filters: what each kind is, and an experiment that goes on from its result file."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from betavq.orthogonal import coherence
from experiments.orthogonal_controls.__main__ import RATES, STRENGTHS, kinds, recipe
from experiments.orthogonal_controls.runs import Control, ControlBench, cosine_penalty
from experiments.shared.choosing import Axis
from experiments.shared.comparison import Comparison, Kind, Seeds, again, epochs_to
from experiments.shared.images import DataSet, Images, halved
from experiments.shared.results import write
from experiments.shared.small_cnn import CONVOLUTIONS, Recipe

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = Recipe(filters=(4, 5, 6), epochs=2, batch=20, most_images=40)
RUN = Control("swish", "none", 0.0, 0.1, 7, "test")


def _small(bench: ControlBench, out):
    grid = (Axis("strength", (0.0,)), Axis("rate", (0.05, 0.1)))
    made = [
        Kind("relu", name, grid, lambda point, seed, part, name=name: Control("relu", name, *point, seed, part))
        for name in ("none", "orthogonal")
    ]
    asked = []

    def make(runs):
        for run in runs:
            asked.append(run)
            yield bench.run(run)

    return Comparison(made, Seeds((100, 101), (0, 1, 2)), make, bench.conditions, out), asked


def test_it_goes_on_from_a_file_that_is_not_complete_and_repeats_a_run(digits, tmp_path):
    whole, out = ControlBench(digits, TINY, tmp_path / "whole"), tmp_path / "found.json"
    comparison, asked = _small(whole, out)
    *_, complete = comparison.stages()
    assert len(asked) == 2 * 2 * 2 + 3 * 2
    assert complete["complete"]
    assert [entry["judged_on"] for entry in complete["selection"]] == ["held_out"] * 8
    made = [(entry["constraint"], entry["seed"]) for entry in complete["runs"]]
    assert made == [(kind, seed) for kind in ("none", "orthogonal") for seed in range(3)]
    (difference,) = complete["differences"]
    gains = [complete["runs"][3 + seed]["accuracy"] - complete["runs"][seed]["accuracy"] for seed in range(3)]
    assert (difference["kind"], difference["minus"]) == ("orthogonal", "none")
    assert difference["accuracy"]["mean"] == pytest.approx(sum(gains) / 3, abs=1e-6)

    stopped, _ = _small(whole, out)
    for _, contents in zip(range(3), stopped.stages(), strict=False):
        write(contents, out)
    assert not contents["complete"]
    resumed, asked = _small(ControlBench(digits, TINY, tmp_path / "other"), out)
    *_, last = resumed.stages()
    assert len(asked) == 3
    assert json.dumps(last) == json.dumps(complete)

    write(complete, out)
    name = complete["runs"][1]["run"]
    assert "the same to the bit" in again(ControlBench(digits, TINY, tmp_path / "again"), Control, out, name)
    complete["runs"][1]["losses"][0] += 1e-6
    write(complete, out)
    assert "not the same" in again(ControlBench(digits, TINY, tmp_path / "again"), Control, out, name)
    with pytest.raises(SystemExit, match="there is no run 'other'"):
        again(whole, Control, out, "other")


def test_a_file_of_other_settings_is_not_used(digits, tmp_path):
    out = tmp_path / "found.json"
    comparison, _ = _small(ControlBench(digits, TINY, tmp_path / "one"), out)
    write(next(iter(comparison.stages())), out)
    contents = json.loads(out.read_text(encoding="utf-8"))
    contents["settings"]["hardware"] = "another"
    write(contents, out)
    assert _small(ControlBench(digits, TINY, tmp_path / "one"), out)[0]._found
    contents["settings"]["momentum"] = 0.5
    write(contents, out)
    assert not _small(ControlBench(digits, TINY, tmp_path / "one"), out)[0]._found


def test_kinds_of_a_seed_start_alike(digits, tmp_path):
    bench = ControlBench(digits, TINY, tmp_path)
    made = {name: bench.build(Control("relu", name, 0.1, 0.1, 7, "test")) for name in STRENGTHS}
    for name in CONVOLUTIONS:
        weights = {kind: network.get_submodule(name).weight for kind, network in made.items()}
        for kind in ("penalty", "cosines"):
            assert torch.equal(weights[kind], weights["none"])
        torch.testing.assert_close(weights["weight_norm"], weights["none"])
        torch.testing.assert_close(weights["start"], weights["orthogonal"])
        assert coherence(weights["start"]).item() < 1e-6 < coherence(weights["none"]).item()
    assert all(type(made["start"].get_submodule(name)) is nn.Conv2d for name in CONVOLUTIONS)
    assert hasattr(made["weight_norm"].get_submodule("first"), "parametrizations")


def test_cosines_do_not_fall_as_filters_shrink(digits, tmp_path):
    network = ControlBench(digits, TINY, tmp_path).build(RUN)
    before = cosine_penalty(network)
    by_hand = torch.zeros(())
    with torch.no_grad():
        for name in CONVOLUTIONS:
            weight = network.get_submodule(name).weight
            rows = weight.flatten(1)
            cosines = nn.functional.cosine_similarity(rows[:, None], rows, dim=2)
            by_hand += cosines.fill_diagonal_(0).square().sum()
            weight /= 3
    torch.testing.assert_close(before, by_hand)
    torch.testing.assert_close(cosine_penalty(network), before)
    assert "cosines 0.1" in str(Control("relu", "cosines", 0.1, 0.1, 7, "test"))


def test_large_images_are_halved_by_means_of_four_pixels(tmp_path):
    pixels = torch.randint(0, 256, (20, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = Images(pixels, torch.arange(20) % 10)
    data = DataSet("some", images, images, 10, "sum")
    small = halved(data).train.pixels
    mean = pixels[3, 4:6, 8:10, 1].float().mean().round()
    assert small.shape == (20, 16, 16, 3)
    assert small[3, 2, 4, 1] == mean
    assert ControlBench(data, Recipe(), tmp_path).conditions["side"] == 16


def test_the_grid_of_the_book(digits):
    assert {kind.group for kind in kinds()} == {"relu", "swish"}
    assert len(kinds()) == 12
    assert RATES.values[-1] == 2.0
    assert recipe(digits).epochs >= 40
    assert Seeds().choosing == (100, 101, 102)
    assert len(Seeds().comparing) == 10
    assert epochs_to([0.9, None, 0.4, 0.6], 0.5) == 3
    assert epochs_to([0.9], 0.5) is None
