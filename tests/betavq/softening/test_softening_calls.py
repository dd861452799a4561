"""Every way to call a nonlinearity: softened with its arguments, in place or not, or reported with a reason."""

import functools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import betavq
import betavq.functional as bF

BETA, SLOPES = 0.7, torch.tensor([0.1, -0.3, 0.4])

relu = functools.partial(bF.beta_relu, beta=BETA)
leaky = functools.partial(bF.beta_leaky_relu, negative_slope=0.2, beta=BETA)
absolute = functools.partial(bF.beta_abs, beta=BETA)
prelu = functools.partial(bF.beta_leaky_relu, negative_slope=SLOPES.view(3, 1, 1), beta=BETA)


def pool2d(*args, **kwargs):
    return lambda x: bF.beta_max_pool2d(x, *args, **kwargs, beta=BETA)


def pool1d(*args, **kwargs):
    return lambda x: bF.beta_max_pool1d(x.flatten(2), *args, **kwargs, beta=BETA)


CALLS = {
    "F.relu": (lambda x: F.relu(x), relu),
    "F.relu, by name": (lambda x: F.relu(input=x, inplace=False), relu),
    "torch.relu": (lambda x: torch.relu(x), relu),
    "x.relu": (lambda x: x.relu(), relu),
    "aten.relu": (lambda x: torch.ops.aten.relu.default(x), relu),
    "nn.ReLU": (lambda x: nn.ReLU()(x), relu),
    "partial": (functools.partial(F.relu, inplace=False), relu),
    "F.leaky_relu": (lambda x: F.leaky_relu(x, 0.2), leaky),
    "F.leaky_relu, by name": (lambda x: F.leaky_relu(x, negative_slope=0.2), leaky),
    "nn.LeakyReLU": (lambda x: nn.LeakyReLU(0.2)(x), leaky),
    "F.prelu": (lambda x: F.prelu(x, SLOPES), prelu),
    "x.prelu": (lambda x: x.prelu(SLOPES), prelu),
    "torch.abs": (lambda x: torch.abs(x), absolute),
    "torch.absolute": (lambda x: torch.absolute(x), absolute),
    "x.abs": (lambda x: x.abs(), absolute),
    "abs": (lambda x: abs(x), absolute),
    "F.max_pool2d": (lambda x: F.max_pool2d(x, 3, 2, 1), pool2d(3, 2, 1)),
    "F.max_pool2d, ceil": (lambda x: F.max_pool2d(x, 2, stride=3, ceil_mode=True), pool2d(2, 3, ceil_mode=True)),
    "F.max_pool2d, dilated": (lambda x: F.max_pool2d(x, (3, 2), dilation=2), pool2d((3, 2), dilation=2)),
    "torch.max_pool2d": (lambda x: torch.max_pool2d(x, 2), pool2d(2)),
    "nn.MaxPool2d": (lambda x: nn.MaxPool2d(3, 1, 1)(x), pool2d(3, 1, 1)),
    "F.max_pool1d": (lambda x: F.max_pool1d(x.flatten(2), 3, 2, 1), pool1d(3, 2, 1)),
    "nn.MaxPool1d": (
        lambda x: nn.MaxPool1d(3, dilation=2, ceil_mode=True)(x.flatten(2)),
        pool1d(3, dilation=2, ceil_mode=True),
    ),
}
IN_PLACE = {
    "F.relu": (lambda x: F.relu(x, inplace=True), relu),
    "F.relu_": (lambda x: F.relu_(x), relu),
    "torch.relu_": (lambda x: torch.relu_(x), relu),
    "x.relu_": (lambda x: x.relu_(), relu),
    "nn.ReLU": (lambda x: nn.ReLU(inplace=True)(x), relu),
    "F.leaky_relu": (lambda x: F.leaky_relu(x, 0.2, True), leaky),
    "F.leaky_relu_": (lambda x: F.leaky_relu_(x, 0.2), leaky),
    "x.abs_": (lambda x: x.abs_(), absolute),
    "torch.abs_": (lambda x: torch.abs_(x), absolute),
}
LEFT_ALONE = {
    "F.relu6": (lambda x: F.relu6(x), "three pieces"),
    "F.gelu": (lambda x: F.gelu(x), "smooth"),
    "F.silu": (lambda x: F.silu(x), "smooth"),
    "clamp": (lambda x: x.clamp(min=0), "clamp"),
    "torch.clamp": (lambda x: torch.clamp(x, 0), "clamp"),
    "maximum": (lambda x: torch.maximum(x, torch.zeros(())), "maximum"),
    "threshold": (lambda x: F.threshold(x, 0.0, 0.0), "threshold"),
    "rrelu": (lambda x: F.rrelu(x), "random"),
    "indices": (lambda x: F.max_pool2d(x, 2, return_indices=True)[0], "indices"),
    "nn.MaxPool2d with indices": (lambda x: nn.MaxPool2d(2, return_indices=True)(x)[0], "indices"),
    "adaptive": (lambda x: F.adaptive_max_pool2d(x, 2), "no max-pooling"),
    "integers": (lambda x: x.mul(10).long().abs(), "torch.int64"),
    "out": (lambda x: torch.abs(x, out=torch.empty_like(x)), "out="),
    "recurrence": (lambda x: nn.RNN(6, 2, nonlinearity="relu")(x.flatten(0, 1))[0], "recurrence"),
}


