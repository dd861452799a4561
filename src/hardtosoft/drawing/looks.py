"""How several chapters draw the same thing: inputs and axes, a colour and a dash a piece, round ticks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from math import ceil, floor, log10
from typing import Any

import torch

from ..interactive import palette
from ..interactive.frames import Trace, axis, layout, line

#: Inputs of a unit, and the same as a line's x.
INPUTS = torch.linspace(-5, 5, 201, dtype=torch.float64)
GRID = (-5.0, 0.05)
INPUT_AXIS = axis(-5, 5, (-4, -2, 0, 2, 4))
#: From 0 to 1: hardness, weights, shares.
ACROSS_TO_1 = axis(-0.02, 1.02, (0, 0.5, 1), ("0", "½", "1"))
UP_TO_1 = axis(-0.04, 1.04, (0, 0.5, 1), ("0", "½", "1"))
#: How the pieces of a unit look, and what their weights are called.
STYLES = ((palette.GREEN, "dash"), (palette.ORANGE, "solid"), (palette.PURPLE, "dashdot"), (palette.BLUE, "dot"))
ORDINALS = ("first", "second", "third", "fourth")
SYMBOLS = ("t₁", "t₂", "t₃", "t₄")
WEIGHTS = tuple(f"weight {symbol} of the {ordinal}" for symbol, ordinal in zip(SYMBOLS, ORDINALS, strict=True))


def even_ticks(low: float, high: float) -> list[float]:
    """Round numbers in [low, high], evenly spaced, at most seven."""
    least = (high - low or 1.0) / 6
    power = 10.0 ** floor(log10(least))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power > least * (1 - 1e-9))
    return [place * step for place in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def piece_lines(
    names: Iterable[str], x: Any, curves: Any, width: float = 2.5, labels: Sequence[Any] = (), **more: Any
) -> list[Trace]:
    """One line a piece over ``x``, each in the look of its piece; ``curves`` are ``(N, R)``, ``labels`` one a piece.

    The second is thicker than the others: colours alone do not tell it from the first for every reader.
    """
    looks = zip(names, curves.T, STYLES, cycle(labels or [None]), strict=False)
    return [
        line(name, x, curve, colour, dash=dash, width=width * (1.6 if r == 1 else 1), label=label, **more)
        for r, (name, curve, (colour, dash), label) in enumerate(looks)
    ]


def blank(width: float, height: float) -> dict[str, Any]:
    """The layout of a picture: from 0 to its width and height, without a tick."""
    return layout(axis(0, width, (), grid=False), axis(0, height, (), grid=False))
