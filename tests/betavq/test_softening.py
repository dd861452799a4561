"""A softened model: hard at β = 1, the units of its β below, and the original untouched."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

import betavq
import betavq.functional as bF


class Calls(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.act, self.slopes = nn.Linear(6, 5), nn.ReLU(inplace=True), nn.PReLU()

    def forward(self, x):
        x = self.slopes(self.act(self.linear(x)) - 0.2)
        return F.leaky_relu(x.abs() - 0.1, 0.2) + nn.ReLU()(x)


def softened_by_hand(net, x, beta):
    x = bF.beta_relu(net.linear(x), beta=beta) - 0.2
    x = bF.beta_leaky_relu(x, net.slopes.weight, beta=beta)
    left = bF.beta_leaky_relu(bF.beta_abs(x, beta=beta) - 0.1, 0.2, beta=beta)
    return left + bF.beta_relu(x, beta=beta)


def test_modules_calls_and_modules_made_in_forward_are_softened():
    net, x = Calls(), torch.randn(7, 6)
    state = copy.deepcopy(net.state_dict())
    soft = betavq.soften(net, 0.8)
    torch.testing.assert_close(soft(x), softened_by_hand(net, x, 0.8))
    for beta in (0.3, 0.0):
        torch.testing.assert_close(betavq.set_beta(soft, beta)(x), softened_by_hand(net, x, beta))
    assert torch.equal(betavq.set_beta(soft, 1.0)(x), net(x))
    assert torch.equal(betavq.harden(soft)(x), net(x))
    assert type(betavq.harden(soft)) is Calls
    assert type(net.act) is nn.ReLU
    assert all(torch.equal(state[key], value) for key, value in net.state_dict().items())