class Model(nn.Module):
    """One call, which it holds as an attribute, and an affine map before it."""

    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, x):
        return self.call(x * 1.5)


def images():
    return torch.randn(2, 3, 7, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_softened_with_its_arguments(name):
    call, expected = CALLS[name]
    soft, x = betavq.soften(Model(call), BETA, example_inputs=images()), images()
    torch.testing.assert_close(soft(x), expected(x * 1.5))
    assert [site.replaced for site in betavq.report(soft).sites] == [True]
    assert torch.equal(betavq.set_beta(soft, 1.0)(x), call(x * 1.5))
    energy = betavq.soften(Model(call), 0.999, smoothing="free_energy", example_inputs=images())(x)
    torch.testing.assert_close(energy, call(x * 1.5), rtol=0, atol=3e-3)
    assert (energy >= call(x * 1.5) - 1e-6).all()


class Aliased(nn.Module):
    """Uses what a call in place overwrites, not what it returns."""

    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, x):
        y = x * 1.5
        returned = self.call(y)
        assert returned is y or returned.data_ptr() == y.data_ptr()
        part = x[:1] * 2
        self.call(part[:, :2])
        return y + part


@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("name", IN_PLACE)
def test_a_call_in_place_overwrites_its_input(name, learnable):
    call, unit = IN_PLACE[name]
    soft = betavq.soften(Aliased(call), BETA, learnable=learnable, example_inputs=images())
    x, other = images().requires_grad_(), images().requires_grad_()
    part = other[:1] * 2
    expected = unit(other * 1.5) + torch.cat([unit(part[:, :2]), part[:, 2:]], 1)
    found = soft(x)
    torch.testing.assert_close(found, expected)
    with torch.no_grad():
        torch.testing.assert_close(soft(x), expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(x.grad, other.grad)
    assert torch.equal(betavq.set_beta(soft, 1.0)(x), Aliased(call)(x))


def test_gradients_of_gradients_in_place():
    soft = betavq.soften(Model(IN_PLACE["x.relu_"][0]), BETA, example_inputs=images()).double()
    x = torch.randn(4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(soft, x)
    assert torch.autograd.gradgradcheck(soft, x)


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_left_alone_is_reported_with_its_reason(name):
    call, reason = LEFT_ALONE[name]
    with torch.random.fork_rng():
        with pytest.warns(UserWarning, match="nothing to soften"):
            soft = betavq.soften(Model(call), BETA, example_inputs=images())
        (site,) = betavq.report(soft).sites
        assert reason in site.reason
        assert not site.replaced
        torch.manual_seed(1)
        expected = call(images() * 1.5)
        torch.manual_seed(1)
        assert torch.equal(soft(images()), expected)


@pytest.mark.parametrize(
    "module",
    [
        nn.GELU(),
        nn.ReLU6(),
        nn.Hardtanh(),
        nn.RReLU(),
        nn.MaxPool2d(2, return_indices=True),
        nn.AdaptiveMaxPool2d(2),
        nn.RNN(2, 2, nonlinearity="relu"),
        betavq.nn.BetaReLU(0.3),
    ],
)
def test_modules_that_are_left_alone_are_reported_once_and_unrun(module):
    report = betavq.report(betavq.soften(nn.Sequential(nn.ReLU(), module)))
    assert [(site.where, site.replaced) for site in report.sites] == [("0", True), ("1", False)]
    assert report.left_alone[0].reason in str(report)


class Around(nn.Module):
    """Calls that are no nonlinearity of the network: of a parameter, of a distribution, of a unit of betavq."""

    def __init__(self):
        super().__init__()
        self.scale, self.soft = nn.Parameter(torch.tensor([-2.0])), betavq.nn.BetaAbs(0.4)

    def forward(self, x):
        x = x * F.relu(self.scale) + torch.distributions.Laplace(0.0, 1.0).log_prob(x)
        return F.relu(self.soft(x) + bF.beta_abs(x, beta=1.0))


def test_means_to_another_end_are_left_alone():
    net, x = Around(), images()
    soft = betavq.soften(net, 0.0, example_inputs=x)
    torch.testing.assert_close(soft(x), net(x) / 2)  # the outer ReLU of a positive number alone
    assert [site.what for site in betavq.report(soft).replaced] == ["relu"]
    assert any("parameter" in site.reason for site in betavq.report(soft).left_alone)


def test_a_transformer_is_softened_off_its_fast_path():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True).eval()
    x = torch.randn(2, 5, 8)
    with torch.no_grad():
        soft = betavq.soften(layer, 0.5, example_inputs=x)
        layer.activation, layer.activation_relu_or_gelu = F.silu, 0
        torch.testing.assert_close(soft(x), layer(x))
        assert [site.where for site in betavq.report(soft).replaced] == ["relu"]
        hard = betavq.harden(soft)
        assert torch.equal(betavq.set_beta(soft, 1.0)(x), hard(x))
