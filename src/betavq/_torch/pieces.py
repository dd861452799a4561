"""What of PyTorch is piecewise affine: each function's bends and slopes, or the windows of its maxima.

The one table: what softens networks, what finds their regions and what makes max-affine layers of them all read it.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .hard_units import Kinks, Maxima, Units
from .windows import adaptive_windows, pool_windows

Slope = float | Tensor


class Entry(NamedTuple):
    """A row of the table.

    Attributes:
        units: the units of a call, from the function's own arguments; raises ValueError, in words that begin with
            "which", for a call that is not piecewise affine, continuous, or one row of a batch at a time.
        layer: the layer that calls the function, by its name in ``torch.nn``; it keeps the arguments under their
            names, and so does the layer of the same name in :mod:`betavq.nn`.
        softened: whether :func:`betavq.soften` replaces it.
    """

    units: Callable[..., Units]
    layer: str = ""
    softened: bool = False


def _bent(input: Tensor, bends: Sequence[float], slopes: Sequence[Slope], first: float = 0.0) -> Units:
    """Units whose pieces have these slopes, numbers or tensors against ``input``; the first is s_0 z + ``first``."""
    shape = input.shape[1:]
    rows = torch.stack(
        [
            torch.as_tensor(slope, dtype=torch.float64, device=input.device).expand(1, *shape).reshape(-1)
            for slope in slopes
        ]
    ).detach()
    constants = [torch.full_like(rows[0], first)]
    for bend, left, right in zip(bends, rows, rows[1:], strict=False):
        constants.append(constants[-1] + (left - right) * bend)
    return Kinks(tuple(bends), rows, torch.stack(constants), tuple(shape))


def _leaky(input: Tensor, negative_slope: Slope = 0.01) -> Units:
    """One slope, one for each channel, or any that broadcast against the input."""
    slope = negative_slope
    if isinstance(slope, Tensor) and slope.dim() == 1 and slope.numel() > 1:
        channels = input.shape[1] if input.dim() > 1 else 1
        if len(slope) != channels:
            raise ValueError(f"which must have 1 or {channels} slopes, got {len(slope)}")
        slope = slope.view(-1, *[1] * (input.dim() - 2))
    return _bent(input, (0.0,), (slope, 1.0))


def _rrelu(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Units:
    if training:
        raise ValueError("which has a random slope in training mode")
    return _leaky(input, (lower + upper) / 2)


def _clamp(input: Tensor, min: Any = None, max: Any = None) -> Units:
    low, high = (None if end is None or math.isinf(float(end)) else float(end) for end in map(_number, (min, max)))
    if low is None and high is None:
        return _bent(input, (0.0,), (1.0, 1.0))
    if low is not None and high is not None and low >= high:  # then PyTorch puts out the upper bound
        return _bent(input, (high,), (0.0, 0.0), high)
    bends = [end for end in (low, high) if end is not None]
    slopes = [0.0] * (low is not None) + [1.0] + [0.0] * (high is not None)
    return _bent(input, bends, slopes, 0.0 if low is None else low)


def _number(bound: Any) -> Any:
    if isinstance(bound, Tensor) and bound.numel() > 1:
        raise ValueError("which has tensors for bounds; torch.maximum and torch.minimum take them")
    return bound


def _softshrink(input: Tensor, lambd: float = 0.5) -> Units:
    return _bent(input, (-lambd, lambd), (1.0, 0.0, 1.0), lambd)


def _hardshrink(input: Tensor, lambd: float = 0.5) -> Units:
    if lambd != 0:
        raise ValueError(f"which jumps at −{lambd:g} and {lambd:g}")
    return _bent(input, (0.0,), (1.0, 1.0))


def _threshold(input: Tensor, threshold: float, value: float) -> Units:
    if threshold != value:
        raise ValueError(f"which jumps at {threshold:g}, from {value:g}")
    return _bent(input, (threshold,), (0.0, 1.0), value)


def _along(sign: int) -> Callable[..., Units]:
    """The largest along one or more dimensions, or the smallest."""

    def units(input: Tensor, dim: Any = (), keepdim: bool = False) -> Units:
        given = dim if isinstance(dim, tuple | list) else (dim,)
        dims = sorted({each % input.dim() for each in given if each is not None})
        if not dims or dims[0] == 0:
            raise ValueError(f"which must have a dim beyond the batch, got dim={dim}")
        places = torch.arange(math.prod(input.shape[1:]), device=input.device).view(1, *input.shape[1:])
        windows = places.movedim(dims, list(range(-len(dims), 0))).flatten(-len(dims)).flatten(0, -2)
        return Maxima(windows, tuple(places.amax(dims, keepdim).shape[1:]), sign)

    return units


def _of_two(sign: int) -> Callable[..., Units]:
    """The larger of two tensors, or the smaller."""

    def both(input: Tensor, other: Tensor) -> Tensor:
        return torch.stack(torch.broadcast_tensors(input, other), -1)  # type: ignore[no-untyped-call]

    def units(input: Tensor, other: Tensor) -> Units:
        shape = both(input, other).shape[1:]
        windows = torch.arange(math.prod(shape), device=input.device).view(-1, 2)
        return Maxima(windows, tuple(shape[:-1]), sign, both)

    return units


def _extreme(sign: int) -> Callable[..., Units]:
    """``max`` and ``min``, which are both of these."""

    def units(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Units:
        other = dim if isinstance(dim, Tensor) else other
        return _of_two(sign)(input, other) if other is not None else _along(sign)(input, dim, keepdim)

    return units


def _pool(axes: int) -> Callable[..., Units]:
    function: Any = getattr(F, f"max_pool{axes}d")

    def units(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,  # noqa: ARG001
    ) -> Units:
        sizes = (kernel_size, stride or kernel_size, padding, dilation)
        channels, places = _channels(input, axes)
        out = function(input.new_zeros(1, *places), *sizes, ceil_mode).shape[1:]
        return _pooled(input, pool_windows(sizes, channels, places, out), axes, out)

    return units


def _adaptive_pool(axes: int) -> Callable[..., Units]:
    function: Any = getattr(F, f"adaptive_max_pool{axes}d")

    def units(input: Tensor, output_size: Any, return_indices: bool = False) -> Units:  # noqa: ARG001
        channels, places = _channels(input, axes)
        out = function(input.new_zeros(1, *places), output_size).shape[1:]
        return _pooled(input, adaptive_windows(channels, places, out), axes, out)

    return units


def _channels(input: Tensor, axes: int) -> tuple[int, tuple[int, ...]]:
    """How many channels there are, and the sizes of each; an input without channels is one."""
    return math.prod(input.shape[1:-axes]), tuple(input.shape[-axes:])


def _pooled(input: Tensor, windows: Tensor, axes: int, out: Sequence[int]) -> Units:
    places = math.prod(input.shape[-axes:])
    return Maxima(windows.to(input.device), (*input.shape[1:-axes], *out), places=places)


PIECES: dict[str, Entry] = {
    "relu": Entry(lambda input: _bent(input, (0.0,), (0.0, 1.0)), "ReLU", softened=True),
    "leaky_relu": Entry(_leaky, "LeakyReLU", softened=True),
    "prelu": Entry(lambda input, weight: _leaky(input, weight), "PReLU", softened=True),
    "rrelu": Entry(_rrelu, "RReLU"),
    "abs": Entry(lambda input: _bent(input, (0.0,), (-1.0, 1.0)), "Abs", softened=True),
    "relu6": Entry(lambda input: _clamp(input, 0.0, 6.0), "ReLU6"),
    "hardtanh": Entry(lambda input, min_val=-1.0, max_val=1.0: _clamp(input, min_val, max_val), "Hardtanh"),
    "hardsigmoid": Entry(lambda input: _bent(input, (-3.0, 3.0), (0.0, 1 / 6, 0.0)), "Hardsigmoid"),
    "softshrink": Entry(_softshrink, "Softshrink"),
    "hardshrink": Entry(_hardshrink, "Hardshrink"),
    "threshold": Entry(_threshold, "Threshold"),
    "clamp": Entry(_clamp),
    "clamp_min": Entry(lambda input, min: _clamp(input, min)),
    "clamp_max": Entry(lambda input, max: _clamp(input, None, max)),
    "maxout": Entry(lambda input, dim=-1: _along(1)(input, dim), "Maxout"),
    "amax": Entry(_along(1)),
    "amin": Entry(_along(-1)),
    "max": Entry(_extreme(1)),
    "min": Entry(_extreme(-1)),
    "maximum": Entry(_of_two(1)),
    "minimum": Entry(_of_two(-1)),
    "max_pool1d": Entry(_pool(1), "MaxPool1d", softened=True),
    "max_pool2d": Entry(_pool(2), "MaxPool2d", softened=True),
    "max_pool3d": Entry(_pool(3), "MaxPool3d"),
    **{f"adaptive_max_pool{n}d": Entry(_adaptive_pool(n), f"AdaptiveMaxPool{n}d") for n in (1, 2, 3)},
}
PIECES |= {"absolute": PIECES["abs"], "clip": PIECES["clamp"], "fmax": PIECES["maximum"], "fmin": PIECES["minimum"]}
LAYERS = {entry.layer: name for name, entry in reversed(PIECES.items()) if entry.layer}
_HOLDERS: dict[str, Any] = {"F": F, "torch": torch, "Tensor": Tensor, "aten": torch.ops.aten}


def functions(name: str) -> Iterator[tuple[str, Any]]:
    """All of PyTorch that goes by a name, in place or as an operator too: relu is F.relu, Tensor.relu_ and so on."""
    for holder, owner in _HOLDERS.items():
        for attribute in (name, f"{name}_", f"__{name}__", f"{name}_with_indices"):
            found = getattr(owner, attribute, None)
            if callable(found):
                yield f"{holder}.{attribute}", getattr(found, "default", found) if holder == "aten" else found


def layer_call(layer: nn.Module) -> tuple[str, dict[str, Any]] | None:
    """The function that a layer of PyTorch or of ours computes, and its arguments; None if the table has it not."""
    for kind in type(layer).__mro__:
        name = LAYERS.get(kind.__name__.removeprefix("Beta"), "")
        if name and kind.__module__.startswith(("torch.nn.modules.", "betavq.")):
            parameters = list(inspect.signature(PIECES[name].units).parameters)[1:]
            return name, {each: getattr(layer, each) for each in parameters if hasattr(layer, each)}
    return None
