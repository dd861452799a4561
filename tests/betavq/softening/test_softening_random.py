"""Models drawn at random: at β = 1 the original bit for bit, at ½ the model by hand, with gradients and every site."""

import copy
import functools
import warnings

import pytest
import torch
from random_models import drawn
from torch import Tensor, nn

import betavq

GROUPS, SIZE = 12, 26
pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad=True:UserWarning")


def outcome(function, model: nn.Module, x: Tensor) -> list[Tensor]:
    """The output, and its gradients in the input and in the weights, all by one."""
    leaf = x.clone().requires_grad_()
    y = function(leaf)
    weights = [weight for name, weight in model.named_parameters() if "softening_beta" not in name]
    for weight in weights:
        weight.grad = None
    y.square().sum().backward()
    return [y.detach(), leaf.grad, *(torch.zeros(()) if w.grad is None else w.grad.clone() for w in weights)]


@pytest.mark.parametrize("group", range(GROUPS))
def test_random_models(group):
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(group))
    for seed in range(group * SIZE, (group + 1) * SIZE):
        made = drawn(seed)
        plain = copy.deepcopy(made.model)
        options = {"learnable": seed % 3 == 0, "share": "site" if seed % 5 == 0 else "all"}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "model has nothing to soften that could be found")
            soft = betavq.soften(made.model, 0.5, example_inputs=x if seed % 2 or seed % 5 == 0 else None, **options)
        found = outcome(soft, soft, x)
        expected = outcome(functools.partial(made.by_hand, plain, beta=0.5), plain, x)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, msg=lambda text, made=made: f"{text}\n{made.source}")
        report = betavq.report(soft)
        assert (len(report.replaced), report.left_alone) == (made.sites, ()), f"{report}\n{made.source}"
        betavq.set_beta(soft, 1.0)
        for one, other in zip(outcome(soft, soft, x), outcome(made.model, made.model, x), strict=True):
            assert torch.equal(one, other), made.source
        assert torch.equal(betavq.harden(soft)(x), made.model(x)), made.source
