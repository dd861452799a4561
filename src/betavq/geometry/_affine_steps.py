"""Which steps of a network in eval mode are affine in its input, row by row of the batch."""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

_torch: Any = torch

_LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AvgPool3d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
    nn.Flatten,
    nn.Unflatten,
    nn.Identity,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.AlphaDropout,
    nn.ZeroPad2d,
    nn.ReflectionPad2d,
    nn.ReplicationPad2d,
    nn.Upsample,
    nn.PixelShuffle,
    nn.PixelUnshuffle,
)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

#: Affine in all of their tensors together.
_SUMS = {
    *(operator.add, operator.iadd, operator.sub, operator.isub, operator.neg, operator.pos, operator.getitem),
    *(getattr, torch.add, torch.sub, torch.neg, torch.cat, torch.stack, torch.concat),
    *(torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze, torch.permute, torch.transpose, torch.movedim),
    *(torch.mean, torch.sum, torch.chunk, torch.split, torch.flip, torch.roll, F.pad),
    *(F.avg_pool1d, F.avg_pool2d, F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, _torch._C._nn.avg_pool2d),
    *("add", "add_", "sub", "sub_", "neg", "cat", "flatten", "reshape", "view", "squeeze", "unsqueeze", "permute"),
    *("transpose", "movedim", "mean", "sum", "chunk", "split", "flip", "roll", "contiguous", "clone", "detach"),
    *("expand", "repeat", "size", "dim", "numel", "float", "double", "t", "unflatten", "__getitem__"),
}
#: Affine in one of their tensors while the others are constants.
_PRODUCTS = {
    *(operator.mul, operator.imul, operator.matmul, torch.mul, torch.matmul, torch.mm, torch.einsum),
    *(F.linear, F.conv1d, F.conv2d, torch.conv1d, torch.conv2d, "mul", "mul_", "matmul", "mm"),
}
_QUOTIENTS = {operator.truediv, operator.itruediv, torch.div, "div", "div_"}
_DROPOUTS = {F.dropout, F.dropout1d, F.dropout2d, torch.dropout}


def is_affine(
    layer: nn.Module | None, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], num_inputs: int, first: bool
) -> bool:
    """Whether a step is affine.

    Args:
        layer: what the step calls, if that is a layer; else ``target`` is the function, or the method's name.
        args, kwargs: what it is called with.
        num_inputs: how many of its tensors depend on the network's input.
        first: whether the first of its arguments does.
    """
    if isinstance(layer, _BATCH_NORMS):
        return layer.running_mean is not None
    if layer is not None:
        return isinstance(layer, _LAYERS)
    if target in _DROPOUTS:
        return not (args[2] if len(args) > 2 else kwargs.get("training", True))
    if target in _PRODUCTS:
        return num_inputs == 1
    if target in _QUOTIENTS:
        return num_inputs == 1 and first
    return target in _SUMS
