"""β keeps its value wherever its memory goes: to the meta device and back, given anew, loaded, cast."""

import copy
import pickle
from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import betavq


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.act, self.second = nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)

    def forward(self, x):
        return F.leaky_relu(self.second(self.act(self.first(x))), 0.2)


def own_layers():
    return nn.Sequential(nn.Linear(4, 6), betavq.nn.BetaReLU(0.7), nn.Linear(6, 2), betavq.nn.BetaAbs(0.7))


def inputs():
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(1))


def filled(size):
    """Memory that is not zero by chance: what ``empty`` gives next."""
    for _ in range(8):
        torch.full((size,), 37.0)


WAYS = {
    "on the meta device": lambda soft: soft.to_empty(device="cpu"),
    "moved there": lambda soft: soft.to("meta").to_empty(device="cpu"),
    "given anew": lambda soft: soft.to_empty(device="cpu"),
    "twice": lambda soft: soft.to_empty(device="meta").to("meta").to_empty(device="cpu"),
    "copied there": lambda soft: copy.deepcopy(soft.to("meta")).to_empty(device="cpu"),
    "half": lambda soft: soft.half().to("meta").to_empty(device="cpu").float(),
    "half there": lambda soft: soft.to("meta").half().to_empty(device="cpu").float(),
    "a recipe of empty numbers": lambda soft: soft._apply(lambda t: torch.full_like(t, 37.0)),
}


@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("share", ["all", "site", "channel"])
@pytest.mark.parametrize("way", WAYS)
def test_memory_that_is_given_anew_holds_beta(way, share, learnable):
    net, x = Net(), inputs()
    if way == "on the meta device":
        with torch.device("meta"):
            soft = betavq.soften(Net(), 0.7, share=share, learnable=learnable, example_inputs=torch.empty(5, 4))
    else:
        soft = betavq.soften(net, 0.7, share=share, learnable=learnable, example_inputs=x)
    filled(1)
    soft = WAYS[way](soft)
    for beta in betavq.betas(soft).values():
        assert isinstance(beta, nn.Parameter) == learnable
        torch.testing.assert_close(beta.detach(), torch.full_like(beta, 0.7), rtol=0, atol=0)
    soft.load_state_dict(net.state_dict(), strict=True)
    expected = betavq.soften(net, 0.7, share=share, learnable=learnable, example_inputs=x)
    assert torch.equal(soft(x), expected(x))


def test_what_is_set_or_loaded_on_the_meta_device_is_remembered():
    net, x = Net(), inputs()
    trained = betavq.soften(net, 0.2, share="site")
    no_op = pytest.warns(UserWarning, match="no-op")
    for fill, context in (
        (lambda soft: betavq.set_beta(soft, 0.2), nullcontext()),
        (lambda soft: betavq.set_beta(soft, dict.fromkeys(betavq.betas(soft), torch.tensor(0.2))), nullcontext()),
        (lambda soft: soft.load_state_dict(trained.state_dict(), strict=True), no_op),
    ):
        with torch.device("meta"):
            soft = betavq.soften(Net(), 0.7, share="site")
        with context:
            fill(soft)
        soft = pickle.loads(pickle.dumps(soft)).to_empty(device="cpu")
        soft.load_state_dict(net.state_dict(), strict=True)
        assert torch.equal(soft(x), trained(x))


@pytest.mark.parametrize("learnable", [False, True])
def test_a_state_that_is_assigned_brings_beta_to_memory(learnable):
    net, x = Net(), inputs()
    with torch.device("meta"):
        soft = betavq.soften(Net(), 0.7, learnable=learnable)
    soft.load_state_dict(net.state_dict(), strict=True, assign=True)
    assert betavq.betas(soft)["softening_beta"].item() == pytest.approx(0.7)
    assert isinstance(betavq.betas(soft)["softening_beta"], nn.Parameter) == learnable
    torch.testing.assert_close(soft(x), betavq.soften(net, 0.7)(x))


@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_an_assigned_beta_stays_in_full_precision_and_what_it_is(dtype, learnable):
    soft = betavq.soften(Net(), 0.7, learnable=learnable)
    state = {key: nn.Parameter(value.to(dtype)) for key, value in soft.state_dict().items()}
    soft.load_state_dict(state, assign=True)
    (beta,) = betavq.betas(soft).values()
    assert beta.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert isinstance(beta, nn.Parameter) == learnable


def test_a_model_without_memory_does_not_run_on_numbers():
    with torch.device("meta"):
        soft = betavq.soften(nn.ReLU(), 0.7)
    with pytest.raises(NotImplementedError, match="meta"):
        soft(inputs())
    assert soft(inputs().to("meta")).is_meta


@pytest.mark.parametrize("way", WAYS)
def test_layers_with_a_beta_of_their_own_keep_it(way):
    net, x = own_layers(), inputs()
    if way == "on the meta device":
        with torch.device("meta"):
            layers = own_layers()
    else:
        layers = copy.deepcopy(net)
    layers = WAYS[way](layers)
    assert [layers[1].beta.item(), layers[3].beta.item()] == pytest.approx([0.7, 0.7])
    state = {key: value for key, value in net.state_dict().items() if "beta" not in key}
    layers.load_state_dict(state, strict=False)
    assert torch.equal(layers(x), net(x))


def test_layers_of_channels_keep_what_was_set_without_memory():
    start = torch.linspace(0.1, 0.9, 6)
    for learnable in (False, True):
        layer = betavq.nn.BetaReLU(start, learnable=learnable).to("meta").to_empty(device="cpu")
        assert torch.equal(layer.beta.detach(), start)
        layer.to("meta").beta = start.flip(0)
        assert torch.equal(layer.to_empty(device="cpu").beta.detach(), start.flip(0))
        with pytest.warns(UserWarning, match="no-op"):
            layer.to("meta").load_state_dict({"beta": start})
        assert torch.equal(layer.to_empty(device="cpu").beta.detach(), start)


def test_memory_that_never_had_a_value_holds_no_number():
    layer = betavq.nn.BetaReLU(torch.tensor(0.3, device="meta"))
    assert layer.to_empty(device="cpu").beta.isnan()
