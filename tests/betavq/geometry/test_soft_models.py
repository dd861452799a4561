"""A soft model is never taken for a hard one: refused by name below β = 1, and at β = 1 it is the hard network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from partition_examples import box, outputs
from torch import Tensor, nn

import betavq
from betavq import MASO, functional, geometry
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaMaxPool1d, BetaReLU


def hard_net() -> nn.Module:
    torch.manual_seed(5)
    pooled = (nn.Unflatten(1, (2, 4)), nn.MaxPool1d(2), nn.Flatten())
    layers = (nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.LeakyReLU(0.1), *pooled, nn.Linear(4, 3))
    return nn.Sequential(*layers).double().eval()


def of_layers(beta: float) -> nn.Module:
    net = hard_net()
    net[1], net[3] = BetaReLU(beta), BetaLeakyReLU(beta, negative_slope=0.1)
    net[5] = BetaMaxPool1d(2, beta=beta)
    return net.double()


class Functional(nn.Module):
    """The same by functions that take β."""

    def __init__(self, beta: float) -> None:
        super().__init__()
        self.net, self.beta = hard_net(), beta

    def forward(self, x: Tensor) -> Tensor:
        x = functional.beta_relu(self.net[0](x), beta=self.beta)
        x = functional.beta_leaky_relu(self.net[2](x), 0.1, beta=self.beta).unflatten(1, (2, 4))
        return self.net[7](functional.beta_max_pool1d(x, 2, beta=self.beta).flatten(1))


def mixed(beta: float) -> nn.Module:
    """One part softened, one of the library's layers, one hard."""
    net = hard_net()
    net[3] = BetaLeakyReLU(beta, negative_slope=0.1)
    return nn.Sequential(betavq.soften(net[:2], beta), *net[2:]).double().eval()


def by_site(beta: float) -> nn.Module:
    """Hard but for one site."""
    soft = betavq.soften(hard_net(), 1.0, share="site")
    return betavq.set_beta(soft, {"3.softening_beta": beta})


SOFT: dict[str, Callable[[float], nn.Module]] = {
    "softened": lambda beta: betavq.soften(hard_net(), beta),
    "free energy": lambda beta: betavq.soften(hard_net(), beta, smoothing="free_energy"),
    "mix": lambda beta: betavq.soften(hard_net(), beta, smoothing=0.3),
    "learnable": lambda beta: betavq.soften(hard_net(), beta, learnable=True),
    "by site": by_site,
    "layers": of_layers,
    "functions": Functional,
    "mixed": mixed,
    "within": lambda beta: nn.Sequential(nn.Identity(), betavq.soften(hard_net(), beta)).eval(),
}
X = torch.from_numpy(np.random.default_rng(0).uniform(-2, 2, (30, 2)))
USES: dict[str, Callable[[Any], Any]] = {
    "partition": lambda model: geometry.partition(model, box(1.0)).areas,
    "decision_boundary": lambda model: [line.length for line in geometry.decision_boundary(model, box(1.0))],
    "distance_to_border": lambda model: geometry.distance_to_border(model, X),
    "nearest_border": lambda model: geometry.nearest_border(model, X),
    "codes": lambda model: torch.cat(list(geometry.codes(model, X).values()), 1),
    "vq_distance": lambda model: geometry.vq_distance(model, X[:9], X[9:18]).mean,
    "affine_map": lambda model: geometry.affine_map(model, X).slopes,
    "offsets": lambda model: geometry.affine_map(model, X).offsets,
    "templates": lambda model: geometry.templates(model, X, [1]),
    "convexity": lambda model: [geometry.convexity(model, X).convex],
    "centroid": lambda model: geometry.centroid(model, X),
    "power_diagram": lambda model: (
        geometry.power_diagram(
            MASO(torch.eye(3).double().reshape(3, 1, 3), torch.zeros(3, 1).double()), before=model, at=X[0]
        ).centroids
    ),
    "adversarial_risk": lambda model: geometry.adversarial_risk(model, X[:4], torch.zeros(4, dtype=torch.long)).slope,
    "template_penalty": lambda model: geometry.template_penalty(model, X).detach(),
}
each_kind = pytest.mark.parametrize("kind", SOFT)
each_use = pytest.mark.parametrize("use", USES)


def test_every_function_that_takes_a_model_is_here() -> None:
    takers = {name for name in geometry.__all__ if name[0].islower()}
    assert takers - set(USES) == {"soft_partition", "last_layer_penalty"}


