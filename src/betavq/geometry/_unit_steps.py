"""Which nonlinear units a step of a network is: the piecewise affine ones, and how the others may be hardened."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import functional as beta_functional
from .. import pooling as beta_pooling
from .._beta_module import BetaModule
from .._layers_pooling import pool_windows
from ..nn import BetaAbs, BetaLeakyReLU, BetaMaxout, BetaMaxPool1d, BetaMaxPool2d, BetaReLU
from ._units import Maxima, Units, kinks, maxima_along

_torch: Any = torch

_RELU = {F.relu, torch.relu, _torch.relu_, F.relu_, "relu", "relu_"}
_ABS = {torch.abs, torch.absolute, operator.abs, "abs", "abs_", "absolute"}
_LEAKY = {F.leaky_relu, F.leaky_relu_, _torch._C._nn.leaky_relu}
_PRELU = {F.prelu, torch.prelu}
_POOL_1D, _POOL_2D = {F.max_pool1d, torch.max_pool1d}, {F.max_pool2d, _torch.max_pool2d}
_AMAX = {torch.amax, "amax"}


def units_of(layer: nn.Module | None, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Units | None:
    """The units of a step, or None if it is none of those that are piecewise affine.

    Args:
        layer: what the step calls, if that is a layer; else ``target`` is the function, or the method's name.
        args, kwargs: what it is called with, first the input with its batch.

    Raises:
        ValueError: a β below 1.
    """
    shape = tuple(args[0].shape[1:])
    if layer is not None:
        return _of_layer(layer, shape)
    if target in _RELU:
        return kinks(0.0, shape)
    if target in _ABS:
        return kinks(-1.0, shape)
    if target in _LEAKY:
        return kinks(_argument(args, kwargs, 1, "negative_slope", 0.01), shape)
    if target in _PRELU:
        return kinks(_argument(args, kwargs, 1, "weight"), shape)
    if target in _AMAX:
        return maxima_along(shape, _argument(args, kwargs, 1, "dim"), _argument(args, kwargs, 2, "keepdim", False))
    if target in _POOL_1D:
        return _pooled(nn.MaxPool1d(*args[1:], **kwargs), shape)
    if target in _POOL_2D:
        return _pooled(nn.MaxPool2d(*args[1:], **kwargs), shape)
    return _of_beta_function(target, args, kwargs, shape)


def _of_layer(layer: nn.Module, shape: tuple[int, ...]) -> Units | None:
    if isinstance(layer, BetaModule):
        _check_hard(layer.beta)
    match layer:
        case nn.ReLU() | BetaReLU():
            return kinks(0.0, shape)
        case BetaAbs():
            return kinks(-1.0, shape)
        case nn.LeakyReLU():
            return kinks(layer.negative_slope, shape)
        case BetaLeakyReLU():
            return kinks(layer.negative_slope, shape, layer.channel_dim - (layer.channel_dim > 0))
        case nn.PReLU():
            return kinks(layer.weight, shape)
        case BetaMaxout():
            return maxima_along(shape, layer.dim)
        case nn.MaxPool1d() | nn.MaxPool2d():
            return _pooled(layer, shape)
        case BetaMaxPool2d():
            pool = nn.MaxPool1d if isinstance(layer, BetaMaxPool1d) else nn.MaxPool2d
            sizes: Any = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, False, layer.ceil_mode)
            return _pooled(pool(*sizes), shape)
    return None


def _of_beta_function(
    target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], shape: tuple[int, ...]
) -> Units | None:
    makers: dict[Any, Callable[..., Units]] = {
        beta_functional.beta_relu: lambda: kinks(0.0, shape),
        beta_functional.beta_abs: lambda: kinks(-1.0, shape),
        beta_functional.beta_leaky_relu: lambda negative_slope=0.01: kinks(negative_slope, shape),
        beta_pooling.beta_maxout: lambda dim=-1: maxima_along(shape, dim),
        beta_pooling.beta_max_pool1d: lambda *a, **k: _pooled(nn.MaxPool1d(*a, **k), shape),
        beta_pooling.beta_max_pool2d: lambda *a, **k: _pooled(nn.MaxPool2d(*a, **k), shape),
    }
    if target not in makers:
        return None
    given = {name: value for name, value in kwargs.items() if name not in ("beta", "detach_code")}
    _check_hard(kwargs["beta"])
    return makers[target](*args[1:], **given)


def _check_hard(beta: float | Tensor) -> None:
    smallest = float(torch.as_tensor(beta).min())
    if smallest < 1:
        raise ValueError(f"must have beta=1 to be piecewise affine (set_beta(1) hardens it), got {smallest:g}")


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str, default: Any = None) -> Any:
    return args[place] if len(args) > place else kwargs.get(name, default)


def _pooled(pool: nn.MaxPool1d | nn.MaxPool2d, shape: tuple[int, ...]) -> Maxima:
    if pool.return_indices:
        raise ValueError("must have return_indices=False, got True")
    out = tuple(pool(torch.zeros(1, *shape, dtype=torch.float64)).shape[1:])
    return Maxima(pool_windows(pool, shape[0], shape[1:], out[1:]), out)


def is_in_place(layer: nn.Module | None, target: Any, kwargs: dict[str, Any]) -> bool:
    """Whether the units also change their input."""
    name = target if isinstance(target, str) else getattr(target, "__name__", "")
    return bool(getattr(layer, "inplace", False) or kwargs.get("inplace")) or (layer is None and name.endswith("_"))
