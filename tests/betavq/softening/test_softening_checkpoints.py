"""What a checkpoint runs again in the backward pass is softened there too, whatever it is that it runs."""

import functools

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

import betavq
import betavq.functional as bF

BETA = 0.5
# A reentrant checkpoint within another says so, of the original too.
pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad=True:UserWarning")


class Again(torch.autograd.Function):
    """A checkpoint as others write them by hand."""

    @staticmethod
    def forward(ctx, function, x):
        ctx.run_function = function
        ctx.save_for_backward(x)
        with torch.no_grad():
            return function(x)

    @staticmethod
    def backward(ctx, grad):
        x = ctx.saved_tensors[0].detach().requires_grad_()
        with torch.enable_grad():
            y = ctx.run_function(x)
        y.backward(grad)
        return None, x.grad


CHECKPOINTS = {
    "reentrant": functools.partial(checkpoint, use_reentrant=True),
    "not reentrant": functools.partial(checkpoint, use_reentrant=False),
    "no early stop": functools.partial(checkpoint, use_reentrant=False, early_stop=False),
    "by hand": Again.apply,
    "none": lambda function, x: function(x),
}


class Base(nn.Module):
    def __init__(self, again, act):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 2)
        self.again, self.act = again, act

    def f(self, x):
        """What is run again, with two nonlinearities."""
        return self.act(self.second(self.act(self.first(x)) - 0.1))


class Closure(Base):
    def forward(self, x):
        def inner(x):
            return self.f(x)

        return self.act(self.third(self.again(inner, x)))


class OnlyClosure(Base):
    """The first nonlinearity that the module meets is within the checkpoint."""

    def forward(self, x):
        first, second, act = self.first, self.second, self.act

        def inner(x):
            return act(second(act(first(x)) - 0.1))

        return self.act(self.third(self.again(inner, x)))


class Lambda(Base):
    def forward(self, x):
        return self.act(self.third(self.again(lambda x: self.act(self.second(self.act(self.first(x)) - 0.1)), x)))


def free(x, net):
    return net.act(net.second(net.act(net.first(x)) - 0.1))


class Partial(Base):
    def forward(self, x):
        return self.act(self.third(self.again(functools.partial(free, net=self), x)))


class Method(Base):
    def forward(self, x):
        return self.act(self.third(self.again(self.f, x)))


class PrivateMethod(Base):
    def forward(self, x):
        return self.act(self.third(self.again(self._f, x)))

    def _f(self, x):
        return self.act(self.second(self.act(self.first(x)) - 0.1))


class Nested(Base):
    def forward(self, x):
        def inner(x):
            return self.again(lambda h: self.act(self.second(h - 0.1)), self.act(self.first(x)))

        return self.act(self.third(self.again(inner, x)))


class InnerFirst(Base):
    """In the outer checkpoint nothing comes before the inner one."""

    def forward(self, x):
        def outer(x):
            return self.act(self.second(self.again(lambda x: self.act(self.first(x)), x) - 0.1))

        return self.act(self.third(self.again(outer, x)))


class BuiltWithin(Base):
    def forward(self, x):
        parts = [self.first, nn.ReLU()] if self.act is F.relu else [self.first, nn.LeakyReLU(0.01)]
        h = self.again(nn.Sequential(*parts), x)
        return self.act(self.third(self.again(lambda h: self.act(self.second(h - 0.1)), h)))


class Two(Base):
    """Two in a row, with a call between."""

    def forward(self, x):
        h = self.again(lambda x: self.act(self.first(x)), x)
        return self.act(self.third(self.again(lambda h: self.act(self.second(h - 0.1)), h)))


NETS = (Closure, OnlyClosure, Lambda, Partial, Method, PrivateMethod, Nested, InnerFirst, BuiltWithin, Two)


def by_hand(net, unit, x):
    return unit(net.third(unit(net.second(unit(net.first(x)) - 0.1))))


def outcome(function, net, x):
    """The output, and its gradients in the input and all weights."""
    leaf = x.clone().requires_grad_()
    y = function(leaf)
    y.square().sum().backward()
    gradients = [leaf.grad] + [weight.grad for name, weight in net.named_parameters() if "beta" not in name]
    for weight in net.parameters():
        weight.grad = None
    return y.detach(), gradients


