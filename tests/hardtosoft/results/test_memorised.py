"""Networks that learned random labels: the stored numbers agree with each other, and the script with its words."""

import pytest
import torch

from experiments import memorisation
from hardtosoft.results import memorised

ROWS = memorised.memorised()


def test_every_setting_of_the_script_is_stored():
    stored = [(each.random, each.where, each.strength) for each in ROWS]
    assert stored == [(share, *each) for share in memorisation.SHARES for each in memorisation.PENALTIES]
    assert memorised.settings()["seeds"] == list(memorisation.SEEDS)


@pytest.mark.parametrize("each", ROWS, ids=lambda each: f"{each.random}-{each.where}-{each.strength}")
def test_the_gap_is_the_difference_of_the_two_accuracies(each):
    assert each.gap.mean == pytest.approx(each.train.mean - each.test.mean, abs=1e-6)
    assert 0 <= each.test.mean <= 1


def test_without_a_penalty_every_label_is_learned_by_heart():
    assert all(each.train.mean == 1 for each in ROWS if each.where == "none")


def test_so_large_a_share_of_the_labels_is_drawn_anew():
    labels = torch.arange(200) % 10
    assert torch.equal(memorisation.relabelled(labels, 0.0, 0), labels)
    changed = (memorisation.relabelled(labels, 0.4, 0) != labels).sum().item()
    assert 60 <= changed <= 80  # of 80 drawn, a tenth comes out as it was
    assert torch.equal(memorisation.relabelled(labels, 1.0, 3), memorisation.relabelled(labels, 1.0, 3))


def test_likeness_is_one_for_a_network_whose_templates_are_the_images():
    network = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False)).double()
    network[0].weight.data = torch.eye(2).double()
    images = torch.tensor([[2.0, 0.0], [0.0, 3.0]]).double()
    assert memorisation.likeness(network.eval(), images) == pytest.approx(1.0)
