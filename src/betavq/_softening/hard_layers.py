"""The layer of PyTorch that a layer of betavq.nn is at β = 1."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import type_before_parametrizations

from .._beta_module import BetaModule
from ..nn import BetaLeakyReLU, BetaMaxPool1d, BetaMaxPool2d, BetaReLU


def with_hard_layers(model: nn.Module) -> nn.Module:
    """A model with PyTorch's layers in the place of those of betavq.nn; it is changed, unless it is one itself."""
    made = {module: _hard(module) for module in model.modules() if isinstance(module, BetaModule)}
    for parent in list(model.modules()):
        for name, child in parent._modules.items():
            if child in made:
                parent._modules[name] = made[child]
    return made.get(model, model)  # type: ignore[call-overload, no-any-return]


def _hard(layer: BetaModule) -> nn.Module:
    made = _of_torch(layer) if type_before_parametrizations(layer).__module__ == BetaReLU.__module__ else None
    if made is None:
        made = copy.deepcopy(layer).set_beta(1.0).requires_grad_(requires_grad=False)
    return made.train(layer.training)


def _of_torch(layer: BetaModule) -> nn.Module | None:
    """PyTorch's layer, if it has one."""
    match layer:
        case BetaReLU():
            return nn.ReLU(layer.inplace)
        case BetaLeakyReLU(negative_slope=float(slope)):
            return nn.LeakyReLU(slope, layer.inplace)
        case BetaLeakyReLU(negative_slope=Tensor() as slopes) if slopes.dim() == 0 or layer.channel_dim == 1:
            return _prelu(slopes)
        case BetaMaxPool2d():  # and those of one dimension
            pool = nn.MaxPool1d if isinstance(layer, BetaMaxPool1d) else nn.MaxPool2d
            windows = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
            return pool(*windows, ceil_mode=layer.ceil_mode)
    return None


def _prelu(slopes: Tensor) -> nn.PReLU:
    made = nn.PReLU(slopes.numel(), device=slopes.device, dtype=slopes.dtype)
    with torch.no_grad():
        made.weight.copy_(slopes.reshape(-1))
    return made.requires_grad_(slopes.requires_grad)
