"""The book's digits network as PyTorch layers, as betavq.geometry takes it."""

from __future__ import annotations

from functools import cache

from torch import nn

from .networks import Network, load_digits_network


def as_layers(network: Network) -> nn.Sequential:
    """A network at β = 1 as ``nn.Linear`` and ``nn.ReLU``, in eval mode."""
    layers: list[nn.Module] = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        linear = nn.Linear(weight.shape[1], weight.shape[0]).to(weight.dtype)
        linear.weight.data, linear.bias.data = weight.clone(), bias.clone()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


@cache
def digits_model() -> nn.Sequential:
    """The digits network as layers: 64 inputs in [0, 1], ten logits."""
    return as_layers(load_digits_network())
