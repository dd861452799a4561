r"""Two pieces under noise: shares and expected maximum of checked scores, one formula a noise.

With y half the gap between the scores, x = 2y/s the gap in units of the scale s, Q(x) = P(ε > xs) the tail of the
noise and N(x) = E(ε/s − x)⁺ its integral: the piece that trails wins with probability Q, and the expected maximum is
the larger score plus s·N. For noise that is not symmetric this is so where the first piece leads; exponential noise,
being positive, never takes the lead from the second.

Scores are halved before they are subtracted, for the whole gap may overflow. Past the end of the noise (or of the
floats: where Q is below the smallest normal number) the pieces are selected hard, and no formula sees 0/0 or ∞·0
there, lest its gradient be NaN: the double ``where``.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ._numerics.autograd import Derived, apply, sum_to
from ._numerics.dtypes import saturation

ROOT_TWO, ROOT_HALF_PI = math.sqrt(2), math.sqrt(math.pi / 2)


def shares(first: Tensor, second: Tensor, scale: Tensor, noise: str) -> tuple[Tensor, Tensor]:
    """Probabilities that each piece wins; the scale broadcasts against the scores, and all are of one dtype."""
    leads, y, live = _stand(first, second, scale, noise)
    x = _gap(y, scale, live)
    tail = _heavy_tail(y, scale, live) if noise == "lomax" else _tail(x, noise)
    rest = -torch.expm1(-x) if noise == "exponential" else 1 - tail
    trailing, leading = torch.where(live, tail, 0.0), torch.where(live, rest, 1.0)
    none = _none(first, second)
    return (
        torch.where(none, 0.0, torch.where(leads, trailing, leading)),
        torch.where(none, 0.0, torch.where(leads, leading, trailing)),
    )


def expected_maximum(first: Tensor, second: Tensor, scale: Tensor, noise: str) -> Tensor:
    """E max(first, second + ε), with derivatives by hand: in the scores the shares, in the scale :func:`_spread`."""
    return apply(_Maximum, first, second, scale, noise)


class _Maximum(Derived):
    saved = 3

    @staticmethod
    def forward(first: Tensor, second: Tensor, scale: Tensor, noise: str) -> Tensor:
        leads, y, live = _stand(first, second, scale, noise)
        top = torch.maximum(first, second)
        if noise == "lomax":  # whose mean distance from 0 is infinite
            excess = torch.where(live & (scale > 0), math.inf, 0.0).to(top.dtype)
        else:
            excess = torch.where(live, scale * _integral(_gap(y, scale, live), noise), 0.0)
        if noise == "exponential":
            excess = torch.where(leads, scale, excess)
        return torch.where(_none(first, second), -math.inf, top + excess)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (first, second, scale), (noise,) = ctx.saved_tensors, ctx.options
        (grad,) = grad_outputs
        in_first, in_second, in_scale, _ = ctx.needs_input_grad
        in_the_first, in_the_second = shares(first, second, scale, noise)
        return (
            sum_to(grad * in_the_first, first.shape) if in_first else None,
            sum_to(grad * in_the_second, second.shape) if in_second else None,
            sum_to(grad * _spread(first, second, scale, noise), scale.shape) if in_scale else None,
            None,
        )

    @staticmethod
    def tangent(ctx: Any, *grad_inputs: Any) -> Tensor:
        (first, second, scale), (noise,) = ctx.saved_tensors, ctx.options
        first_dot, second_dot, scale_dot, _ = grad_inputs
        in_the_first, in_the_second = shares(first, second, scale, noise)
        moved = in_the_first * first_dot + in_the_second * second_dot
        tangent: Tensor = moved + _spread(first, second, scale, noise) * scale_dot
        return tangent


def _stand(first: Tensor, second: Tensor, scale: Tensor, noise: str) -> tuple[Tensor, Tensor, Tensor]:
    """Whether the second piece leads, half the gap, and whether the noise reaches across it ("live").

    Of equal scores the second leads, but without noise the first does. NaN is live, and so makes its way. (The
    operator ~ wants a real device where one is simulated; logical_not does not.)
    """
    both_infinite = (first == second) & torch.isinf(first)
    half = torch.where(both_infinite, 0.0, second * 0.5 - first * 0.5)
    leads = (half > 0) | ((half == 0) & (scale > 0))
    y = torch.where(half < 0, -half, half)  # its derivative at a tie is 1, that of abs is 0
    if noise == "lomax":
        return leads, y, (torch.isinf(2 * y) | ((scale == 0) & (y == 0))).logical_not()
    live = (y >= scale * (_reach(y.dtype, noise) / 2)).logical_not()
    return leads, y, live & leads.logical_not() if noise == "exponential" else live


def _reach(dtype: torch.dtype, noise: str) -> float:
    """The x from which on Q(x) is 0 or below the smallest normal number."""
    if noise == "uniform":
        return 1.0
    return math.sqrt(2 * saturation(dtype)) if noise == "gaussian" else saturation(dtype)


def _none(first: Tensor, second: Tensor) -> Tensor:
    """Whether both pieces are excluded."""
    return (first == -math.inf) & (second == -math.inf)


def _gap(y: Tensor, scale: Tensor, live: Tensor) -> Tensor:
    """x, with a harmless 0 where it is not live or has no derivative, the scale being infinite."""
    inner = live & torch.isinf(scale).logical_not()
    return 2 * (torch.where(inner, y, 0.0) / torch.where(inner, scale, 1.0))


def _tail(x: Tensor, noise: str) -> Tensor:
    """Q(x) for x ≥ 0."""
    if noise == "logistic":
        return torch.sigmoid(-x)
    if noise == "uniform":
        return (1 - x) / 2
    return torch.erfc(x / ROOT_TWO) / 2 if noise == "gaussian" else torch.exp(-x)


def _heavy_tail(y: Tensor, scale: Tensor, live: Tensor) -> Tensor:
    """Q of Lomax noise, s/2 / (s + 2y), from whichever ratio is at most 1: it has slopes in s at s = 0, and in y."""
    half = scale * 0.5
    far = live & (y > half)
    near = live & far.logical_not()
    inverse = torch.where(far, half, 0.0) / torch.where(far, y, 1.0)
    ratio = torch.where(near, y, 0.0) / torch.where(near, half, 1.0)
    return torch.where(far, inverse / (1 + inverse), 1 / (1 + ratio)) / 2


def _integral(x: Tensor, noise: str) -> Tensor:
    """N(x) = ∫ Q from x to ∞, for x ≥ 0."""
    if noise == "logistic":
        return torch.log1p(torch.exp(-x))
    if noise == "uniform":
        return (1 - x) ** 2 / 4
    if noise == "gaussian":  # φ(x) − x Q(x), with what the two have in common taken out
        mills_ratio: Tensor = ROOT_HALF_PI * torch.special.erfcx(x / ROOT_TWO)
        return _normal_density(x) * (1 - x * mills_ratio)
    return torch.exp(-x)


def _spread(first: Tensor, second: Tensor, scale: Tensor, noise: str) -> Tensor:
    """Derivative of the expected maximum in the scale, N(x) + x Q(x); at s = 0 it is one-sided."""
    leads, y, live = _stand(first, second, scale, noise)
    reached = live | ((y == 0) & (scale == 0))  # at a tie x = 0, however small the scale
    x = _gap(y, scale, live)
    if noise == "logistic":  # the entropy of the shares
        spread = torch.log1p(torch.exp(-x)) + x * torch.sigmoid(-x)
    elif noise == "uniform":
        spread = (1 - x) * (1 + x) / 4
    elif noise == "gaussian":
        spread = _normal_density(x)
    elif noise == "exponential":
        reached, spread = reached | leads, torch.where(leads, 1.0, torch.exp(-x) * (1 + x))
    else:  # of +∞
        spread = torch.zeros_like(x)
    endless = torch.isinf(torch.maximum(first, second))
    return torch.where(reached & endless.logical_not(), spread, 0.0)


def _normal_density(x: Tensor) -> Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
