"""Piecewise affine units, as what cuts regions: kinks of one score, and the largest or smallest of a few."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor


def as_rows(values: Tensor) -> Tensor:
    """One row for each point, ``(N, …)`` → ``(N, K)``."""
    return values.flatten(1) if values.dim() > 1 else values.unsqueeze(-1)


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
    sign = 1

    @property
    def num_pieces(self) -> int:
        """R, how many pieces a unit has."""
        return len(self.slopes)

    @property
    def is_rectifier(self) -> bool:
        """Whether they are plain ReLUs."""
        return self.bends == (0.0,) and not bool(self.slopes[0].any()) and bool((self.slopes[1] == 1).all())

    @property
    def turn(self) -> tuple[float, float] | None:
        """The slopes around a bend where a unit is the smaller of its pieces; None if all are the largest."""
        turning = (self.slopes[1:] < self.slopes[:-1]).nonzero()
        if not len(turning):
            return None
        r, k = turning[0].tolist()
        return self.slopes[r, k].item(), self.slopes[r + 1, k].item()

    def scores(self, input: Tensor, *_: Any, **__: Any) -> Tensor:
        """What the units are given in a call with these arguments, ``(N, K)``."""
        return as_rows(input)

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
    """Units that are each the largest of some scores; or the smallest, by the largest of their negatives.

    Attributes:
        windows: which scores each unit sees, ``(K, R)``; −1 where it sees padding.
        out_shape: of the units, without the batch; of product K.
        sign: −1 if the scores are negatives, and so are the outputs; else 1.
        entries: the scores of a call with its arguments, ``(N, …)``, before the sign; None for the input itself.
        places: of how many inputs a channel has each unit's code says which; 0 if the code counts in the window.
    """

    windows: Tensor
    out_shape: tuple[int, ...]
    sign: int = 1
    entries: Callable[..., Tensor] | None = None
    places: int = 0

    @property
    def num_pieces(self) -> int:
        """R, how many pieces a unit has."""
        return self.windows.shape[1]

    def scores(self, *args: Any, **kwargs: Any) -> Tensor:
        """What the units are given in a call with these arguments, ``(N, D)``."""
        entries = as_rows(args[0] if self.entries is None else self.entries(*args, **kwargs))
        return entries if self.sign > 0 else -entries

    def seen(self, scores: Tensor, padding: float) -> Tensor:
        """The scores that each unit sees: ``(…, D)`` → ``(…, K, R)``, and ``padding`` where it sees none."""
        return torch.where(self.windows < 0, padding, scores[..., self.windows])

    def code(self, scores: Tensor) -> Tensor:
        """Which is the first largest of each unit: ``(…, K)``, integers. One score a unit at a time, not all R."""
        best = torch.full((*scores.shape[:-1], len(self.windows)), -math.inf, dtype=scores.dtype, device=scores.device)
        chosen = torch.zeros_like(best, dtype=torch.long)
        for r, window in enumerate(self.windows.unbind(1)):
            value = torch.where(window < 0, -math.inf, scores[..., window])
            chosen = torch.where(value > best, r, chosen)
            best = torch.maximum(best, value)
        if not self.places:
            return chosen
        return self.windows.expand(*chosen.shape, -1).gather(-1, chosen[..., None])[..., 0] % self.places


Units: TypeAlias = Kinks | Maxima
