"""A softened residual network under torch.compile: one graph, whatever β is set to afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import betavq
from benchmarks.resnet import Block

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script.*` is deprecated:DeprecationWarning"),
]


def test_one_graph_serves_every_beta() -> None:
    graphs: list[int] = []

    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        graphs.append(len(graph.graph.nodes))
        return graph.forward

    stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
    soft = betavq.soften(nn.Sequential(stem, Block(4, 8, 2)).eval(), beta=0.6)
    torch._dynamo.reset()
    compiled, x = torch.compile(soft, backend=backend, fullgraph=True), torch.randn(2, 3, 12, 12)
    with torch.no_grad():
        for beta in (0.6, 0.9, 1.0, 0.2):
            betavq.set_beta(soft, beta)
            torch.testing.assert_close(compiled(x), soft(x), rtol=1e-4, atol=1e-5)
    assert len(graphs) == 1
