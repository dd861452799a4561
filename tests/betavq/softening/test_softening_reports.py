"""Whatever has a β is set, listed, shown and hardened by the same functions: softened, with its own, or mixed."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import betavq
import betavq.functional as bF
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaMaxout, BetaMaxPool1d, BetaMaxPool2d, BetaReLU


def images():
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def own_layers(learnable=False):
    """A model that its author has built of layers with a β."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        BetaReLU(0.6, learnable=learnable),
        BetaMaxPool2d(2, 2, ceil_mode=True, beta=0.6, learnable=learnable),
        nn.Sequential(nn.Conv2d(4, 5, 3), BetaLeakyReLU(0.6, negative_slope=0.2, num_channels=5)),
        BetaLeakyReLU(0.6, negative_slope=nn.Parameter(torch.tensor(0.3))),
        BetaAbs(0.6),
        nn.Flatten(2),
        BetaMaxPool1d(2, beta=0.6),
    )


def test_a_model_of_layers_with_a_beta_of_their_own():
    net, x = own_layers(), images()
    names = ["1.beta", "2.beta", "3.1.beta", "4.beta", "5.beta", "7.beta"]
    assert list(betavq.betas(net)) == names
    assert betavq.betas(net)["1.beta"] is net[1].beta
    report = betavq.report(net)
    assert [site.beta for site in report.sites] == names
    assert [site.where for site in report.sites] == [name.removesuffix(".beta") for name in names]
    assert all(site.reason == "has a β of its own" for site in report.left_alone)
    assert str(report).splitlines()[0] == "0 sites replaced, 6 left alone"
    assert str(report).count("β = 0.6") == 6
    assert betavq.set_beta(net, 0.25) is net
    assert {beta.max().item() for beta in betavq.betas(net).values()} == {0.25}
    betavq.set_beta(net, {"3.1.beta": torch.linspace(0, 1, 5), "5.beta": 0.5})
    assert torch.equal(net[3][1].beta, torch.linspace(0, 1, 5))
    assert "β = 0..1" in str(betavq.report(net))
    with pytest.raises(ValueError, match=r"shape \(5,\) or \(\) for '3.1.beta'"):
        betavq.set_beta(net, {"5.beta": 0.9, "3.1.beta": torch.ones(4)})
    assert net[5].beta.item() == 0.5  # nothing was set
    hard = betavq.harden(net)
    kinds = [nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Sequential, nn.PReLU, BetaAbs, nn.Flatten, nn.MaxPool1d]
    assert [type(layer) for layer in hard] == kinds
    assert [type(layer) for layer in hard[3]] == [nn.Conv2d, nn.LeakyReLU]
    assert torch.equal(hard(x), betavq.set_beta(copy.deepcopy(net), 1.0)(x))
    assert type(net[1]) is BetaReLU
    assert hard[4].weight.requires_grad


@pytest.mark.parametrize(
    "layer",
    [
        BetaLeakyReLU(0.3, negative_slope=torch.tensor([0.1, -0.4, 2.0])),
        BetaLeakyReLU(0.3, negative_slope=torch.tensor([0.1, 0.4]), channel_dim=0),
        BetaMaxPool2d((3, 2), 1, (1, 1), (2, 1), beta=0.2),
        BetaMaxout(-1, beta=0.2),
        BetaReLU(0.2, inplace=True),
        BetaLeakyReLU(0.2, negative_slope=0.1, inplace=True),
        BetaAbs(0.2, learnable=True),
        BetaReLU(torch.tensor([0.2, 0.5, 0.9]), learnable=True),
    ],
)
def test_a_layer_alone_is_hardened_to_what_it_is_at_one(layer):
    x = images()
    hard = betavq.harden(layer.eval())
    assert not hard.training
    assert torch.equal(hard(x.clone()), betavq.set_beta(copy.deepcopy(layer), 1.0)(x.clone()))
    assert getattr(hard, "inplace", False) == getattr(layer, "inplace", False)
    assert [site.where for site in betavq.report(layer).sites] == [""]
    assert list(betavq.betas(layer)) == ["beta"]
    if isinstance(hard, BetaAbs | BetaMaxout):
        assert hard.beta.item() == 1
        assert not hard.beta.requires_grad