@each_use
@each_kind
@pytest.mark.parametrize("beta", [0.5, 0.0, 0.999999])
def test_below_1_it_is_refused_by_name(kind: str, use: str, beta: float) -> None:
    if kind == "free energy" and beta == 0:
        beta = 0.1
    with pytest.raises(ValueError, match=rf"is softened at β = {beta:g}: set_beta\(model, 1\) or harden\(model\)"):
        USES[use](SOFT[kind](beta))


@each_use
@each_kind
def test_at_1_it_is_the_hard_network(kind: str, use: str) -> None:
    found, expected = USES[use](SOFT[kind](1.0)), USES[use](hard_net())
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-12, atol=1e-12)


@each_kind
def test_a_function_that_calls_a_soft_model_is_no_hard_one(kind: str) -> None:
    soft, hard, net = SOFT[kind](0.5), SOFT[kind](1.0), hard_net()
    for use in ("codes", "affine_map", "convexity", "centroid"):
        with pytest.raises(ValueError, match=r"is softened at β = 0\.5"):
            USES[use](lambda x: soft(x))
        np.testing.assert_allclose(np.asarray(USES[use](lambda x: hard(x))), np.asarray(USES[use](net)), atol=1e-12)


def test_a_softened_activation_or_pool_is_no_hard_layer() -> None:
    linear, x = nn.Linear(4, 6).double(), torch.randn(7, 4).double()
    for make in (lambda beta: betavq.soften(nn.Sequential(nn.ReLU()), beta)[0], BetaReLU):
        with pytest.raises(ValueError, match=r"activation must have beta = 1, got 0\.25: .*is softened at β = 0\.25"):
            MASO.from_layers(linear, activation=make(0.25))
        hard = MASO.from_layers(linear, activation=make(1.0))
        torch.testing.assert_close(hard(x), linear(x).relu(), rtol=0, atol=1e-15)
    pool = betavq.soften(nn.Sequential(nn.MaxPool1d(2)), 0.0)[0]
    with pytest.raises(ValueError, match="pool must have beta = 1, got 0: MaxPool1d is softened"):
        MASO.from_layers(linear, pool=pool)
    by_site = betavq.soften(nn.Sequential(nn.ReLU(), nn.ReLU()), 1.0, share="site")
    betavq.set_beta(by_site, {"1.softening_beta": 0.5})
    MASO.from_layers(linear, activation=by_site[0])
    with pytest.raises(ValueError, match="is softened at"):
        MASO.from_layers(linear, activation=by_site[1])


@each_kind
def test_a_soft_partition_takes_it_at_its_own_beta(kind: str) -> None:
    soft = SOFT[kind](0.75)
    found = geometry.soft_partition(soft, box(2.0), resolution=6)
    grid = torch.from_numpy(np.stack(np.meshgrid(found.x, found.y), -1)).reshape(-1, 2)
    np.testing.assert_allclose(found.logits.reshape(3, -1).T, outputs(soft, grid), atol=1e-12)
    assert found.entropy.shape == (3, 6, 6)
    assert found.beta == (None if kind in ("by site", "mixed") else 0.75)
    if kind in ("softened", "learnable", "layers", "functions", "within"):
        plain = geometry.soft_partition(hard_net(), box(2.0), 0.75, resolution=6)
        np.testing.assert_allclose(found.entropy, plain.entropy, atol=1e-12)
        np.testing.assert_allclose(found.logits, plain.logits, atol=1e-12)
    elif kind == "by site":
        assert found.entropy[[0, 2]].max() == 0
        assert found.entropy[1].min() > 0


@each_kind
def test_a_soft_partition_takes_it_at_the_beta_it_is_given(kind: str) -> None:
    for own in (0.75, 1.0):
        found = geometry.soft_partition(SOFT[kind](own), box(2.0), 0.3, resolution=5)
        plain = geometry.soft_partition(hard_net(), box(2.0), 0.3, resolution=5)
        np.testing.assert_allclose(found.entropy, plain.entropy, atol=1e-12)
        np.testing.assert_allclose(found.logits, plain.logits, atol=1e-12)


def test_a_hard_network_has_hardness_1_and_a_channel_its_own() -> None:
    found = geometry.soft_partition(hard_net(), box(1.0), resolution=4)
    assert found.beta == 1
    assert (found.entropy == 0).all()
    by_channel = nn.Sequential(nn.Linear(2, 2), BetaAbs(torch.tensor([0.0, 1.0])), nn.Linear(2, 1)).double().eval()
    found = geometry.soft_partition(by_channel, box(1.0), resolution=4)
    assert found.entropy == pytest.approx(0.5)
    assert repr(found) == "SoftPartition(own β, 1 layers of units on 4 × 4 points)"
