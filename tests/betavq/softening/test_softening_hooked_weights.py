"""Weights that a hook computes in every forward pass: softening copies the hooks, and takes what they left behind."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import betavq

HOOKS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "pruned": lambda layer: prune.l1_unstructured(layer, "weight", 0.3),
    "weight_norm": nn.utils.weight_norm,
    "spectral_norm": nn.utils.spectral_norm,
    "pruned twice": lambda layer: prune.random_unstructured(prune.identity(layer, "weight"), "weight", 2),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
@pytest.mark.parametrize("has_run", [False, True])
def test_soften_and_harden(hook: Callable[[nn.Module], nn.Module], has_run: bool) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(hook(nn.Linear(3, 5)), nn.ReLU(), nn.Linear(5, 2)).eval()
    x = torch.randn(7, 3)
    if has_run:
        net(x)
    weight = net[0].weight
    soft = betavq.soften(net, 0.5)
    assert net[0].weight is weight
    expected = net[2](nn.functional.silu(net[0](x)))
    torch.testing.assert_close(soft(x), expected)
    hard = betavq.harden(soft)
    torch.testing.assert_close(hard(x), net(x))
    with torch.no_grad():
        for parameter in soft.parameters():
            parameter.mul_(0.5)
    torch.testing.assert_close(hard(x), net(x))  # no memory in common
    assert not torch.allclose(betavq.set_beta(soft, 1.0)(x), net(x))
    soft(x).sum().backward()
    assert all(parameter.grad is not None for parameter in soft.parameters())


def test_what_cannot_be_copied_is_pytorchs_to_refuse() -> None:
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU())
    net.kept = [net(torch.randn(1, 3))]
    for call in (copy.deepcopy, betavq.soften):
        with pytest.raises(RuntimeError, match="deepcopy protocol"):
            call(net)
