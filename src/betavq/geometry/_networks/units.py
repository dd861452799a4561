"""The nonlinear units of a network, as what cuts regions: kinks of one score, and the largest of a few."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor


@dataclass(frozen=True)
class Kinks:
    """Units of one score each, affine between a few bends: s_r z + c_r between the bends r − 1 and r.

    Attributes:
        bends: where the R pieces meet, in order, R − 1 numbers.
        slopes: s of every unit, ``(R, K)``.
        constants: c of every unit, ``(R, K)``.
        out_shape: of the units, without the batch; of product K.
    """

    bends: tuple[float, ...]
    slopes: Tensor
    constants: Tensor
    out_shape: tuple[int, ...]

    @property
    def num_pieces(self) -> int:
        """R, how many pieces a unit has."""
        return len(self.slopes)

    @property
    def is_rectifier(self) -> bool:
        """Whether they are plain ReLUs."""
        return self.bends == (0.0,) and not bool(self.slopes[0].any()) and bool((self.slopes[1] == 1).all())

    def code(self, scores: Tensor) -> Tensor:
        """Which piece each unit selects: ``(…, K)``, integers."""
        code = (scores > self.bends[0]).long()
        for bend in self.bends[1:]:
            code += scores > bend
        return code

    def value(self, scores: Tensor, code: Tensor) -> Tensor:
        """What the pieces of a code put out, ``(…, K)``."""
        index = code.expand(scores.shape).reshape(-1, scores.shape[-1])
        slopes, constants = (
            parameters.gather(0, index).reshape(scores.shape) for parameters in (self.slopes, self.constants)
        )
        return slopes * scores + constants


@dataclass(frozen=True)
class Maxima:
    """Units that are each the largest of some entries of their input.

    Attributes:
        windows: which entries of the flattened input each unit sees, ``(K, R)``; −1 where it sees padding.
        out_shape: of the units, without the batch; of product K.
        entries: how the entries come from the input of the step, affinely; None if they are that.
    """

    windows: Tensor
    out_shape: tuple[int, ...]
    entries: Callable[[Tensor], Tensor] | None = None

    @property
    def num_pieces(self) -> int:
        """R, how many pieces a unit has."""
        return self.windows.shape[1]


Units: TypeAlias = Kinks | Maxima


@dataclass(frozen=True)
class Layer:
    """A layer of units of a network, in the order in which the forward pass meets them.

    Attributes:
        name: of the step, with its kind.
        num_units: how many units it has.
        num_pieces: R, among how many pieces each of them selects.

    Example:
        >>> import torch
        >>> from betavq.geometry import partition
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()).eval()
        >>> torch.nn.utils.vector_to_parameters(torch.tensor([1.0, 0, 0, 1, 0, 0]), net.parameters())  # relu(x, y)
        >>> partition(net, [(-1, -1), (1, -1), (1, 1), (-1, 1)]).layers
        (Layer(name="layer '1' (ReLU)", num_units=2, num_pieces=2),)
    """

    name: str
    num_units: int
    num_pieces: int


def two_pieces(left: float | Tensor, shape: tuple[int, ...], channel_dim: int = 0) -> Kinks:
    """Units z for z > 0, else νz with one slope ν for all, or one a channel, over an input of this shape."""
    slope = torch.as_tensor(left, dtype=torch.float64).detach()
    if slope.numel() > 1:
        view = [1] * len(shape)
        view[channel_dim] = slope.numel()
        slope = slope.reshape(view)
    slope = slope.reshape(slope.shape if slope.numel() > 1 else ()).expand(shape).reshape(-1)
    slopes = torch.stack((slope, torch.ones_like(slope)))
    return Kinks((0.0,), slopes, torch.zeros_like(slopes), shape)


def clamped(low: float | None, high: float | None, shape: tuple[int, ...], gain: float = 1.0) -> Kinks:
    """Units that are constant below ``low`` and above ``high``, of slope ``gain`` between; not beyond None."""
    pieces = [(gain, 0.0)]
    pieces = ([(0.0, gain * low)] if low is not None else []) + pieces
    pieces += [(0.0, gain * high)] if high is not None else []
    slopes, constants = torch.tensor(pieces, dtype=torch.float64).t()
    count = math.prod(shape)
    bends = tuple(float(bend) for bend in (low, high) if bend is not None)
    return Kinks(bends, slopes[:, None].expand(-1, count), constants[:, None].expand(-1, count), shape)


def maxima_along(shape: tuple[int, ...], dim: int, keepdim: bool = False) -> Maxima:
    """The largest along ``dim``, which counts the batch that ``shape`` leaves out."""
    places = torch.arange(math.prod(shape)).view(1, *shape)
    windows = places.movedim(dim, -1)[0]
    out = places.amax(dim, keepdim).shape[1:]
    return Maxima(windows.reshape(-1, windows.shape[-1]), tuple(out))


def windowed(scores: Tensor, units: Maxima, padding: float) -> Tensor:
    """The entries that each unit sees: ``(…, D)`` → ``(…, K, R)``, and ``padding`` where it sees none."""
    return torch.where(units.windows < 0, padding, scores[..., units.windows])