@pytest.mark.parametrize("kind", CHECKPOINTS)
@pytest.mark.parametrize("make", NETS)
def test_values_and_gradients_are_those_of_the_units(make, kind):
    act, unit = (F.relu, functools.partial(bF.beta_relu, beta=BETA))
    net, x = make(CHECKPOINTS[kind], act), torch.randn(7, 4)
    for share in ("all", "site"):
        soft = betavq.soften(net, BETA, share=share, example_inputs=x)
        torch.testing.assert_close(outcome(soft, soft, x), outcome(functools.partial(by_hand, net, unit), net, x))
        report = betavq.report(soft)
        assert [site.what for site in report.replaced] == ["relu"] * 3
        assert report.left_alone == ()
        hard = outcome(net, net, x)
        betavq.set_beta(soft, 1.0)
        for one, other in zip(outcome(soft, soft, x)[1], hard[1], strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("kind", ["reentrant", "not reentrant", "by hand"])
@pytest.mark.parametrize("make", [Closure, Nested, Two])
def test_each_call_is_run_again_with_its_own_beta(make, kind):
    net, x = make(CHECKPOINTS[kind], F.leaky_relu), torch.randn(7, 4)
    soft = betavq.soften(net, BETA, share="site", learnable=True, example_inputs=x)
    names = [site.beta for site in betavq.report(soft).sites]
    order = sorted(names, key=lambda name: ("_f_" not in name, name))  # those of the method come first
    betavq.set_beta(soft, dict(zip(order, (0.2, 0.5, 0.8), strict=True)))
    plain = make(CHECKPOINTS["none"], F.leaky_relu)
    plain.load_state_dict(net.state_dict())
    expected = betavq.soften(plain, BETA, share="site", learnable=True, example_inputs=x)
    expected.load_state_dict(soft.state_dict())
    torch.testing.assert_close(outcome(soft, soft, x), outcome(expected, expected, x))
    for model in (soft, expected):
        model(x.clone().requires_grad_()).square().sum().backward()
    for name, beta in betavq.betas(soft).items():
        torch.testing.assert_close(beta.grad, betavq.betas(expected)[name].grad)
        assert beta.grad != 0


def test_a_chain_of_functions_and_modules_in_segments():
    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(4))

        def forward(self, x):
            steps = [step for layer in self.layers for step in (layer, lambda x: F.relu(x), torch.abs)]
            return checkpoint_sequential(steps, 3, x, use_reentrant=False)

    def by_hand(net, x):
        for layer in net.layers:
            x = bF.beta_abs(bF.beta_relu(layer(x), beta=BETA), beta=BETA)
        return x

    net, x = Chain(), torch.randn(7, 4)
    soft = betavq.soften(net, BETA)
    torch.testing.assert_close(outcome(soft, soft, x), outcome(functools.partial(by_hand, net), net, x))


def test_backward_within_forward_runs_again_softened():
    class Energy(nn.Module):
        """Its output is the slope of what it computes."""

        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 6)

        def forward(self, x):
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                checkpoint(lambda x: F.relu(self.linear(x)), x, use_reentrant=False).sum().backward()
            return x.grad

    net, x = Energy(), torch.randn(7, 4)
    leaf = x.clone().requires_grad_()
    bF.beta_relu(net.linear(leaf), beta=BETA).sum().backward()
    torch.testing.assert_close(betavq.soften(net, BETA)(x), leaf.grad)


class HandWritten(torch.autograd.Function):
    """A ReLU with a backward pass of its own, which would not be that of a softened one."""

    @staticmethod
    def forward(ctx, x):
        y = torch.relu(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        return grad * (ctx.saved_tensors[0] > 0)


class NewStyle(HandWritten):
    @staticmethod
    def forward(x):
        return F.relu(x)

    @staticmethod
    def setup_context(ctx, inputs, output):  # noqa: ARG004
        ctx.save_for_backward(output)


@pytest.mark.parametrize("function", [HandWritten, NewStyle])
def test_a_function_with_a_derivative_of_its_own_is_left_alone_and_reported(function):
    class Net(nn.Module):
        def forward(self, x):
            return function.apply(x) - F.relu(x - 1)

    x = torch.randn(7, 4)
    soft = betavq.soften(Net(), BETA, example_inputs=x)
    expected = outcome(lambda x: function.apply(x) - bF.beta_relu(x - 1, beta=BETA), nn.Identity(), x)
    torch.testing.assert_close(outcome(soft, nn.Identity(), x), expected)
    (left,) = betavq.report(soft).left_alone
    assert function.__name__ in left.reason
    assert "written by hand" in left.reason
