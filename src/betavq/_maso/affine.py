"""Linear layers and convolutions as one matrix and one bias, eval BatchNorm folded in."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.func import functional_call

from .._numerics.checks import check_count, check_floating

AffineLayer: TypeAlias = nn.Linear | nn.Conv1d | nn.Conv2d
BatchNorm: TypeAlias = nn.BatchNorm1d | nn.BatchNorm2d

# Elements of the images that a convolution answers at once while its matrix is made: 16 MB in float32.
CHUNK = 2**22


class AffineMap(NamedTuple):
    """x ↦ matrix · x + bias on flattened x."""

    matrix: Tensor  # (K, D)
    bias: Tensor  # (K,)
    shape: tuple[int, ...]  # of the outputs: (K,) after nn.Linear, else channels and places, of product K

    @property
    def places(self) -> int:
        """Outputs a channel."""
        return math.prod(self.shape[1:])


def affine_map(name: str, layer: Any, input_size: Any, max_bytes: int) -> AffineMap:
    """The map of a layer; raise unless ``layer`` (called ``name``) is one that fits ``input_size``."""
    if isinstance(layer, nn.Linear):
        if input_size is not None:
            raise ValueError(f"input_size must be None where {name} is an nn.Linear, got {input_size!r}")
        check_floating(f"{name}.weight", layer.weight)
        bias = layer.weight.new_zeros(layer.out_features) if layer.bias is None else layer.bias.detach()
        return AffineMap(layer.weight.detach(), bias, (layer.out_features,))
    if not isinstance(layer, nn.Conv1d | nn.Conv2d):
        raise TypeError(f"{name} must be an nn.Linear, nn.Conv1d or nn.Conv2d, got {type(layer).__name__}")
    check_floating(f"{name}.weight", layer.weight)
    size = _image_size(name, layer, input_size)
    without_bias = {} if layer.bias is None else {"bias": torch.zeros_like(layer.bias)}
    try:
        shape = tuple(layer(layer.weight.new_zeros(0, *size)).shape[1:])
    except RuntimeError as error:
        raise ValueError(f"input_size must be large enough for {name}, got {size}: {error}") from error
    num_inputs, num_outputs = math.prod(size), math.prod(shape)
    check_bytes((num_outputs, 1, num_inputs), layer.weight, max_bytes)
    matrix = layer.weight.new_empty(num_outputs, num_inputs)
    step = max(1, CHUNK // max(num_inputs, num_outputs))
    for start in range(0, num_inputs, step):
        columns = matrix[:, start : start + step]
        basis = layer.weight.new_zeros(columns.shape[1], num_inputs)
        basis.diagonal(start).fill_(1.0)
        columns.copy_(functional_call(layer, without_bias, (basis.view(-1, *size),)).flatten(1).t())
    bias = layer.weight.new_zeros(shape[0]) if layer.bias is None else layer.bias.detach()
    return AffineMap(matrix, bias.repeat_interleave(math.prod(shape[1:])), shape)


def fold_batchnorm(affine: AffineMap, batchnorm: Any) -> AffineMap:
    """The map followed by a BatchNorm in eval mode: w ← s·w, b ← s·(b − m) + β with s = γ/√(v + ε)."""
    kind = nn.BatchNorm2d if len(affine.shape) == 3 else nn.BatchNorm1d
    if not isinstance(batchnorm, kind):
        raise TypeError(f"batchnorm must be an nn.{kind.__name__} after this layer, got {type(batchnorm).__name__}")
    mean, variance = batchnorm.running_mean, batchnorm.running_var
    if mean is None or variance is None:
        raise ValueError("batchnorm must keep running statistics, got track_running_stats=False")
    if batchnorm.training:
        raise ValueError("batchnorm must be in eval mode, got one in training mode, whose map depends on the batch")
    if batchnorm.num_features != affine.shape[0]:
        raise ValueError(f"batchnorm must have {affine.shape[0]} features, got {batchnorm.num_features}")
    like = affine.matrix
    scale = (variance.to(like) + batchnorm.eps).rsqrt()
    if batchnorm.weight is not None:
        scale = scale * batchnorm.weight.detach().to(like)
    shift = -mean.to(like) * scale
    if batchnorm.bias is not None:
        shift = shift + batchnorm.bias.detach().to(like)
    scale, shift = (number.repeat_interleave(affine.places) for number in (scale, shift))
    return AffineMap(scale[:, None] * like, scale * affine.bias + shift, affine.shape)


def check_bytes(shape: tuple[int, int, int], like: Tensor, max_bytes: int) -> None:
    """Raise unless slopes of a shape, in the dtype of ``like``, stay within ``max_bytes``."""
    needed = math.prod(shape) * like.element_size()
    if needed > max_bytes:
        raise ValueError(
            f"max_bytes must allow for slopes of shape (K, R, D) = {shape}, "
            f"which take {needed:,} bytes, got {max_bytes:,}"
        )


def _image_size(name: str, layer: nn.Conv1d | nn.Conv2d, input_size: Any) -> tuple[int, ...]:
    letters = "(C, L)" if isinstance(layer, nn.Conv1d) else "(C, H, W)"
    needs = f"input_size must be {letters} with C = {layer.in_channels} for {name}, an nn.{type(layer).__name__}"
    if not isinstance(input_size, tuple | list) or len(input_size) != len(letters.split()):
        raise ValueError(f"{needs}, got {input_size!r}")
    size = tuple(check_count("input_size's entries", entry) for entry in input_size)
    if size[0] != layer.in_channels:
        raise ValueError(f"{needs}, got {size}")
    return size
