"""Slopes and attacks: attacks stay in their ball and find what there is, networks of a seed start alike."""

from __future__ import annotations

import json
import sys

import pytest
import torch
from torch import nn

from betavq import geometry
from experiments.risk import __main__ as program
from experiments.risk import networks
from experiments.risk.attacks import EDGES, FACTORS, RADII, measured, right, share_right
from experiments.risk.networks import digits, train
from hardtosoft.results.attack import attacked

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(networks, "STEPS", 60)


def test_attacks_stay_in_their_balls_and_find_the_border_of_a_linear_map():
    """There the linearised distance is the distance."""
    torch.manual_seed(0)
    network, x = nn.Linear(6, 3), torch.randn(40, 6)
    y = network(x).argmax(1)
    reach = geometry.adversarial_risk(network, x, y).linearised
    for factor, share in ((0.99, 1.0), (1.1, 0.0)):
        moved = attacked(network, x, y, factor * reach)
        assert ((moved - x).norm(dim=1) <= factor * reach * (1 + 1e-5)).all()
        assert right(network, moved, y).double().mean().item() == pytest.approx(share, abs=0.1)
    assert share_right(network, x, y, 0) == 1


def test_a_split_is_that_of_its_seed_and_keeps_its_parts_apart():
    one, again = digits(3), digits(3)
    assert torch.equal(one.x, again.x)
    assert not {tuple(row) for row in one.x.tolist()} & {tuple(row) for row in one.test_x.tolist()}
    assert (len(one.x), len(one.test_x)) == (400, 1000)
    assert one.x.mean(0).abs().max() < 1e-6


@pytest.mark.usefixtures("short")
def test_penalties_lower_what_they_are_on():
    data = digits(3)
    nets = {
        name: train(data, name, strength, 3) for name, strength in (("none", 0), ("slopes", 0.01), ("flatness", 0.01))
    }
    found = {name: measured(net, data.test_x, data.test_y) for name, net in nets.items()}
    assert found["slopes"]["slope"] < 0.7 * found["none"]["slope"]
    flat = {name: program.flatness(net, data.test_x).item() for name, net in nets.items()}
    assert flat["flatness"] < 0.7 * flat["none"]


def test_the_first_batch_and_the_start_are_the_same_whatever_is_added(monkeypatch):
    monkeypatch.setattr(networks, "STEPS", 1)
    data = digits(3)
    weights = [train(data, kind, 1e-12, 3)[0].weight for kind in ("none", "slopes", "flatness")]
    assert all(torch.allclose(weights[0], other, atol=1e-5) for other in weights[1:])


@pytest.mark.usefixtures("short")
def test_what_is_measured_of_a_network():
    data = digits(3)
    network = train(data, "none", 0, 3)
    found = measured(network, data.test_x, data.test_y)
    assert found["flips_certified"] == 0
    shares = list(found["flips_linearised"].values())
    assert len(shares) == len(FACTORS)
    assert shares == sorted(shares)
    assert sum(found["slopes"]) == 300
    assert len(found["slopes"]) == len(EDGES) - 1
    certified, flipped = (torch.tensor(found[f"shares_{name}"]) for name in ("certified", "flipped"))
    assert len(flipped) == len(RADII)
    assert (flipped <= certified + 1e-9).all()


def test_it_goes_on_from_its_file(tmp_path, monkeypatch, capsys):
    made = []

    def counted(penalty, strength, seed):
        made.append((penalty, strength, seed))
        numbers = dict.fromkeys(program.COMPARED, 0.5 + strength)
        return {"penalty": penalty, "strength": strength, "seed": seed, "slopes": [1, 2]} | numbers

    out = tmp_path / "found.json"
    monkeypatch.setattr(program, "run", counted)
    monkeypatch.setattr(program, "shown", list)
    monkeypatch.setattr(sys, "argv", ["", "--out", str(out)])
    program.main()
    assert len(made) == 13 * 5
    program.main()
    assert len(made) == 13 * 5
    found = json.loads(out.read_text())
    assert found["penalties"][4]["accuracy_minus_none"]["mean"] == pytest.approx(found["penalties"][4]["strength"])
    assert found["penalties"][0]["slopes"] == [5, 10]
    capsys.readouterr()


@pytest.mark.usefixtures("short")
def test_the_stored_network_is_the_trained_one(monkeypatch):
    monkeypatch.setattr(program, "SEEDS", (3,))
    _, entry = program.shown()
    data = digits(3)
    network = train(data, "slopes", 3e-3, 3)
    for own, numbers in zip(network.parameters(), entry["weights"], strict=True):
        torch.testing.assert_close(own.detach(), torch.tensor(numbers) / 1000, rtol=0, atol=6e-4)
    assert data.test_y[torch.isin(data.rows, torch.tensor(entry["rows"]))].sort().values.tolist() == list(range(10))
