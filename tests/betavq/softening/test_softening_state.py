"""Which β there are, how they are set and learned; what is kept when a model is copied, saved or compiled."""

import copy
import functools
import io
import pickle

import pytest
import torch
import torch.nn.functional as F
from softening_examples import Branching, ResNet, images, made
from torch import nn

import betavq


class Coder(nn.Module):
    """Two methods that users call themselves, and a module that both of them use."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.act = nn.Linear(4, 3), nn.Linear(3, 4), nn.ReLU()

    def encode(self, x):
        return self.act(F.relu(self.first(x)) - 0.2)

    def decode(self, code):
        return self.act(F.relu(self.second(code)) - 0.2)

    def forward(self, x):
        return self.decode(self.encode(x))


def test_one_beta_for_each_site():
    soft = betavq.soften(Coder(), 0.7, share="site")
    names = {"act.softening_beta", "softening_beta_encode_relu", "softening_beta_decode_relu"}
    assert set(betavq.betas(soft)) == names
    assert {site.beta for site in betavq.report(soft).sites} == names
    assert {site.where for site in betavq.report(soft).sites} == {"act", "encode(): relu", "decode(): relu"}
    x = torch.randn(5, 4)
    code = soft.encode(x)
    torch.testing.assert_close(soft.decode(code), soft(x))
    betavq.set_beta(soft, {"softening_beta_decode_relu": 0.1})
    assert torch.equal(soft.encode(x), code)
    assert betavq.betas(soft)["softening_beta_decode_relu"].item() == pytest.approx(0.1)
    assert betavq.betas(soft)["act.softening_beta"].item() == pytest.approx(0.7)


def test_one_beta_for_each_channel():
    net, x = made("Inception with functions"), images()
    soft = betavq.soften(net, 0.7, share="channel", example_inputs=x)
    assert betavq.betas(soft)["softening_beta_max_pool2d"].shape == (8,)
    assert betavq.betas(soft)["softening_beta_relu_3"].shape == (4,)
    torch.testing.assert_close(soft(x), betavq.soften(net, 0.7)(x))
    with pytest.raises(ValueError, match="example_inputs must be given"):
        betavq.soften(net, share="channel")
    betavq.set_beta(soft, {"softening_beta_relu": torch.linspace(0, 1, 8)})
    with pytest.raises(ValueError, match=r"beta must have shape \(8,\) or \(\)"):
        betavq.set_beta(soft, {"softening_beta_relu": torch.ones(3)})
    with pytest.raises(ValueError, match="beta must have names among"):
        betavq.set_beta(soft, {"relu": 0.3})
    shared = nn.ReLU()
    widths = nn.Sequential(nn.Linear(3, 4), shared, nn.Linear(4, 5), shared)
    with pytest.raises(ValueError, match="share must be 'all' or 'site'"):
        betavq.soften(widths, share="channel", example_inputs=torch.ones(2, 3))


def test_a_call_without_a_beta_of_its_own_is_an_error():
    soft = betavq.soften(Branching().eval(), share="site", example_inputs=images())
    soft(images())
    with pytest.raises(RuntimeError, match="leaky_relu' was not met"):
        soft(images() - 1)


def test_what_cannot_be_captured_is_noted_when_it_is_called():
    soft = betavq.soften(Branching().eval(), 0.5)
    assert "cannot be captured" in betavq.report(soft).note
    soft(images())
    assert [site.what for site in betavq.report(soft).replaced] == ["relu"] * 4


@pytest.mark.parametrize("share", ["all", "site", "channel"])
def test_learned_betas_move_and_stay_usable(share):
    soft = betavq.soften(made("ResNet with shared ReLUs"), 0.5, share=share, learnable=True, example_inputs=images())
    betas = betavq.betas(soft)
    assert all(isinstance(beta, nn.Parameter) for beta in betas.values())
    optimiser = torch.optim.SGD(betas.values(), lr=10.0)
    soft(images()).square().sum().backward()
    assert all(beta.grad is not None and beta.grad.abs().sum() > 0 for beta in betas.values())
    optimiser.step()
    assert soft(images()).isfinite().all()


def test_the_state_of_the_original_loads_and_beta_is_kept_with_the_copy():
    original, other = made("VGG in place"), made("VGG in place")
    with torch.no_grad():
        other[0].weight.mul_(2)
    soft = betavq.soften(original, 0.3)
    assert set(soft.state_dict()) == {*original.state_dict(), "softening_beta"}
    soft.load_state_dict(other.state_dict())
    torch.testing.assert_close(soft(images()), betavq.soften(other, 0.3)(images()))
    again = betavq.soften(original, 0.9)
    again.load_state_dict(soft.state_dict())
    assert torch.equal(again(images()), soft(images()))
    with pytest.raises(RuntimeError, match="Missing key"):
        soft.load_state_dict({})


def test_copies_and_files_are_models_of_their_own():
    soft = betavq.soften(ResNet().eval(), 0.6, share="site")
    y, file = soft(images()), io.BytesIO()
    torch.save(soft, file)
    file.seek(0)
    for other in (copy.deepcopy(soft), pickle.loads(pickle.dumps(soft)), torch.load(file, weights_only=False)):
        assert isinstance(other, ResNet)
        assert torch.equal(other(images()), y)
        betavq.set_beta(other, 0.1)
        assert not torch.equal(other(images()), y)
    assert torch.equal(soft(images()), y)


def test_hardened_it_is_of_the_original_classes_with_its_own_weights():
    original = made("Inception with functions")
    soft = betavq.soften(original, 0.5, learnable=True, share="site")
    with torch.no_grad():
        soft.head.weight.add_(1)
    hard = betavq.harden(soft)
    assert [type(module) for module in hard.modules()] == [type(module) for module in original.modules()]
    original.load_state_dict(hard.state_dict())
    assert torch.equal(hard(images()), original(images()))
    assert betavq.report(soft)


def test_parts_of_a_softened_model_are_soft():
    soft = betavq.soften(made("ResNet with shared ReLUs"), 0.5)
    parts = nn.Sequential(*list(soft.children())[:-1], nn.Flatten(), soft.fc)
    torch.testing.assert_close(parts(images()), soft(images()))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_beta_keeps_its_precision(dtype):
    soft = betavq.soften(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), 0.999).to(dtype)
    assert betavq.betas(soft)["softening_beta"].dtype == (dtype if dtype == torch.float64 else torch.float32)
    assert soft(torch.ones(1, 3, dtype=dtype)).dtype == dtype


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["ResNet with shared ReLUs", "Inception with functions", "abs, PReLU and relu_"])
def test_compiled_it_is_the_same(name):
    soft = betavq.soften(made(name), 0.6)
    torch._dynamo.reset()
    compiled = torch.compile(soft, backend="eager")
    for beta in (0.6, 0.2, 1.0):
        betavq.set_beta(soft, beta)
        torch.testing.assert_close(compiled(images()), soft(images()))


def test_torch_fx_may_trace_the_original_only():
    traced = torch.fx.symbolic_trace(made("Inception with functions"))
    torch.testing.assert_close(
        betavq.soften(traced, 0.4)(images()), betavq.soften(made("Inception with functions"), 0.4)(images())
    )
    with pytest.raises(TypeError, match="cannot be traced"):
        torch.fx.symbolic_trace(betavq.soften(made("Inception with functions"), 0.4))


@pytest.mark.parametrize("learnable", [False, True])
def test_it_moves_to_another_device(learnable):
    net = made("VGG in place")
    soft = betavq.soften(net, 0.4, learnable=learnable).to("meta")
    assert betavq.betas(soft)["softening_beta"].is_meta
    assert soft(images().to("meta")).shape == (2, 5)
    elsewhere = betavq.soften(copy.deepcopy(net).to("meta"), 0.4, learnable=learnable)
    assert elsewhere(images().to("meta")).shape == (2, 5)


@pytest.mark.filterwarnings("ignore:`torch.jit.*` is deprecated:DeprecationWarning")
def test_compiled_parts_are_reported():
    part = torch.jit.trace(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), torch.ones(1, 3))
    soft = betavq.soften(nn.Sequential(part, nn.ReLU()), 0.5, example_inputs=torch.ones(1, 3))
    assert [(site.where, site.replaced) for site in betavq.report(soft).sites] == [("0", False), ("1", True)]
    assert "torch.jit" in betavq.report(soft).left_alone[0].reason


def test_a_forward_that_was_put_on_the_module_is_softened():
    net, x = nn.Sequential(Coder()), torch.randn(5, 4)
    net[0].forward = functools.partial(twice, net[0])
    soft = betavq.soften(net, 0.5, example_inputs=x)
    torch.testing.assert_close(soft(x), F.silu(net[0].first(x)) * 2)
    assert torch.equal(betavq.harden(soft)(x), net(x))
    assert torch.equal(copy.deepcopy(soft)(x), soft(x))


def twice(module, x):
    return torch.relu(module.first(x)) * 2
