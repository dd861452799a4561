r"""β-max-pooling for torch.compile: plain operators over the places of a window, which fuse into one loop each way.

With w = exp(η · gap) for the gaps z − max z of a window, and t = w/Σw,

.. math:: v = \max z + ⟨t, \mathrm{gap}⟩, \qquad \frac{∂v}{∂z} = t \, (1 + u - ⟨t, u⟩), \quad u = η \, \mathrm{gap},
          \qquad \frac{∂v}{∂η} = \mathrm{Var}_t(z).

At β = 1, which a tensor may have here and there, t is the one-hot of the first maximum. To unfold the windows, as
eager code does where it must, would write each of them out.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .._numerics.autograd import sum_to
from .._numerics.dtypes import compute_dtype
from .._numerics.hardness import Hardness, hardness
from .windows import Windows

OUT = -1e4  # an exponent of which exp is 0, and whose products stay finite


def compiled_pool(x: Tensor, windows: Windows, beta: float | Tensor) -> Tensor:
    """The β-VQ value of each window."""
    z = x.to(compute_dtype(x))
    v: Tensor = _Pool.apply(z, *hardness(beta, z), windows)  # type: ignore[no-untyped-call]
    return v.to(x.dtype)


class _Place(NamedTuple):
    weight: Tensor
    half_gap: Tensor  # the whole may overflow
    exponent: Tensor


def _weigh(z: Tensor, hardness: Hardness, windows: Windows) -> tuple[list[_Place], Tensor]:
    """The pieces of each place, and the maximum of each window."""
    (eta, at_zero, at_one), slices = hardness, windows.slices(z)
    top = slices[0]
    for piece in slices[1:]:
        top = torch.maximum(top, piece)
    infinite, found = top == math.inf, torch.zeros_like(top, dtype=torch.bool)
    places = []
    for piece in slices:
        out = piece == -math.inf
        if at_zero is not True:  # beaten by a +∞
            beaten = infinite & (piece != math.inf)
            out = out | (beaten & ~at_zero if isinstance(at_zero, Tensor) else beaten)
        half_gap = torch.where(out | infinite, 0.0, piece / 2 - top / 2)
        exponent = (2 * eta * half_gap).clamp(min=OUT)
        weight = torch.where(out, 0.0, torch.exp(exponent))
        if isinstance(at_one, Tensor):
            is_top = (piece == top) & ~found
            weight, found = torch.where(at_one, is_top.to(z.dtype), weight), found | is_top
        places.append(_Place(weight, half_gap, exponent))
    return places, top


def _sum(terms: Iterable[Tensor]) -> Tensor:
    return functools.reduce(torch.add, terms)


def _total(places: list[_Place]) -> Tensor:
    """Σw, or 1 where no piece is on offer."""
    total = _sum(place.weight for place in places)
    return torch.where(total == 0, 1.0, total)


def _mean(places: list[_Place], numbers: list[Tensor]) -> Tensor:
    """⟨t, numbers⟩ of each window."""
    total = _total(places)
    return _sum(place.weight / total * number for place, number in zip(places, numbers, strict=True))


class _Pool(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, eta: Any, at_zero: Any, at_one: Any, windows: Windows) -> Tensor:
        places, top = _weigh(z, Hardness(eta, at_zero, at_one), windows)
        return top + 2 * _mean(places, [place.half_gap for place in places])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        z, *hardness, ctx.windows = inputs
        is_tensor = isinstance(hardness[0], Tensor)
        ctx.hardness = None if is_tensor else tuple(hardness)
        ctx.save_for_backward(z, *(hardness if is_tensor else ()))

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (grad,), (z, *tensors) = grad_outputs, ctx.saved_tensors
        eta, at_zero, at_one = tensors or ctx.hardness
        places, _ = _weigh(z, Hardness(eta, at_zero, at_one), ctx.windows)
        share = grad / _total(places)
        mean = _mean(places, [place.exponent for place in places])
        slopes = [place.weight * (1 + place.exponent - mean) * share for place in places]
        in_z = ctx.windows.sums_of_slices(slopes, z) if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return in_z, None, None, None, None
        centre = _mean(places, [place.half_gap for place in places])
        offs = [(place.weight, place.half_gap - centre) for place in places]
        spread = 4 * _sum(weight * off * off for weight, off in offs) * share
        # At β = 1 η stands at a harmless 0, and has no derivative.
        spread = torch.where(at_one, 0.0, spread) if isinstance(at_one, Tensor) else spread
        return in_z, sum_to(spread, eta.shape), None, None, None
