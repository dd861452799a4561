"""Which nonlinear units a step of a network is: the piecewise affine ones, and how the others may be hardened."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ... import functional as beta_functional
from ... import pooling as beta_pooling
from ..._beta_module import BetaModule
from ..._maso.pooling import pool_windows
from ..._torch.affine import function_name
from ...maso import MASO
from ...nn import BetaAbs, BetaLeakyReLU, BetaMaxout, BetaMaxPool1d, BetaMaxPool2d, BetaReLU
from .units import Kinks, Maxima, Units, clamped, maxima_along, two_pieces

_torch: Any = torch

_POOLS: dict[Any, Any] = {F.max_pool1d: nn.MaxPool1d, F.max_pool2d: nn.MaxPool2d, _torch.max_pool1d: nn.MaxPool1d}


def units_of(layer: nn.Module | None, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Units | None:
    """The units of a step, or None if it is none of those that are piecewise affine.

    Args:
        layer: what the step calls, if that is a layer; else ``target`` is the function, or the method's name.
        args, kwargs: what it is called with, first the input with its batch.

    Raises:
        ValueError: a β below 1.
    """
    shape = tuple(args[0].shape[1:])
    if isinstance(layer, MASO):
        _check_hard(_argument(args, kwargs, 1, "beta", 1.0))
    if layer is not None:
        return _of_layer(layer, shape)
    if target in _POOLS:
        return _pooled(_POOLS[target](*args[1:], **kwargs), shape)
    match function_name(target):
        case "relu":
            return two_pieces(0.0, shape)
        case "abs" | "absolute":
            return two_pieces(-1.0, shape)
        case "leaky_relu":
            return two_pieces(_argument(args, kwargs, 1, "negative_slope", 0.01), shape)
        case "prelu":
            return two_pieces(_argument(args, kwargs, 1, "weight"), shape)
        case "hardsigmoid":
            return _hard_sigmoid(shape)
        case "relu6":
            return clamped(0.0, 6.0, shape)
        case "amax":
            dim, keepdim = _argument(args, kwargs, 1, "dim"), _argument(args, kwargs, 2, "keepdim", False)
            return maxima_along(shape, dim, keepdim)
    return _of_clamp(target, args, kwargs, shape) or _of_beta_function(target, args, kwargs, shape)


def _of_layer(layer: nn.Module, shape: tuple[int, ...]) -> Units | None:
    if isinstance(layer, BetaModule):
        _check_hard(layer.beta)
    match layer:
        case nn.ReLU() | BetaReLU():
            return two_pieces(0.0, shape)
        case BetaAbs():
            return two_pieces(-1.0, shape)
        case nn.LeakyReLU():
            return two_pieces(layer.negative_slope, shape)
        case BetaLeakyReLU():
            return two_pieces(layer.negative_slope, shape, layer.channel_dim - (layer.channel_dim > 0))
        case nn.PReLU():
            return two_pieces(layer.weight, shape)
        case BetaMaxout():
            return maxima_along(shape, layer.dim)
        case MASO():
            return _pieces_of(layer, shape)
        case nn.Hardtanh():  # ReLU6 too
            return clamped(layer.min_val, layer.max_val, shape)
        case nn.Hardsigmoid():
            return _hard_sigmoid(shape)
        case nn.MaxPool1d() | nn.MaxPool2d():
            return _pooled(layer, shape)
        case BetaMaxPool2d():
            pool = nn.MaxPool1d if isinstance(layer, BetaMaxPool1d) else nn.MaxPool2d
            sizes: Any = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, False, layer.ceil_mode)
            return _pooled(pool(*sizes), shape)
    return None


def _of_clamp(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], shape: tuple[int, ...]) -> Units | None:
    match function_name(target):
        case "clamp" | "clip":
            low, high = _argument(args, kwargs, 1, "min"), _argument(args, kwargs, 2, "max")
        case "hardtanh":
            low, high = _argument(args, kwargs, 1, "min_val", -1.0), _argument(args, kwargs, 2, "max_val", 1.0)
        case "clamp_min":
            low, high = _argument(args, kwargs, 1, "min"), None
        case "clamp_max":
            low, high = None, _argument(args, kwargs, 1, "max")
        case _:
            return None
    if any(isinstance(end, Tensor) for end in (low, high)):
        raise ValueError("must have numbers for bounds, got tensors")
    return clamped(low, high, shape)


def _of_beta_function(
    target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], shape: tuple[int, ...]
) -> Units | None:
    makers: dict[Any, Callable[..., Units]] = {
        beta_functional.beta_relu: lambda: two_pieces(0.0, shape),
        beta_functional.beta_abs: lambda: two_pieces(-1.0, shape),
        beta_functional.beta_leaky_relu: lambda negative_slope=0.01: two_pieces(negative_slope, shape),
        beta_pooling.beta_maxout: lambda dim=-1: maxima_along(shape, dim),
        beta_pooling.beta_max_pool1d: lambda *a, **k: _pooled(nn.MaxPool1d(*a, **k), shape),
        beta_pooling.beta_max_pool2d: lambda *a, **k: _pooled(nn.MaxPool2d(*a, **k), shape),
    }
    if target not in makers:
        return None
    given = {name: value for name, value in kwargs.items() if name not in ("beta", "detach_code")}
    _check_hard(kwargs["beta"])
    return makers[target](*args[1:], **given)


def _hard_sigmoid(shape: tuple[int, ...]) -> Units:
    units = clamped(-3.0, 3.0, shape, 1 / 6)
    return Kinks(units.bends, units.slopes, units.constants + 0.5, shape)


def _pieces_of(layer: MASO, shape: tuple[int, ...]) -> Maxima:
    """The units of a MASO, as maxima of its scores; excluded pieces are seen as padding."""
    slopes, offsets = layer.slopes.detach(), layer.offsets.detach()
    excluded = offsets == -torch.inf
    affine = torch.where(excluded, 0.0, offsets)
    out = (*shape[:-1], layer.num_units)
    windows = torch.arange(math.prod(out) * layer.num_pieces).reshape(*out, layer.num_pieces)
    windows = windows.masked_fill(excluded, -1).reshape(-1, layer.num_pieces)
    return Maxima(windows, out, lambda x: torch.einsum("krd,...d->...kr", slopes, x) + affine)


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
