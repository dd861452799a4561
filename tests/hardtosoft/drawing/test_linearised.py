"""Linear steps: exact where they must be, on a linear network, in the disc and in the region."""

import pytest
import torch
from torch import nn

from betavq.geometry import decision_boundary
from hardtosoft.drawing.linearised import flipped, linearised
from hardtosoft.drawing.regions import joined, rectangle
from hardtosoft.figures.decision_boundaries.border import nearest_on
from hardtosoft.results.networks import (
    digits_test_set,
    load_digits_network,
    load_two_moons,
    module_of,
    two_moons_test_set,
)

POINTS = two_moons_test_set()[0][:300]
FAR = rectangle((-12.0, 12.0), (-12.0, 12.0))


def test_for_one_unit_the_step_is_the_distance_to_a_line():
    network = nn.Sequential(nn.Linear(2, 1, dtype=torch.float64)).eval()
    found = linearised(network, POINTS)
    weight, bias = (parameter.detach() for parameter in network[0].parameters())
    expected = (POINTS @ weight[0] + bias).abs() / weight.norm()
    torch.testing.assert_close(found.distance, expected)
    torch.testing.assert_close(network(POINTS + found.step).detach(), torch.zeros(300, 1).double(), rtol=0, atol=1e-12)
    assert found.stays.all()
    assert found.is_nearest.all()


def test_of_several_classes_the_nearest_rival_counts():
    network = nn.Sequential(nn.Linear(5, 4, dtype=torch.float64)).eval()
    inputs = torch.randn(50, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = linearised(network, inputs)
    logits = network(inputs + found.step).detach()
    top = logits.topk(2, dim=1)
    torch.testing.assert_close(top.values[:, 0], top.values[:, 1], rtol=0, atol=1e-12)
    own = network(inputs).argmax(1)
    assert (top.indices == own[:, None]).any(1).all()


@pytest.mark.parametrize("name", ["moons", "digits"])
def test_a_step_within_its_region_ends_on_the_boundary(name):
    network, inputs = (
        (load_two_moons(), POINTS) if name == "moons" else (load_digits_network(), digits_test_set()[0][:150])
    )
    module = module_of(network)
    found = linearised(module, inputs)
    stay = found.stays
    assert 0 < stay.sum() < len(inputs)
    assert flipped(module, inputs[stay], found.step[stay], 1.0001) == 1.0
    assert flipped(module, inputs[stay], found.step[stay], 0.9999) == 0.0
    assert stay[found.is_nearest].all()


def test_a_step_within_the_disc_is_the_distance_to_the_other_class():
    module = module_of(load_two_moons())
    found = linearised(module, POINTS)
    true = torch.from_numpy(nearest_on(joined(decision_boundary(module, FAR)), POINTS.numpy())).sub(POINTS).norm(dim=1)
    near = found.is_nearest
    assert 5 < near.sum() < 100
    torch.testing.assert_close(found.distance[near], true[near])
    assert (true[found.stays] <= found.distance[found.stays] + 1e-12).all()
    assert (true >= torch.minimum(found.border, found.distance) - 1e-12).all()
