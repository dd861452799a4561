"""The benchmark of orthogonal filters: its rivals do the same, and all take turns. Never a time."""

import pytest
import torch
from torch import nn

from benchmarks import orthogonal
from betavq.orthogonal import coherence


@pytest.fixture(autouse=True)
def same_numbers():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize("method", ["householder", "cayley", "matrix_exp"])
@pytest.mark.parametrize("make", [lambda: nn.Conv2d(2, 4, 3), lambda: nn.Linear(9, 4)], ids=["conv", "linear"])
def test_the_rivals_make_flattened_filters_orthogonal(make, method):
    layer = orthogonal.torchs(make(), method)
    assert coherence(layer.weight).item() < 1e-5
    before = layer.weight.detach().clone()
    x = torch.randn(2, 2, 5, 5) if isinstance(layer, nn.Conv2d) else torch.randn(5, 9)
    orthogonal.step(layer, x)()
    assert not torch.equal(layer.weight, before)
    assert coherence(layer.weight).item() < 1e-5


def test_layers_with_many_rows_have_a_bar():
    bars = {name: bar for name, _, _, bar in orthogonal.layers()}
    assert sum(bars.values()) == 4
    assert bars["128 filters 3×3×64, at 8×8 places"]
    assert bars["linear, 512 filters of 512, 4096 rows"]
    assert not bars["linear, 512 filters of 512, 128 rows"]