def test_learned_betas_of_layers_are_those_that_an_optimiser_takes():
    net = own_layers(learnable=True)
    parameters = [beta for beta in betavq.betas(net).values() if isinstance(beta, nn.Parameter)]
    assert {id(beta) for beta in parameters} == {id(net[1].beta), id(net[2].beta)}
    torch.optim.SGD(parameters, lr=0.1)


class Hard(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()

    def forward(self, x):
        return F.relu(self.conv(self.relu(x)))


def test_a_model_of_which_a_part_is_softened():
    soft = betavq.soften(Hard(), 0.4, share="site", learnable=True)
    net, x = nn.ModuleDict({"soft": soft, "own": BetaReLU(0.7), "hard": Hard()}), images()
    assert set(betavq.betas(net)) == {"soft.relu.softening_beta", "soft.softening_beta_relu", "own.beta"}
    report = betavq.report(net)
    assert [(site.where, site.replaced) for site in report.sites] == [
        ("soft.relu", True),
        ("soft: relu", True),
        ("own", False),
        ("hard.relu", False),
        ("hard: relu", False),
    ] or report.note
    assert {site.where: site.beta for site in report.replaced} == {
        "soft.relu": "soft.relu.softening_beta",
        "soft: relu": "soft.softening_beta_relu",
    }
    hard = [site for site in report.left_alone if site.where.startswith("hard")]
    assert hard
    assert all("betavq.soften" in site.reason for site in hard)
    betavq.set_beta(net, 0.9)
    assert {round(beta.item(), 6) for beta in betavq.betas(net).values()} == {0.9}
    with torch.no_grad():
        expected = bF.beta_relu(soft.conv(bF.beta_relu(x, beta=0.9)), beta=0.9)
    torch.testing.assert_close(net["soft"](x), expected)
    made = betavq.harden(net)
    assert torch.equal(made["soft"](x), betavq.set_beta(soft, 1.0)(x))
    assert type(made["own"]) is nn.ReLU


def test_what_is_hard_beside_layers_with_a_beta_is_listed():
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.own, self.hard = BetaReLU(0.5), nn.ReLU()

        def forward(self, x):
            return F.leaky_relu(self.hard(self.own(x) - 1))

    report = betavq.report(Mixed())
    assert {(site.where, site.what, site.replaced) for site in report.sites} == {
        ("own", "BetaReLU", False),
        ("hard", "relu", False),
        ("leaky_relu", "leaky_relu", False),
    }
    assert report.note == ""
    soft = betavq.soften(Mixed(), 0.2)
    assert {(site.where, site.replaced, site.beta) for site in betavq.report(soft).sites} == {
        ("own", False, "own.beta"),
        ("hard", True, "softening_beta"),
        ("leaky_relu", True, "softening_beta"),
    }
    betavq.set_beta(soft, 0.3)
    assert soft.own.beta.item() == pytest.approx(0.3)


def test_a_beta_that_the_code_gives_is_listed():
    class Calls(nn.Module):
        def __init__(self):
            super().__init__()
            self.own = BetaReLU(0.5)

        def forward(self, x):
            return bF.beta_abs(self.own(x), beta=0.3)

    for model in (Calls(), nn.Sequential(Calls()), betavq.soften(nn.Sequential(Calls(), nn.ReLU()), 0.2)):
        (site,) = (site for site in betavq.report(model).sites if site.what == "beta_abs")
        assert not site.replaced
        assert "set_beta does not reach" in site.reason


def test_a_call_and_a_module_of_one_name_are_two_sites():
    soft, x = betavq.soften(Hard(), 0.5, share="site"), images()
    assert [site.where for site in betavq.report(soft).sites] == ["relu", "relu"]
    assert len(betavq.betas(soft)) == 2
    betavq.set_beta(soft, {"relu.softening_beta": 0.2, "softening_beta_relu": 0.8})
    expected = bF.beta_relu(soft.conv(bF.beta_relu(x, beta=0.2)), beta=0.8)
    torch.testing.assert_close(soft(x), expected)


def test_a_part_of_a_softened_model_has_the_beta_of_the_whole():
    soft = betavq.soften(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), 0.5)
    assert list(betavq.betas(soft[1])) == ["softening_beta"]
    betavq.set_beta(soft[1], 0.1)
    assert betavq.betas(soft)["softening_beta"].item() == pytest.approx(0.1)


