"""A layer with what follows it, as pieces: the slopes and offsets that ``MASO.from_layers`` documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .._numerics.checks import check_count, check_floating
from .._numerics.hardness import clamp_beta
from ..nn import BetaAbs, BetaLeakyReLU, BetaReLU
from .affine import AffineLayer, AffineMap, BatchNorm, affine_map, check_bytes, fold_batchnorm
from .pooling import Pieces, Pool, pool_pieces

Activation: TypeAlias = nn.Module | Callable[[Tensor], Tensor]

# Functions have no type to tell them by: the slope left of 0 that each has.
FUNCTIONS: dict[Any, float] = {torch.relu: 0.0, F.relu: 0.0, torch.abs: -1.0}
ACTIVATIONS = (
    "nn.ReLU, nn.LeakyReLU, nn.PReLU, betavq.nn.BetaReLU, betavq.nn.BetaLeakyReLU, betavq.nn.BetaAbs, "
    "torch.relu, F.relu or torch.abs"
)


@torch.no_grad()
def layer_pieces(
    layer: AffineLayer,
    batchnorm: BatchNorm | None,
    activation: Activation | None,
    maxout: int | None,
    skip: AffineLayer | Tensor | bool | None,
    pool: Pool | None,
    input_size: tuple[int, ...] | None,
    max_bytes: int,
    max_pieces: int,
) -> tuple[Tensor, Tensor]:
    """Slopes (K, R, D) and offsets (K, R) of ``pool(skip(x) + activation(batchnorm(layer(x))))``."""
    affine = affine_map("layer", layer, input_size, max_bytes)
    if batchnorm is not None:
        affine = fold_batchnorm(affine, batchnorm)
    if maxout is not None:
        if activation is not None:
            raise ValueError("maxout must be None where an activation is given, for it takes its place")
        pieces = _maxout(affine, check_count("maxout", maxout), max_bytes)
    else:
        pieces = _activated(affine, activation, max_bytes)
    if skip is not None and skip is not False:
        pieces = _add_skip(pieces, skip, input_size, max_bytes)
    if pool is not None:
        pieces = pool_pieces(pieces, pool, max_bytes, check_count("max_pieces", max_pieces))
    return pieces.slopes, pieces.offsets


def _activated(affine: AffineMap, activation: Any, max_bytes: int) -> Pieces:
    """A piece of slope 1 for each unit, after a second one for its activation's slope left of 0."""
    matrix, bias, shape = affine
    check_bytes((matrix.shape[0], 1 if activation is None else 2, matrix.shape[1]), matrix, max_bytes)
    if activation is None:
        return Pieces(matrix.unsqueeze(1).clone(), bias.unsqueeze(1).clone(), shape, False)
    left = _left_slopes(activation, shape).to(matrix)
    gains = torch.stack((left, torch.ones_like(left)), 1).repeat_interleave(affine.places, 0)
    return Pieces(gains.unsqueeze(2) * matrix.unsqueeze(1), gains * bias.unsqueeze(1), shape, not bool(left.any()))


def _maxout(affine: AffineMap, count: int, max_bytes: int) -> Pieces:
    """Each ``count`` consecutive channels as the pieces of one."""
    matrix, bias, (channels, *rest) = affine
    if channels % count:
        raise ValueError(f"maxout must divide the number of outputs (channels) of layer, {channels}, got {count}")
    check_bytes((matrix.shape[0] // count, count, matrix.shape[1]), matrix, max_bytes)
    groups, shape = (channels // count, count, affine.places), (channels // count, *rest)
    slopes = matrix.reshape(*groups, -1).transpose(1, 2).flatten(0, 1).clone()
    return Pieces(slopes, bias.reshape(groups).transpose(1, 2).flatten(0, 1).clone(), shape, False)


def _add_skip(pieces: Pieces, skip: Any, input_size: tuple[int, ...] | None, max_bytes: int) -> Pieces:
    slopes, offsets, shape, _ = pieces
    num_units, _, num_inputs = slopes.shape
    if skip is True:
        size = (num_inputs,) if input_size is None else tuple(input_size)
        if shape != size:
            raise ValueError(f"skip=True must add inputs to outputs of the same shape, got {size} and {shape}")
        slopes.diagonal(0, 0, 2).add_(1.0)
        return Pieces(slopes, offsets, shape, False)
    if isinstance(skip, Tensor):
        check_floating("skip", skip)
        if skip.shape != (num_units, num_inputs):
            needs = f"({num_units}, {num_inputs}), outputs by inputs"
            raise ValueError(f"skip must be a matrix of shape {needs}, got {tuple(skip.shape)}")
        matrix, bias = skip.detach(), None
    elif isinstance(skip, nn.Module):
        other = affine_map("skip", skip, input_size, max_bytes)
        if other.shape != shape or other.matrix.shape[1] != num_inputs:
            got = f"{other.shape} of {other.matrix.shape[1]}"
            raise ValueError(f"skip must have outputs {shape} of {num_inputs} inputs, got {got}")
        matrix, bias = other.matrix, other.bias
    else:
        raise TypeError(f"skip must be True, a layer, a matrix or None, got {type(skip).__name__}")
    slopes += matrix.to(slopes).unsqueeze(1)
    if bias is not None:
        offsets += bias.to(offsets).unsqueeze(1)
    return Pieces(slopes, offsets, shape, False)


def _left_slopes(activation: Any, shape: tuple[int, ...]) -> Tensor:
    """The activation's slope left of 0 for each channel, a tensor of shape (C,)."""
    slope: float | Tensor
    match activation:
        case nn.ReLU() | BetaReLU():
            slope = 0.0
        case nn.LeakyReLU() | BetaLeakyReLU():
            slope = activation.negative_slope
        case nn.PReLU():
            slope = activation.weight.detach()
        case BetaAbs():
            slope = -1.0
        case _:
            known = [slope for function, slope in FUNCTIONS.items() if activation is function]
            if not known:
                got = getattr(activation, "__name__", type(activation).__name__)
                raise TypeError(f"activation must be None, {ACTIVATIONS}, got {got}")
            slope = known[0]
    if isinstance(activation, BetaReLU | BetaLeakyReLU | BetaAbs):
        _check_hard(activation, shape)
    slopes = torch.as_tensor(slope, dtype=None if isinstance(slope, Tensor) else torch.float64).detach()
    if slopes.numel() not in (1, shape[0]):
        raise ValueError(f"activation must have 1 or {shape[0]} slopes, got {slopes.numel()}")
    allowed = slopes <= 1
    if not bool(allowed.all()):
        above = slopes[~allowed].flatten()[0].item()
        raise ValueError(
            f"activation must have slopes up to 1, got {above:.8g}: its unit is the smaller of its pieces, and no MASO"
        )
    return slopes.flatten().expand(shape[0])


def _check_hard(activation: BetaReLU | BetaLeakyReLU | BetaAbs, shape: tuple[int, ...]) -> None:
    """Raise unless β = 1 and what differs between channels lies along those of the layer."""
    beta = clamp_beta(activation.beta.detach())
    if not bool((beta == 1).all()):
        got = beta.flatten()[(beta != 1).flatten()][0].item()
        raise ValueError(f"activation must have beta = 1, got {got:.7g}; a MASO takes beta when it is called")
    ndim = len(shape) + 1
    slope = getattr(activation, "negative_slope", None)
    by_channel = isinstance(slope, Tensor) and slope.dim() > 0
    if by_channel and activation.channel_dim not in (1, 1 - ndim):
        raise ValueError(f"activation must have its channels at channel_dim=1, got {activation.channel_dim}")
