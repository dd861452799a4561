"""A softened model at both ends of β and between them, on models as others write them."""

import copy
import warnings

import pytest
import torch
import torch.nn.functional as F
from softening_examples import EXAMPLES, hard_operators, images, made
from torch import nn

import betavq
import betavq.functional as bF
from betavq._softening import state as softening_state

on_every_model = pytest.mark.parametrize("name", EXAMPLES)


def soften(name, beta=0.5, **options):
    """The example softened; of the one that cannot be captured all branches are reached by examples."""
    examples = [images(), images() - 1] if name == "data-dependent branches" else None
    return betavq.soften(made(name), beta, example_inputs=examples, **options)


@on_every_model
def test_at_one_it_is_the_original_bit_for_bit(name):
    original, x = made(name), images()
    soft = soften(name, 1.0)
    learned = soften(name, 1.0, learnable=True)  # never taken for hard, so every call is intercepted
    for training in (False, True):
        models = [copy.deepcopy(model).train(training) for model in (original, soft, learned)]
        outputs = []
        for model in models:
            leaf = x.clone().requires_grad_()
            y = model(leaf)
            y.square().sum().backward()
            outputs.append((y, leaf.grad, *(parameter.grad for parameter in list(model.parameters())[-2:])))
        for hard, one, other in list(zip(*outputs, strict=True))[:2]:
            assert torch.equal(hard, one)
            assert torch.equal(hard, other)


@on_every_model
def test_no_site_is_missed(name, monkeypatch):
    x, softened, calls = images(), softening_state.softened, []
    monkeypatch.setattr(
        softening_state,
        "softened",
        lambda kind, *others, **named: calls.append(kind) or softened(kind, *others, **named),
    )
    soft = soften(name)
    found = betavq.report(soft)
    assert len(found.replaced) == EXAMPLES[name].places
    assert found.note == ""
    soft(x)
    assert len(calls) == EXAMPLES[name].calls == hard_operators(made(name), x)
    soft.train()(x)
    assert betavq.report(soft) == found


@on_every_model
def test_at_zero_it_is_affine(name):
    soft = soften(name, 0.0)
    x, y = images(seed=1) + 1, images(seed=2) + 1  # of one branch
    with torch.no_grad():
        between, ends = soft(0.3 * x + 0.7 * y), 0.3 * soft(x) + 0.7 * soft(y)
    assert (between - ends).abs().max() <= 1e-5 * ends.abs().max()


@on_every_model
def test_between_it_is_neither(name):
    original, x = made(name), images()
    soft = soften(name, 0.9)
    assert not torch.equal(soft(x), original(x))
    far = (soft(x) - original(x)).abs().max()
    near = (betavq.set_beta(soft, 0.999)(x) - original(x)).abs().max()
    assert 0 < near < far / 5


@on_every_model
def test_the_original_is_untouched(name):
    original = made(name)
    state, classes = copy.deepcopy(original.state_dict()), [type(module) for module in original.modules()]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        before = torch.get_rng_state()
        soft = betavq.soften(original, 0.3, example_inputs=images())
        assert torch.equal(torch.get_rng_state(), before)
    soft.train()(images()).sum().backward()
    assert [type(module) for module in original.modules()] == classes
    assert not original.training
    assert all(parameter.grad is None for parameter in original.parameters())
    assert all(torch.equal(state[key], value) for key, value in original.state_dict().items())
    fresh = betavq.soften(original, 0.3, example_inputs=images())  # running the examples left no trace in it
    assert all(torch.equal(state[key], fresh.state_dict()[key]) for key in state)


class Calls(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.act, self.slopes = nn.Linear(6, 5), nn.ReLU(inplace=True), nn.PReLU()

    def forward(self, x):
        x = self.slopes(self.act(self.linear(x)) - 0.2)
        return F.leaky_relu(x.abs() - 0.1, 0.2) + nn.ReLU()(x)


def by_hand(net, x, beta):
    x = bF.beta_relu(net.linear(x), beta=beta) - 0.2
    x = bF.beta_leaky_relu(x, net.slopes.weight, beta=beta)
    left = bF.beta_leaky_relu(bF.beta_abs(x, beta=beta) - 0.1, 0.2, beta=beta)
    return left + bF.beta_relu(x, beta=beta)


@pytest.mark.parametrize("beta", [0.8, 0.3, 0.0])
def test_it_is_the_model_written_with_the_units(beta):
    net, x = Calls(), torch.randn(7, 6)
    soft, leaf, other = betavq.soften(net, beta), x.clone().requires_grad_(), x.clone().requires_grad_()
    torch.testing.assert_close(soft(leaf), by_hand(net, other, beta))
    soft(leaf).sum().backward()
    by_hand(net, other, beta).sum().backward()
    torch.testing.assert_close(leaf.grad, other.grad)
    torch.testing.assert_close(soft.slopes.weight.grad, net.slopes.weight.grad)


def test_a_model_with_nothing_to_soften_warns_with_its_report():
    with pytest.warns(
        UserWarning, match=r"nothing to soften(.|\n)*0 sites replaced, 1 left alone(.|\n)*smooth already"
    ):
        soft = betavq.soften(nn.Sequential(nn.Linear(3, 2), nn.GELU()))
    assert soft(torch.ones(1, 3)).shape == (1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        betavq.soften(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))


@pytest.mark.parametrize(
    ("argument", "given", "error"),
    [
        ("beta", 1.5, ValueError),
        ("beta", -0.1, ValueError),
        ("beta", float("nan"), ValueError),
        ("beta", "hard", TypeError),
        ("smoothing", "softest", ValueError),
        ("smoothing", 2, ValueError),
        ("smoothing", None, TypeError),
        ("share", "layer", ValueError),
        ("learnable", 1, TypeError),
        ("example_inputs", 3.0, TypeError),
        ("example_inputs", torch.ones(2, 5), ValueError),
    ],
)
def test_bad_arguments_are_named(argument, given, error):
    with pytest.raises(error, match=f"^{argument} must"):
        betavq.soften(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), **{argument: given})


@pytest.mark.filterwarnings("ignore:`torch.jit.trace.*` is deprecated:DeprecationWarning")
def test_models_that_cannot_be_softened_are_refused():
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    with pytest.raises(TypeError, match=r"model must be an nn\.Module, got function"):
        betavq.soften(F.relu)
    with pytest.raises(ValueError, match=r"softened already, got such a module in '0'"):
        betavq.soften(nn.Sequential(betavq.soften(net)))
    with pytest.raises(ValueError, match="compiled"):
        betavq.soften(torch.compile(net, backend="eager"))
    with pytest.raises(TypeError, match="ScriptModule"):
        betavq.soften(torch.jit.trace(net, torch.ones(1, 3)))
    for function in (betavq.report, betavq.betas, betavq.harden, lambda net: betavq.set_beta(net, 0.5)):
        with pytest.raises(ValueError, match="model must be softened"):
            function(net)
        with pytest.raises(TypeError, match="model must be an"):
            function(3)
