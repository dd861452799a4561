"""torch.fx: every function and every layer is one step of a traced graph, which computes the same and softens well."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from operator_examples import LAYERS, Example, every_layer, every_operator, layer_input
from torch import Tensor, fx, nn

import betavq
import betavq.functional as bF
import betavq.nn as bnn
from betavq.functional import beta_relu


class Called(nn.Module):
    """A model that calls one operator, with a β of its own."""

    def __init__(self, call: Callable[[Tensor, Tensor], Tensor], beta: Tensor) -> None:
        super().__init__()
        self.call, self.beta = call, nn.Parameter(beta.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        return self.call(2 * x, self.beta) + 1


def loss_and_gradients(model: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    y = model(x)
    return (y, *torch.autograd.grad(y.square().sum(), list(model.parameters())))


@every_operator
def test_a_function_is_one_step(example: Example) -> None:
    x, beta = example.inputs()
    model = Called(example.call, beta)
    traced = fx.symbolic_trace(model)
    steps = [node for node in traced.graph.nodes if node.op == "call_function"]
    assert [node.target for node in steps if node.target not in (operator.mul, operator.add)] != []
    assert len(steps) == 3
    for found, expected in zip(loss_and_gradients(traced, x), loss_and_gradients(model, x), strict=True):
        assert torch.equal(found, expected)


@every_layer
def test_a_layer_is_one_step(make: Callable[[], nn.Module]) -> None:
    model = nn.Sequential(nn.Identity(), make())
    traced = fx.symbolic_trace(model)
    assert [node.target for node in traced.graph.nodes if node.op == "call_module"] == ["0", "1"]
    assert type(traced.get_submodule("1")) is type(model[1])
    x = layer_input(make)
    for found, expected in zip(loss_and_gradients(traced, x), loss_and_gradients(model, x), strict=True):
        assert torch.equal(found, expected)
    assert traced.state_dict().keys() == model.state_dict().keys()


def test_every_layer_is_tried() -> None:
    assert {type(make()).__name__ for make in LAYERS.values()} == set(bnn.__all__)


def test_a_function_by_its_own_name_and_by_keywords() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = beta_relu(input=x, beta=0.5)
            x = bF.beta_leaky_relu(x, 0.2, inplace=True, beta=0.5)
            return betavq.noise.value(torch.stack([x, x]), "gaussian", 2.0, 0)

    traced, x = fx.symbolic_trace(Net()), torch.randn(3, 4)
    targets = [node.target for node in traced.graph.nodes if node.op == "call_function"]
    assert targets == [beta_relu, bF.beta_leaky_relu, torch.stack, betavq.noise.value]
    assert torch.equal(traced(x), Net()(x))
    assert "beta_relu" in traced.code


def test_a_beta_that_is_computed_and_a_read_out_of_the_input() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.eta = nn.Parameter(torch.tensor(1.5))

        def forward(self, x: Tensor) -> Tensor:
            beta = betavq.beta_from_eta(self.eta * 2)
            return betavq.value(x, beta, readout=x - 1) + betavq.eta_from_beta(beta)

    model, x = Net(), torch.randn(3, 4)
    traced = fx.symbolic_trace(model)
    assert torch.equal(traced(x), model(x))
    functions = [betavq.beta_from_eta, betavq.value, betavq.eta_from_beta]
    assert [node.target for node in traced.graph.nodes if node.target in functions] == functions


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), fx.symbolic_trace])
def test_a_traced_model_can_be_copied_stored_and_traced_again(again: Callable[[nn.Module], nn.Module]) -> None:
    model = nn.Sequential(nn.Linear(3, 4), bnn.BetaReLU(0.7, inplace=True), nn.Linear(4, 4), bnn.BetaMaxout(1))
    x = torch.randn(5, 3)
    assert torch.equal(again(fx.symbolic_trace(model))(x), model(x))


def test_a_maso_is_one_step() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.maso = betavq.MASO(torch.randn(3, 2, 4), torch.randn(3, 2))

        def forward(self, x: Tensor) -> Tensor:
            return self.maso(x.relu(), 0.5)

    model = Net()
    traced, x = fx.symbolic_trace(model), torch.randn(5, 4)
    assert [node.target for node in traced.graph.nodes if node.op == "call_module"] == ["maso"]
    assert torch.equal(traced(x), model(x))


def test_a_layer_by_itself_is_no_step_of_anything() -> None:
    with pytest.raises(
        TypeError, match=r"model must hold the BetaReLU to be traced by torch\.fx, got the BetaReLU its"
    ):
        fx.symbolic_trace(bnn.BetaReLU())


def test_soften_reports_the_calls_beside_layers_of_ours() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.unit, self.last = nn.Linear(3, 4), bnn.BetaReLU(0.5), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            x = F.relu(self.last(self.unit(self.first(x))))
            return bF.beta_abs(x - 1, beta=0.3)

    report = betavq.report(betavq.soften(Net(), 0.5))
    assert [site.what for site in report.sites if site.replaced] == ["relu"]
    assert not report.note
