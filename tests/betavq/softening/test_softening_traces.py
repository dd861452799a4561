"""What traces, compiles or exports a model finds it softened, or is refused with a way that works."""

import functools
import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import betavq
import betavq.functional as bF

NETS = {
    "in place": lambda: nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(inplace=True)),
    "leaky in place": lambda: nn.Sequential(nn.Conv2d(3, 3, 3), nn.LeakyReLU(0.1, inplace=True), nn.Conv2d(3, 2, 1)),
    "pooled": lambda: nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.PReLU()),
}


def images():
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.filterwarnings("ignore:`torch.jit.*` is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")  # of checks of shapes
@pytest.mark.parametrize("smoothing", ["value", "free_energy", "curvature_tuning"])
@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("name", NETS)
def test_torch_jit_traces_it_as_it_does_the_original(name, learnable, smoothing):
    net, x = NETS[name](), images()
    torch.jit.trace(net, x)
    soft = betavq.soften(net, 0.5, learnable=learnable, smoothing=smoothing)
    for context in (torch.enable_grad, torch.no_grad):
        with context():
            traced = torch.jit.trace(soft, x)
            torch.testing.assert_close(traced(x), soft(x))
            more = torch.cat([x, x + 1, -x])
            torch.testing.assert_close(traced(more), soft(more))
        file = io.BytesIO()
        torch.jit.save(traced, file)
        traced = torch.jit.load(io.BytesIO(file.getvalue()))
        torch.testing.assert_close(traced(more), soft(more))
    leaf, other = images().requires_grad_(), images().requires_grad_()
    traced(leaf).square().sum().backward()
    soft(other).square().sum().backward()
    torch.testing.assert_close(leaf.grad, other.grad)


@pytest.mark.filterwarnings("ignore:`torch.jit.*` is deprecated:DeprecationWarning")
def test_torch_jit_script_is_refused_with_a_way_that_works():
    soft = betavq.soften(NETS["pooled"](), 0.5)
    for model in (soft, nn.Sequential(soft), soft[1]):
        with pytest.raises(TypeError, match=r"softened.*torch\.jit\.script.*use torch\.jit\.trace"):
            torch.jit.script(model)
    torch.jit.script(betavq.harden(soft))


def test_torch_fx_is_refused_at_the_root_and_within():
    class Calls(nn.Module):
        def forward(self, x):
            return F.relu(x)

    soft = betavq.soften(Calls(), 0.5)
    for model in (soft, nn.Sequential(soft), betavq.soften(torch.fx.symbolic_trace(Calls()), 0.5)):
        with pytest.raises(TypeError, match=r"cannot be traced by torch\.fx"):
            torch.fx.symbolic_trace(model)


def test_torch_export_keeps_it_soft():
    for make in NETS.values():
        soft, x = betavq.soften(make(), 0.5), images()
        torch.testing.assert_close(torch.export.export(soft, (x,)).module()(x), soft(x))


class Checkpointed(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.linear, self.kind = nn.Linear(4, 4), kind

    def forward(self, x):
        if self.kind == "partial":
            return functools.partial(checkpoint, use_reentrant=False)(self.inner, x)
        if self.kind == "by its module":
            return torch.utils.checkpoint.checkpoint(lambda x: F.relu(self.linear(x)), x, use_reentrant=False)
        return checkpoint(lambda x: F.relu(self.linear(x)), x, use_reentrant=False)

    def inner(self, x):
        return F.relu(self.linear(x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["closure", "by its module", "partial"])
def test_compiled_a_checkpoint_is_softened_too(kind):
    net, x = Checkpointed(kind), torch.randn(5, 4)
    soft = betavq.soften(net, 0.5, example_inputs=x)
    torch._dynamo.reset()
    leaf, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    found, expected = torch.compile(soft, backend="aot_eager")(leaf), bF.beta_relu(net.linear(other), beta=0.5)
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(leaf.grad, other.grad)