def test_beta_smoothing_and_share_are_seen():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True), nn.GELU(), nn.LeakyReLU(0.2))
    soft = betavq.soften(net, 0.5)
    assert repr(soft[1]) == "SoftenedReLU(inplace=True, beta=0.5)"
    assert repr(soft[2]) == repr(net[2])
    assert "SoftenedSequential(" in repr(soft)
    assert "SoftenedLeakyReLU(negative_slope=0.2, beta=0.5)" in repr(soft)
    betavq.set_beta(soft, 0.25)
    assert "beta=0.25" in repr(soft[1])
    report = betavq.report(soft)
    assert (report.smoothing, report.share, report.betas) == ("value", "all", {"softening_beta": "0.25"})
    assert str(report).splitlines()[0] == "2 sites replaced, 1 left alone; smoothing value, share all, β = 0.25"
    assert str(report).splitlines()[1].endswith("  replaced")
    learned = betavq.soften(nn.ReLU(), 0.5, smoothing="curvature_tuning", learnable=True)
    assert repr(learned) == "SoftenedReLU(beta=0.5, smoothing=0.5, learnable=True)"
    assert str(betavq.report(learned)).startswith("1 site replaced, 0 left alone; smoothing 0.5, share all, β = 0.5")
    sites = betavq.soften(Hard(), 0.5, share="site", smoothing="free_energy")
    assert "beta_relu=0.5, smoothing='free_energy'" in repr(sites)
    betavq.set_beta(sites, {"relu.softening_beta": 0.125})
    assert [line.split("  ")[-1] for line in str(betavq.report(sites)).splitlines()[1:]] == [
        "replaced, β = 0.125",
        "replaced, β = 0.5",
    ]
    channels = betavq.soften(net, 0.5, share="channel", example_inputs=torch.ones(1, 3))
    betavq.set_beta(channels, {"1.softening_beta": torch.tensor([0.0, 0.5, 1.0])})
    assert repr(channels[1]) == "SoftenedReLU(inplace=True, beta=0..1)"
    assert repr(betavq.harden(soft)) == repr(net)


def test_a_model_without_a_beta_is_told_the_ways():
    for function in (betavq.report, betavq.betas, betavq.harden, lambda net: betavq.set_beta(net, 0.5)):
        with pytest.raises(ValueError, match=r"by betavq\.soften, or built of layers of betavq\.nn"):
            function(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))


@pytest.mark.parametrize("share", ["all", "site"])
def test_what_is_put_into_a_softened_model_is_listed_as_hard(share):
    class Calls(nn.Module):
        def forward(self, x):
            return F.relu(x)

    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Sequential(nn.Linear(6, 2), nn.ReLU()))
    soft = betavq.soften(net, 0.5, share=share)
    soft[1] = nn.LeakyReLU(0.1)
    soft[2].append(Calls())
    soft.extend([nn.GELU(), betavq.nn.BetaReLU(0.3)])
    sites = {site.where: site for site in betavq.report(soft).sites}
    assert {where for where, site in sites.items() if site.replaced} == {"2.1"}
    assert all("put into the model after" in sites[where].reason for where in ("1", "2.2"))
    assert "smooth" in sites["3"].reason
    assert sites["4"].beta == "4.beta"
    assert set(betavq.betas(soft)) == {"softening_beta" if share == "all" else "2.1.softening_beta", "4.beta"}
    assert [site.where for site in betavq.report(nn.Sequential(soft)).replaced] == ["0.2.1"]


def test_what_is_put_into_a_watched_module_is_softened():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 6), nn.ReLU())

        def forward(self, x):
            return F.relu(self.layers(x) - 0.1)

    net, x = Net(), torch.randn(3, 4)
    soft = betavq.soften(net, 0.5)
    soft.layers.append(nn.ReLU())
    assert torch.allclose(soft(x), F.silu(F.silu(F.silu(net.layers[0](x))) - 0.1))
    report = betavq.report(soft)
    assert [site.what for site in report.replaced] == ["relu"] * 3
    assert report.left_alone == ()
