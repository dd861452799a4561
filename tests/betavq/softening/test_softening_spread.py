"""The spread of each site's scores, and how soft its codes are."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from softening_examples import AbsAndSlopes, Inception, vgg
from torch import nn

import betavq


def test_spread_is_the_standard_deviation_of_what_a_site_is_given():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3), nn.ReLU()).eval()
    x = torch.randn(90, 4)
    found = betavq.spread(net, x, batch_size=40)
    with torch.no_grad():
        assert found == pytest.approx(
            {"1": net[0](x).std(unbiased=False).item(), "3": net[:3](x).std(unbiased=False).item()}
        )
    scaled = nn.Sequential(net[0], net[1], nn.Linear(6, 3), net[3])
    scaled[2].load_state_dict({name: 10 * value for name, value in net[2].state_dict().items()})
    assert betavq.spread(scaled, x)["3"] == pytest.approx(10 * found["3"], rel=1e-4)
    soft = betavq.soften(net, 0.0)
    with torch.no_grad():
        seen = net[2](net[0](x) / 2)
    assert betavq.spread(soft, x)["3"] == pytest.approx(seen.std(unbiased=False).item(), rel=1e-4)


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_softness_is_the_mean_entropy_of_the_codes(beta):
    u = torch.randn(50, 3, 6, 6, generator=torch.Generator().manual_seed(1)).double()
    windows = F.unfold(u, 2, stride=2).view(50, 3, 4, 9).movedim(2, -1)
    expected = {
        nn.ReLU(): torch.stack([torch.zeros_like(u), u], -1),
        nn.LeakyReLU(0.2): torch.stack([0.2 * u, u], -1),
        nn.PReLU(init=0.1): torch.stack([0.1 * u, u], -1),
        nn.MaxPool2d(2): windows,
        nn.MaxPool2d((2, 2)): windows,
    }
    for module, scores in expected.items():
        code = betavq.code(scores, beta)
        entropy = torch.special.entr(code).sum(-1).mean().item() / math.log(scores.shape[-1])
        (site,) = betavq.report(betavq.soften(module.double(), beta), u, batch_size=20).replaced
        assert site.softness == pytest.approx(entropy, abs=1e-5)
        assert site.spread == pytest.approx(u.std(unbiased=False).item(), rel=1e-6)


def test_abs_and_channels_and_calls():
    torch.manual_seed(0)
    x = torch.randn(40, 3, 12, 12)
    for build in (AbsAndSlopes, Inception, vgg):
        x = torch.randn(40, 3, 16, 16)
        soft = betavq.soften(build().eval(), 0.5, share="channel", example_inputs=x[:2])
        found = betavq.report(soft, x)
        sites = [site for site in found.replaced if site.softness is not None]
        assert len(sites) >= 4
        assert all(0 < site.softness <= 1 for site in sites)
        harder = betavq.report(betavq.set_beta(soft, 0.9), x)
        assert harder.replaced[0].softness < found.replaced[0].softness


def test_the_report_prints_them_and_the_model_is_left_alone():
    net = nn.Sequential(nn.ReLU(), nn.Dropout(0.5)).train()
    soft = betavq.soften(net, 0.5)
    x = torch.tensor([[-2.0, 2.0]] * 40)
    assert "spread 2, softness 0.527" in str(betavq.report(soft, x))
    assert soft.training
    assert "spread" not in str(betavq.report(soft))
    with pytest.raises(TypeError, match="images must be a tensor"):
        betavq.report(soft, [x])
    with pytest.raises(TypeError, match=r"model must be an nn\.Module"):
        betavq.spread("net", x)
