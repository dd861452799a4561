"""A learned β that is put back into [0, 1] after each step: whatever the optimiser and the model, and not stuck."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import betavq
from betavq import clamp_betas
from betavq.functional import beta_relu
from betavq.nn import BetaLeakyReLU, BetaMaxout, BetaMaxPool2d, BetaReLU

Optimiser = Callable[[Iterable[Tensor]], torch.optim.Optimizer]
OPTIMISERS: dict[str, Optimiser] = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.5),
    "SGD with momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.3),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.3),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.3),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=1.0),
}
optimisers = pytest.mark.parametrize("make", OPTIMISERS.values(), ids=OPTIMISERS)


def sample(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def clamped(make: Optimiser, model: nn.Module) -> torch.optim.Optimizer:
    optimiser = make(model.parameters())
    optimiser.register_step_post_hook(lambda *_: clamp_betas(model))
    return optimiser


def push(model: nn.Module, optimiser: torch.optim.Optimizer, loss: Callable[[], Tensor], steps: int) -> None:
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
        for name, beta in model.named_parameters():
            if "beta" in name:
                assert 0 <= beta.min() <= beta.max() <= 0.99


@optimisers
@pytest.mark.parametrize("up_first", [True, False])
def test_past_an_end_and_back_and_past_the_other(make: Optimiser, up_first: bool) -> None:
    """The ReLU's sum grows with β: pushed out at one end until it stands there, it goes over to the other."""
    layer, x = BetaReLU(0.6, learnable=True), sample(500)
    optimiser = clamped(make, layer)
    for sign in (-1.0, 1.0, -1.0) if up_first else (1.0, -1.0, 1.0):
        push(layer, optimiser, lambda: sign * 10 * layer(x).mean(), 80)  # noqa: B023
        assert layer.beta.item() == pytest.approx(0.99 if sign < 0 else 0.0, abs=0.01)


@pytest.mark.parametrize("name", ["SGD with momentum", "Adam"])
def test_without_it_the_same_steps_are_stuck(name: str) -> None:
    layer, x = BetaReLU(0.6, learnable=True), sample(500)
    optimiser = OPTIMISERS[name](layer.parameters())
    for sign in (-1.0, 1.0):
        for _ in range(80):
            optimiser.zero_grad()
            (sign * 10 * layer(x).mean()).backward()
            optimiser.step()
    assert layer.beta.item() >= 1


@optimisers
def test_a_hardness_is_fitted_from_an_overshoot(make: Optimiser) -> None:
    """Each channel its own."""
    x, targets = sample(400, 3), torch.tensor([0.3, 0.6, 0.9])
    y = beta_relu(x, beta=targets)
    layer = BetaReLU(0.95, learnable=True, num_channels=3)
    optimiser = clamped(make, layer)
    push(layer, optimiser, lambda: -10 * layer(x).mean(), 5)  # out at the upper end, all of them
    for group in optimiser.param_groups:
        group["lr"] /= 20
    push(layer, optimiser, lambda: 100 * (layer(x) - y).square().mean(), 800)
    torch.testing.assert_close(layer.beta.detach(), targets, rtol=0, atol=0.02)


def net() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LazyLinear(2))


@pytest.mark.parametrize("options", [
    {"share": "all"}, {"share": "site"}, {"share": "channel"}, {"smoothing": "curvature_tuning"},
])  # fmt: skip
@pytest.mark.parametrize("outside", [1.4, -0.4])
def test_a_softened_network(options: dict[str, Any], outside: float) -> None:
    x, plain = sample(4, 1, 8, 8), net()
    plain(x)
    soft = betavq.soften(plain, 0.5, learnable=True, example_inputs=x, **options)
    for beta in betavq.betas(soft).values():
        nn.init.constant_(beta, outside)
    others = {name: tensor.clone() for name, tensor in plain.named_parameters()}
    clamp_betas(soft)
    expected = 0.99 if outside > 1 else 0.0
    for beta in betavq.betas(soft).values():
        torch.testing.assert_close(beta.detach(), torch.full_like(beta, expected))
    assert all(torch.equal(tensor, others[name]) for name, tensor in soft.named_parameters() if name in others)
    betas = list(betavq.betas(soft).values())
    pulls = [torch.autograd.grad(sign * soft(x).square().sum(), betas) for sign in (-1, 1)]  # one of the two is inward
    assert all(bool(((up != 0) | (down != 0)).any()) for up, down in zip(*pulls, strict=True))


def test_layers_anywhere_in_a_model_and_nothing_else() -> None:
    model = nn.ModuleDict({
        "learned": BetaLeakyReLU(0.5, learnable=True), "pool": BetaMaxPool2d(2, learnable=True, num_channels=3),
        "maxout": BetaMaxout(learnable=True), "fixed": BetaReLU(1.0), "frozen": BetaReLU(1.0, learnable=True),
        "linear": nn.Linear(2, 2),
    })  # fmt: skip
    model["frozen"].requires_grad_(False)
    with torch.no_grad():
        for name in ("learned", "pool", "maxout"):
            model[name].beta.fill_(2.0)
        model["linear"].weight.fill_(3.0)
    clamp_betas(model, 0.1, 0.75)
    assert [model[name].beta.max().item() for name in ("learned", "pool", "maxout")] == [0.75] * 3
    assert (model["fixed"].beta.item(), model["frozen"].beta.item()) == (1.0, 1.0)
    assert torch.equal(model["linear"].weight, torch.full((2, 2), 3.0))


def test_beta_stays_the_parameter_that_it_is() -> None:
    layer = BetaReLU(0.5, learnable=True)
    beta = layer.beta
    nn.init.constant_(beta, 1.5)
    twin = copy.deepcopy(layer)
    clamp_betas(layer)
    assert layer.beta is beta
    assert list(layer.state_dict()) == ["beta"]
    assert twin.beta.item() == 1.5
    clamp_betas(twin)
    assert twin.beta.item() == pytest.approx(0.99)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_compiled_model() -> None:
    layer, x = BetaReLU(0.6, learnable=True), sample(100)
    compiled = torch.compile(layer, backend="aot_eager")
    optimiser = clamped(lambda p: torch.optim.SGD(p, lr=10.0), compiled)
    push(layer, optimiser, lambda: -compiled(x).mean(), 2)
    assert layer.beta.item() == pytest.approx(0.99)
    push(layer, optimiser, lambda: compiled(x).mean(), 20)
    assert layer.beta.item() < 0.9


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ((3,), TypeError, "model must be an nn.Module, got int"),
    ((nn.ReLU(), -0.1), ValueError, r"low must be in \[0, 1\], got -0.1"),
    ((nn.ReLU(), 0.5, 0.4), ValueError, r"high must be in \[low, 1\] = \[0.5, 1\], got 0.4"),
    ((nn.ReLU(), 0.0, 1.1), ValueError, r"high must be in \[low, 1\] = \[0, 1\], got 1.1"),
    ((nn.ReLU(), "0"), TypeError, "low must be a number, got '0'"),
])  # fmt: skip
def test_what_is_refused(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        clamp_betas(*arguments)
