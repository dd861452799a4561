"""Networks as compositions of MASOs: when they stay convex, and that in general they do not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from betavq import MASO


def composition(non_negative: bool) -> list[MASO]:
    """Three layers of random weights; those after the first non-negative if asked, their activations never falling."""
    layers = [nn.Linear(3, 8), nn.Linear(8, 8), nn.Linear(8, 4)]
    if non_negative:
        for layer in layers[1:]:
            layer.weight.data.abs_()
    activations: list[object] = [torch.abs, nn.LeakyReLU(0.2), nn.ReLU()]
    return [
        MASO.from_layers(layer.double(), activation=activation)  # type: ignore[arg-type]
        for layer, activation in zip(layers, activations, strict=True)
    ]


def worst_chord(network: list[MASO]) -> float:
    """How far any output lies above the middle of a chord, at most, over random chords."""
    ends = 3 * torch.randn(2, 5000, 3, dtype=torch.float64)

    def output(x: Tensor) -> Tensor:
        for maso in network:
            x = maso(x)
        return x

    return float((output(ends.mean(0)) - output(ends).mean(0)).max().detach())


@pytest.mark.parametrize("seed", range(5))
def test_weights_that_are_not_negative_keep_a_network_convex(seed: int) -> None:
    """Convex pieces, later weights not negative and later activations that never fall: no chord below the network."""
    torch.manual_seed(seed)
    assert worst_chord(composition(non_negative=True)) < 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_other_weights_do_not(seed: int) -> None:
    torch.manual_seed(seed)
    assert worst_chord(composition(non_negative=False)) > 0.01
