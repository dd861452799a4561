"""Matched moments: softened units with the means and spreads of the hard ones, and nothing at β = 1."""

from __future__ import annotations

import copy
import io
import warnings

import pytest
import torch
import torch.nn.functional as F
from softening_examples import AbsAndSlopes, BuiltInForward, Inception, ResNet, vgg
from torch import Tensor, nn

import betavq

MODELS = [ResNet, BuiltInForward, Inception, vgg, AbsAndSlopes]


def images(count: int = 64, size: int = 16) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(5))


def made(build) -> nn.Module:
    torch.manual_seed(3)
    model = build()
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(images())  # for batch normalisation to have statistics
    return model.eval()


class Twice(nn.Module):
    """One ReLU module for two layers of different widths and for two of one width; a pooling besides."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(12, 6), nn.Linear(6, 9), nn.Linear(9, 9)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.b(self.relu(self.a(x))))
        x = F.relu(self.relu(self.c(x)) - 0.2)
        return F.max_pool1d(x.unsqueeze(1), 3).squeeze(1)


@torch.no_grad()
def outputs(model: nn.Module, x: Tensor) -> list[Tensor]:
    """What each module that is a site puts out, in order."""
    found: list[Tensor] = []
    names = ("ReLU", "LeakyReLU", "PReLU", "MaxPool2d", "SoftenedReLU", "SoftenedMaxPool2d", "SoftenedPReLU")
    hooks = [
        module.register_forward_hook(lambda *args: found.append(args[2].clone()))
        for module in model.modules()
        if module._get_name() in names
    ]
    model(x)
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("build", [ResNet, vgg])
def test_each_site_has_the_moments_of_the_hard_one(build, beta):
    net, x = made(build), images()
    soft = betavq.match_moments(betavq.soften(net, beta), x)
    wanted, found = outputs(net, x), outputs(soft, x)
    assert len(wanted) == len(found) > 3
    for hard, now in zip(wanted, found, strict=True):
        one, other = (y.movedim(1, 0).flatten(1).double() for y in (hard, now))
        site = one.var(1, unbiased=False).mean().sqrt()
        torch.testing.assert_close(other.mean(1), one.mean(1), rtol=1e-3, atol=1e-4)
        lively = one.std(1, unbiased=False) > 0.02 * site
        torch.testing.assert_close(other.std(1)[lively], one.std(1)[lively], rtol=1e-2, atol=1e-4)


def test_by_hand():
    x = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 5.0, 0.3, 1.0, 2.0])
    soft = betavq.match_moments(betavq.soften(nn.ReLU(), 0.5), x)
    hard, plain = x.relu().double(), F.silu(x).double()
    gain = hard.std(0) / plain.std(0)
    expected = gain * (plain - plain.mean(0)) + hard.mean(0)
    torch.testing.assert_close(soft(x).double(), expected, rtol=1e-4, atol=1e-5)
    rows = soft.state_dict()["softening_moments"]
    torch.testing.assert_close(rows[0].double(), gain, rtol=1e-5, atol=1e-6)
    assert (rows[2] == 0.5).all()


@pytest.mark.parametrize("build", MODELS)
def test_at_one_nothing_changes_and_harden_is_exact(build):
    net, x = made(build), images()
    with torch.no_grad():
        expected = net(x)
        soft = betavq.match_moments(betavq.soften(net, 0.6, example_inputs=x[:2]), x)
        assert not torch.equal(soft(x), expected)
        assert torch.equal(betavq.set_beta(soft, 1.0)(x), expected)
        hardened = betavq.harden(soft)
        assert torch.equal(hardened(x), expected)
    assert hardened.state_dict().keys() == net.state_dict().keys()
    learned = betavq.match_moments(betavq.soften(net, 0.6, learnable=True, example_inputs=x[:2]), x)
    with torch.no_grad():
        torch.testing.assert_close(betavq.set_beta(learned, 1.0)(x), expected, rtol=0, atol=0)


@pytest.mark.parametrize("build", [*MODELS, Twice])
def test_batches_give_what_all_images_at_once_give(build):
    x = images() if build is not Twice else images(64, 2).flatten(1)
    torch.manual_seed(3)
    net = build() if build is Twice else made(build)
    once, batched = (
        betavq.match_moments(betavq.soften(net, 0.5, example_inputs=x[:2]), x, batch_size=size) for size in (64, 15)
    )
    one, other = (model.state_dict() for model in (once, batched))
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(once(x), batched(x), rtol=1e-3, atol=1e-3)


def test_a_module_that_is_called_often_is_matched_call_by_call():
    torch.manual_seed(0)
    net, x = Twice(), images(64, 2).flatten(1)
    soft = betavq.match_moments(betavq.soften(net, 0.5, example_inputs=x[:2]), x)
    names = [name for name in soft.state_dict() if "moments" in name]
    assert names == [
        "softening_moments_relu",
        "softening_moments_max_pool1d",
        "relu.softening_moments",
        "relu.softening_moments_call2",
        "relu.softening_moments_call3",
    ]
    with torch.no_grad():
        torch.testing.assert_close(soft(x), soft(x), rtol=0, atol=0)
        torch.testing.assert_close(soft(x).mean(), net(x).mean(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("build", [ResNet, Inception, Twice])
def test_a_state_goes_round(build):
    x = images() if build is not Twice else images(64, 2).flatten(1)
    net = build().eval()
    soft = betavq.match_moments(betavq.soften(net, 0.5, example_inputs=x[:2]), x)
    stored = io.BytesIO()
    torch.save(soft.state_dict(), stored)
    stored.seek(0)
    fresh = betavq.soften(net, 0.9, example_inputs=x[:2])
    fresh.load_state_dict(torch.load(stored))
    copied = copy.deepcopy(soft)
    with torch.no_grad():
        assert torch.equal(fresh(x), soft(x))
        assert torch.equal(copied(x), soft(x))
    assert str(betavq.report(fresh)) == str(betavq.report(soft))
    assert "moments matched at β = 0.5" in str(betavq.report(fresh))
    soft.load_state_dict(net.state_dict())  # that of the original leaves β and moments as they are
    for name, value in betavq.match_moments(copied, x).state_dict().items():
        torch.testing.assert_close(value, soft.state_dict()[name])


def test_another_beta_says_that_moments_are_stale():
    net, x = made(vgg), images()
    soft = betavq.match_moments(betavq.soften(net, 0.5), x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        betavq.set_beta(soft, 0.5)
        betavq.set_beta(soft, 1.0)
    assert "stale" not in str(betavq.report(soft))
    with pytest.warns(UserWarning, match=r"matched at β = 0.5 and are stale now: call betavq.match_moments again"):
        betavq.set_beta(soft, 0.7)
    assert betavq.report(soft).sites[0].moments == "moments matched at β = 0.5, stale"
    betavq.match_moments(soft, x)
    assert betavq.report(soft).sites[0].moments == "moments matched at β = 0.7"
    assert [name for name in soft.state_dict() if "moments" in name] == [
        name for site in betavq.report(soft).sites for name in [f"{site.where}.softening_moments"]
    ]


def test_one_site_at_one_among_softer_ones():
    net, x = made(ResNet), images()
    soft = betavq.soften(net, 0.5, share="site", example_inputs=x[:2])
    betavq.set_beta(soft, {"relu.softening_beta": 1.0})
    betavq.match_moments(soft, x)
    assert not hasattr(soft.relu, "softening_moments")
    assert hasattr(soft.maxpool, "softening_moments")


def test_dead_channels_do_not_blow_up():
    x = torch.randn(300, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    x[:, 1] = -40 - x[:, 1].abs()  # off for all images
    x[:, 2] = -3.0  # and so, but the soft unit puts out a constant
    soft = betavq.match_moments(betavq.soften(nn.ReLU(), 0.5), x)
    gains = soft.state_dict()["softening_moments"][0]
    y = soft(x)
    assert torch.isfinite(y).all()
    assert gains.max() < 3
    torch.testing.assert_close(y[:, 1:3], torch.zeros_like(y[:, 1:3]), rtol=0, atol=1e-4)
    silent = betavq.match_moments(betavq.soften(nn.ReLU(), 0.5), torch.full((40, 2, 3, 3), -1.0))
    assert torch.isfinite(silent(x[:, :2])).all()


def test_gradients_also_where_a_unit_overwrites_its_input():
    class InPlace(nn.Module):
        def __init__(self, in_place: bool) -> None:
            super().__init__()
            self.layer, self.in_place = nn.Linear(4, 4).double(), in_place

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(self.layer(x), inplace=self.in_place)

    x, grads = torch.randn(50, 4).double(), []
    for in_place in (False, True):
        torch.manual_seed(1)
        soft = betavq.match_moments(betavq.soften(InPlace(in_place), 0.5), x)
        soft(x).square().sum().backward()
        grads.append(soft.layer.weight.grad)
    torch.testing.assert_close(*grads)
    learned = betavq.match_moments(betavq.soften(InPlace(True), 0.5, learnable=True), x)
    learned(x).square().sum().backward()
    assert learned.softening_beta.grad.abs() > 0


def test_the_model_is_left_in_its_mode_and_no_weight_changes():
    net, x = made(vgg), images()
    soft = betavq.soften(net, 0.5).train()
    soft[1].eval()
    before = {name: value.clone() for name, value in soft.state_dict().items()}
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    betavq.match_moments(soft, x, batch_size=20)
    assert torch.equal(torch.rand(3), expected)
    assert soft.training
    assert not soft[1].training
    after = soft.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize("smoothing", ["free_energy", "curvature_tuning"])
def test_other_smoothings_and_half_precision(smoothing):
    net, x = made(vgg), images()
    soft = betavq.match_moments(betavq.soften(net, 0.5, smoothing=smoothing), x)
    for hard, now in zip(outputs(net, x), outputs(soft, x), strict=True):
        torch.testing.assert_close(
            now.mean((0, 2, 3) if now.dim() == 4 else 0),
            hard.mean((0, 2, 3) if now.dim() == 4 else 0),
            rtol=1e-3,
            atol=1e-3,
        )
    half = copy.deepcopy(soft).to(torch.bfloat16)
    assert half.state_dict()["2.softening_moments"].dtype == torch.float32
    assert half(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compiled_it_is_the_same():
    net, x = made(vgg), images(8)
    soft = betavq.match_moments(betavq.soften(net, 0.5), images())
    compiled = torch.compile(soft, backend="eager")
    with torch.no_grad():
        for _ in range(3):
            torch.testing.assert_close(compiled(x), soft(x), rtol=1e-5, atol=1e-5)


def test_what_is_refused_and_few_images():
    net, x = made(vgg), images()
    soft = betavq.soften(net, 0.5)
    with pytest.raises(ValueError, match="model must be softened"):
        betavq.match_moments(net, x)
    with pytest.raises(ValueError, match=r"softened must be what betavq\.soften returned"):
        betavq.match_moments(betavq.nn.BetaReLU(0.5), x)
    with pytest.raises(TypeError, match="images must be a tensor"):
        betavq.match_moments(soft, [x])
    with pytest.raises(ValueError, match=r"images must have shape \(N, ...\) with N at least 1, got \(0, 3"):
        betavq.match_moments(soft, x[:0])
    with pytest.raises(ValueError, match="batch_size"):
        betavq.match_moments(soft, x, batch_size=0)
    with pytest.warns(UserWarning, match="images should be 32 at least, for their moments to be known, got 31"):
        betavq.match_moments(soft, x[:31])
    broken = betavq.soften(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(7, 2)), 0.5)
    with pytest.raises(RuntimeError):
        betavq.match_moments(broken, x)
    with torch.no_grad():
        assert betavq.report(broken).sites[0].moments == ""
