"""Which steps of a network in eval mode are affine in its input."""

from __future__ import annotations

from typing import Any

from torch import nn

from .affine import AFFINE, BILINEAR, PASSIVE, function_name

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
# Python's operators have names of their own.
_OPERATORS = {"iadd": "add", "isub": "sub", "imul": "mul", "truediv": "div", "itruediv": "div", "getattr": "get"}
_QUOTIENTS = ("div", "divide", "true_divide")


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
    name = function_name(target)
    name = _OPERATORS.get(name, name)
    if "dropout" in name:
        return not (args[2] if len(args) > 2 else kwargs.get("training", True))
    if name == "batch_norm":
        return num_inputs == 1 and not (args[5] if len(args) > 5 else kwargs.get("training", False))
    if name in BILINEAR:
        return num_inputs == 1 and (first or name not in _QUOTIENTS)
    return name in AFFINE or name in PASSIVE
