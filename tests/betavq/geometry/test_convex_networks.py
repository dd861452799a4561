"""What passes the condition is convex, and what fails is told the layer."""

import pytest
import torch
import torch.nn.functional as F
from piecewise_examples import everything, images, leaky_stack, mlp, points
from torch import nn

import betavq
from betavq import geometry


def worst_midpoint(model, dims):
    """How far a value in the middle exceeds the mean of the ends, at most."""
    x, y = points(4000, dims, seed=1), points(4000, dims, seed=2)
    with torch.no_grad():
        return (model((x + y) / 2) - (model(x) + model(y)) / 2).max().item()


def rectified(*sizes, act=nn.ReLU, seed=0):
    """A network whose weights beyond the first layer are not negative."""
    model = mlp(*sizes, act=act, seed=seed)
    for layer in list(model)[2::2]:
        layer.weight.data.abs_()
    return model


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("act", [nn.ReLU, nn.LeakyReLU, nn.PReLU])
def test_networks_that_pass_are_convex_and_random_ones_are_not(act, seed):
    passing, other = rectified(3, 12, 12, 2, act=act, seed=seed), mlp(3, 12, 12, 2, act=act, seed=seed)
    assert geometry.convexity(passing, points(1, 3)) == (True, None, "")
    assert worst_midpoint(passing, 3) < 1e-12
    found = geometry.convexity(other, points(1, 3))
    assert not found.convex
    assert found.layer == "layer '2' (Linear)"
    assert "negative weight" in found.reason
    assert worst_midpoint(other, 3) > 1e-3


def test_abs_may_stand_first_and_not_later():
    class Abs(nn.Module):
        def forward(self, x):
            return x.abs()

    first = nn.Sequential(nn.Linear(3, 5), Abs(), nn.Linear(5, 1)).double().eval()
    first[2].weight.data.abs_()
    assert geometry.convexity(first, points(1, 3)).convex
    assert worst_midpoint(first, 3) < 1e-12
    later = nn.Sequential(*first, Abs()).eval()
    first[2].bias.data -= 2.0
    found = geometry.convexity(later, points(1, 3))
    assert (found.convex, found.layer) == (False, "layer '3' (Abs)")
    assert found.reason == "abs has a piece of slope -1, which falls, after a layer that is convex already"
    assert worst_midpoint(later, 3) > 1e-3


WEIGHT = torch.tensor([[1.0, -2.0], [0.5, 1.0]], dtype=torch.float64)
PASS = {
    "a skip from the input": lambda x: x @ WEIGHT + F.relu(x @ WEIGHT),
    "less something affine": lambda x: F.relu(x) - x,
    "max-pool of a ReLU": lambda x: F.max_pool1d(F.relu(x)[:, None], 2).flatten(1),
    "maxout of sums": lambda x: (x.relu() + x.abs()).amax(1, keepdim=True),
    "times two, over four, a mean": lambda x: (2 * x.relu() / 4).mean(1, keepdim=True),
    "clamped below": lambda x: F.relu(x).clamp(min=1.0),
}
FAIL = {
    "turned": (lambda x: 1 - F.relu(x), "rsub may turn it"),
    "a minimum": (lambda x: torch.minimum(x, -x), "minimum is not the largest of affine pieces"),
    "less a ReLU": (lambda x: x - F.relu(x), "it subtracts what is convex"),
    "times a negative number": (lambda x: -0.5 * F.relu(x), "a negative weight, -0.5"),
    "bounded": (lambda x: F.hardtanh(x), "hardtanh is not the largest"),
    "clamped above": (lambda x: x.clamp(max=1.0), "clamp is not the largest"),
    "leaky above 1": (lambda x: F.leaky_relu(x, 1.5), "a slope of 1.5 above 1"),
    "a falling piece later": (lambda x: F.leaky_relu(F.relu(x) - 1, -0.2), "a piece of slope -0.2, which falls"),
}


@pytest.mark.parametrize("name", PASS)
def test_functions_that_pass_are_convex(name):
    assert geometry.convexity(PASS[name], points(1, 2)).convex
    assert worst_midpoint(PASS[name], 2) < 1e-12


@pytest.mark.parametrize("name", FAIL)
def test_functions_that_fail_are_told_why(name):
    function, reason = FAIL[name]
    found = geometry.convexity(function, points(1, 2))
    assert not found.convex
    assert reason in found.reason
    assert worst_midpoint(function, 2) > 1e-3


def test_batchnorm_masos_and_the_whole():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4)).double().eval()
    assert geometry.convexity(model, points(1, 3)).convex
    model[2].weight.data[1] = -0.3
    assert "a negative scale, -0.3" in geometry.convexity(model, points(1, 3)).reason
    assert geometry.convexity(everything(), images(1)).layer == "layer 'block.0' (Conv2d)"
    stack = leaky_stack(2, 4, 4)
    assert geometry.convexity(stack[0], points(1, 2)).convex
    found = geometry.convexity(nn.Sequential(*stack), points(1, 2))
    assert (found.convex, found.layer) == (False, "layer '1' (MASO)")
    growing = nn.Sequential(stack[0], betavq.MASO(stack[1].slopes.detach().abs(), stack[1].offsets))
    assert geometry.convexity(growing, points(1, 2)).convex
    assert worst_midpoint(growing, 2) < 1e-12
