"""A layer with what follows it, as pieces: the slopes and offsets that ``MASO.from_layers`` documents."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from .._beta_module import BetaModule
from .._numerics.checks import check_count, check_floating
from .._numerics.hardness import clamp_beta
from .._numerics.kept_beta import PART
from .._torch.hard_units import Kinks
from .._torch.pieces import PIECES, functions, layer_call
from .affine import AffineLayer, AffineMap, BatchNorm, affine_map, check_bytes, fold_batchnorm
from .pooling import Pieces, Pool, pool_pieces

Activation: TypeAlias = nn.Module | Callable[[Tensor], Tensor]

FUNCTIONS = {function: name for name in PIECES for _, function in functions(name)}
ACTIVATIONS = (
    "nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.RReLU, betavq.nn.BetaReLU, betavq.nn.BetaLeakyReLU, betavq.nn.BetaAbs, "
    "or a function of PyTorch as torch.relu, F.relu and torch.abs"
)


@torch.no_grad()
def layer_pieces(
    layers: Sequence[Any],
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
    given = {"batchnorm": batchnorm, "activation": activation, "pool": pool}
    layer, (batchnorm, activation, pool) = _in_order(list(_flat(layers)), given)
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
        _check_hard("pool", pool)
        pieces = pool_pieces(pieces, pool, max_bytes, check_count("max_pieces", max_pieces))
    return pieces.slopes, pieces.offsets


def _flat(layers: Iterable[Any]) -> Iterator[Any]:
    """The layers of sequences within sequences, those left out that do nothing."""
    for each in layers:
        if isinstance(each, list | tuple | nn.Sequential):
            yield from _flat(each)
        elif not isinstance(each, nn.Identity):
            yield each


def _in_order(layers: list[Any], given: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The first layer, and the BatchNorm, activation and pool behind it, or given by name."""
    shown = ", ".join(getattr(each, "__name__", type(each).__name__) for each in layers) or "none"
    needs = "an nn.Linear, nn.Conv1d or nn.Conv2d, then at most a BatchNorm, an activation and a pool, in this order"
    roles = [_role(each) for each in layers[1:]]
    if not layers or roles != [role for role in given if role in roles]:
        raise TypeError(f"layer must be, if it is a sequence, {needs}, got {shown}: one MASO is one such layer")
    for role, each in zip(roles, layers[1:], strict=True):
        if given[role] is not None:
            raise ValueError(f"{role} must be None where it stands in the sequence already, got {given[role]}")
        given[role] = each
    return layers[0], list(given.values())


def _role(layer: Any) -> str:
    if isinstance(layer, nn.Linear | _ConvNd):
        return "layer"
    if isinstance(layer, _BatchNorm):
        return "batchnorm"
    return "pool" if "Pool" in type(layer).__name__ else "activation"


def _activated(affine: AffineMap, activation: Any, max_bytes: int) -> Pieces:
    """The pieces of each unit's activation, all of them multiples of the unit and constants."""
    matrix, bias, shape = affine
    if activation is None:
        check_bytes((matrix.shape[0], 1, matrix.shape[1]), matrix, max_bytes)
        return Pieces(matrix.unsqueeze(1).clone(), bias.unsqueeze(1).clone(), shape, False)
    units = _units(activation, matrix.new_zeros(1).expand(1, *shape))
    check_bytes((matrix.shape[0], units.num_pieces, matrix.shape[1]), matrix, max_bytes)
    gains, constants = units.slopes.t().to(matrix), units.constants.t().to(matrix)
    zero_first = not bool(gains[:, 0].any() | constants[:, 0].any())
    return Pieces(gains.unsqueeze(2) * matrix.unsqueeze(1), gains * bias.unsqueeze(1) + constants, shape, zero_first)


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


def _units(activation: Any, scores: Tensor) -> Kinks:
    """The units of an activation of scores ``(1, *shape)``; raise unless they are the largest of their pieces."""
    function = FUNCTIONS.get(activation, "") if isinstance(activation, Hashable) else ""
    name, options = (layer_call(activation) if isinstance(activation, nn.Module) else (function, {})) or ("", {})
    _check_hard("activation", activation)
    _check_channels(activation, scores.dim())
    try:
        units = PIECES[name].units(scores, **options) if name else None
    except TypeError:  # a function of more than one tensor
        units = None
    except ValueError as error:
        raise ValueError(f"activation {str(error).removeprefix('which ')}") from error
    if not isinstance(units, Kinks):
        got = getattr(activation, "__name__", type(activation).__name__)
        raise TypeError(f"activation must be None, {ACTIVATIONS}, got {got}")
    if units.turn is not None:
        left, right = units.turn
        needs = f"slopes up to {right:.8g}, got {left:.8g}"
        raise ValueError(f"activation must have {needs}: its unit is the smaller of its pieces, and no MASO")
    return units


def _check_hard(name: str, layer: Any) -> None:
    """Raise unless the β of a layer that has one is 1."""
    part = vars(layer).get(PART) if isinstance(layer, nn.Module) else None
    if part is None and not isinstance(layer, BetaModule):
        return
    beta = clamp_beta((layer.beta if part is None else part.softening.knob(part.name).tensor).detach())
    if not bool((beta == 1).all()):
        got = beta.flatten()[(beta != 1).flatten()][0].item()
        what = f"{name} must have beta = 1, got {got:.7g}: {type(layer).__name__} is softened at β = {got:.7g}"
        raise ValueError(f"{what}, and a MASO takes beta when it is called: set_beta(model, 1) or harden(model)")


def _check_channels(activation: Any, ndim: int) -> None:
    """Raise unless what differs between channels lies along those of the layer."""
    slope = getattr(activation, "negative_slope", None)
    by_channel = isinstance(slope, Tensor) and slope.dim() > 0
    if by_channel and activation.channel_dim not in (1, 1 - ndim):
        raise ValueError(f"activation must have its channels at channel_dim=1, got {activation.channel_dim}")
