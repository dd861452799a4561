"""What a frame draws besides lines, dots and maps: texts at places, and veils of a colour below all lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from . import palette
from .frames import Trace, array, tensor
from .names import label


def texts(words: Sequence[str], x: Any, y: Any, colour: str = palette.INK, *, side: str = "c") -> Trace:
    """Texts at the points (x, y), for what has no line or dot of its own: cells, regions, ends of an axis."""
    told = label(words, side=side, colour=colour)
    return {"type": "names", "mode": "text", "name": "names", "x": array(x), "y": array(y), "label": told}


def area(name: str, x: Any, low: Any, high: Any, colour: str, *, opacity: float = 0.16) -> Trace:
    """What lies between two curves over ``x``, as a veil of a line's colour under all lines."""
    x, low, high = torch.broadcast_tensors(*map(tensor, (x, low, high)))  # type: ignore[no-untyped-call]
    outline = torch.stack([torch.cat([x, x.flip(0)]), torch.cat([low, high.flip(0)])], -1)
    return veil(name, outline, colour, opacity=opacity)


def veil(name: str, outline: Any, colour: str, *, opacity: float = 0.16) -> Trace:
    """What lies within an ``outline``, ``(M, 2)``; NaN parts several of them."""
    x, y = array(outline).T
    return {"type": "area", "mode": "lines", "name": name, "x": x, "y": y, "fill": colour, "opacity": opacity}
