"""Every public operator and module through torch.export, and through ONNX as onnxruntime computes it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from operator_examples import Example, every_layer, every_operator, layer_input, slopes
from torch import Tensor, nn

# What torch warns itself of: while it traces an autograd.Function, and in its exporter to ONNX.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec.* is deprecated:FutureWarning"),
]

BETAS = (0.0, 0.4, 1.0)


class AtBetas(nn.Module):
    """An operator at each β of several that are constants of the graph."""

    def __init__(self, example: Example) -> None:
        super().__init__()
        self.example = example

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.example.call(x, beta) for beta in BETAS]


class OfBeta(nn.Module):
    """An operator whose β is an input of the graph."""

    def __init__(self, example: Example) -> None:
        super().__init__()
        self.example = example

    def forward(self, x: Tensor, beta: Tensor) -> Tensor:
        return self.example.call(x, beta)


@every_operator
def test_exported_graphs_compute_the_same_and_can_be_trained(example: Example) -> None:
    x, betas = example.inputs()
    graph = torch.export.export(AtBetas(example), (x,)).module()
    torch.testing.assert_close(graph(x), AtBetas(example)(x), rtol=1e-6, atol=1e-6)
    graph = torch.export.export(OfBeta(example), (x, betas)).module()
    found, expected = graph(x, betas), example.call(x, betas)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(slopes(found, x, betas), slopes(expected, x, betas), rtol=1e-5, atol=1e-6)


@every_layer
def test_exported_modules_take_batches_of_any_size(make: Callable[[], nn.Module]) -> None:
    layer, x = make(), layer_input(make)
    batch = torch.export.Dim("batch", min=2, max=64)
    graph = torch.export.export(layer, (x,), dynamic_shapes=({0: batch},)).module()
    more = torch.cat([x, 2 * x, -x])
    torch.testing.assert_close(graph(more), layer(more), rtol=1e-6, atol=1e-6)


def in_onnxruntime(model: nn.Module, *inputs: Tensor) -> list[Tensor]:
    """All that a model gives for ``inputs`` once it is in ONNX."""
    arguments = tuple(tensor.detach() for tensor in inputs)
    program = torch.onnx.export(model.eval(), arguments, dynamo=True, verbose=False)
    assert program is not None
    buffer = io.BytesIO()
    program.save(buffer)
    session = onnxruntime.InferenceSession(buffer.getvalue(), providers=["CPUExecutionProvider"])
    names = [argument.name for argument in session.get_inputs()]
    feed = {name: tensor.numpy() for name, tensor in zip(names, arguments, strict=True)}
    return [torch.from_numpy(np.asarray(result)) for result in session.run(None, feed)]


@every_operator
def test_onnx_computes_the_same(example: Example) -> None:
    x = example.inputs()[0].detach()
    flat = x.view(-1)
    flat[:5], flat[-1] = torch.tensor([1e30, 80.0, -80.0, 1e-40, -0.0]), -1e30
    model = AtBetas(example)
    torch.testing.assert_close(in_onnxruntime(model, x), model(x), rtol=2e-6, atol=1e-7)


@every_operator
def test_onnx_takes_beta_as_an_input(example: Example) -> None:
    x, betas = example.inputs()
    betas.detach().view(-1)[0], betas.detach().view(-1)[-1] = 0.0, 1.0
    expected: Any = example.call(x, betas).detach()
    (found,) = in_onnxruntime(OfBeta(example), x, betas)
    torch.testing.assert_close(found, expected, rtol=2e-6, atol=1e-6)


@every_layer
def test_onnx_takes_modules(make: Callable[[], nn.Module]) -> None:
    layer, x = make(), layer_input(make)
    (found,) = in_onnxruntime(layer, x)
    torch.testing.assert_close(found, layer(x).detach(), rtol=2e-6, atol=1e-6)
