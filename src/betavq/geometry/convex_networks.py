"""Whether a network is convex because every layer hands on what is convex."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from .._torch.affine import AVERAGING, BILINEAR, Step
from .._torch.hard_units import Kinks, Units
from ..maso import MASO
from ._networks.checks import check_inputs, check_outputs, checked_model
from ._networks.own_layers import Found
from ._networks.watch import Watched, watch, watched_in
from .affine_maps import Model

__all__ = ["Convexity", "convexity"]
__dir__ = __all__.copy

AFFINE, CONVEX, BROKEN = "affine", "convex", "broken"


class Convexity(NamedTuple):
    """Whether the sufficient condition holds.

    Attributes:
        convex: True if every output is certainly a convex function of the input; False if the condition fails. The
            network may be convex all the same.
        layer: the first layer that breaks the condition, in words; None if none does.
        reason: why it does; empty if none does.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import convexity
        >>> net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)).eval()
        >>> net[2].weight.data.fill_(-1.0).shape
        torch.Size([1, 8])
        >>> found = convexity(net, torch.zeros(1, 2))
        >>> found.convex, found.layer
        (False, "layer '2' (Linear)")
        >>> found.reason
        'a negative weight, -1, after a layer that is convex already'
    """

    convex: bool
    layer: str | None
    reason: str


class _Curvature(NamedTuple):
    """What is known of the numbers of a tensor as functions of the input."""

    kind: str
    layer: str | None = None
    reason: str = ""


def convexity(model: Model, x: Tensor) -> Convexity:
    r"""Whether a piecewise-affine network passes the sufficient condition for convex outputs.

    Every output is a convex function of the input, so that the whole network is a single max-affine spline, if

    * every layer takes the largest of its pieces (as ReLU, max-pooling and \|·\| do, and minimum does not),
    * and each layer that sees what is convex and no longer affine hands it on without turning it: weights that are
      not negative, and pieces that do not fall (as those of \|·\| do).

    The first layer's weights are free, and so are those of a skip from the input. The condition is followed through
    the computation at one batch: it depends on its shape, not on its numbers.

    Args:
        model: as in :func:`affine_map`.
        x: any input, ``(N, *in)``.

    Returns:
        A :class:`Convexity`: whether the condition holds, or which layer breaks it first and why.

    Raises:
        ValueError, TypeError: as :func:`affine_map`.

    Source: Balestriero & Baraniuk (2018), arXiv 1805.06576, convex networks.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import convexity
        >>> net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)).eval()
        >>> net[2].weight.data.abs_().shape  # no negative weight after the ReLU
        torch.Size([1, 8])
        >>> convexity(net, torch.zeros(1, 2)).convex
        True
    """
    model = checked_model(model)
    check_inputs("x", x, model)
    with torch.no_grad():
        output, _, mark = watch(model, x.detach(), follow=_follow, mark=_Curvature(AFFINE))
    check_outputs(output, x)
    return Convexity(mark.kind != BROKEN, mark.layer, mark.reason)


def _follow(step: Step, args: tuple[Any, ...], kwargs: dict[str, Any], called: Any, found: Found | None) -> _Curvature:
    """The curvature of an operation's results."""
    marks: list[_Curvature] = [each.mark for each in watched_in((args, kwargs))]
    broken = next((mark for mark in marks if mark.kind == BROKEN), None)
    if broken is not None:
        return broken
    bent = any(mark.kind == CONVEX for mark in marks)
    if found is not None:
        lowest = called.slopes.min().item() if isinstance(called, MASO) else 0.0
        reason = _why_not_growing(found.step.name, found.units, bent, lowest)
        return _Curvature(BROKEN, step.layer, reason) if reason else _Curvature(CONVEX)
    if not bent or step.name in AVERAGING:
        return _Curvature(CONVEX if bent else AFFINE)
    reason = _why_turned(step.name, args, kwargs)
    return _Curvature(BROKEN, step.layer, reason) if reason else _Curvature(CONVEX)


def _why_not_growing(name: str, units: Units, bent: bool, lowest: float) -> str:
    """Why a selection is not convex in the input, or not after what is convex already; empty if it is."""
    if units.sign < 0:
        return f"{name} is not the largest of affine pieces"
    if isinstance(units, Kinks):
        if units.turn is not None:
            left, right = units.turn
            slopes = f"a slope of {left:.4g} above {right:.4g} after it"
            return f"{name} is not the largest of affine pieces: it has {slopes}"
        lowest = units.slopes.min().item()
    if bent and lowest < 0:
        return f"{name} has a piece of slope {lowest:.4g}, which falls, after a layer that is convex already"
    return ""


def _why_turned(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Why an affine operation turns something convex into something that may not be; empty if it does not."""
    if name in BILINEAR:
        own = args[:2] if name == "linear" or name.startswith("conv") else args
        weights = [each for each in own if isinstance(each, int | float | Tensor) and not isinstance(each, Watched)]
        return _negative("weight", weights)
    if name == "batch_norm":
        weight = kwargs.get("weight", args[3] if len(args) > 3 else None)
        return "" if weight is None else _negative("scale", [weight])
    if name == "add":
        return _negative("multiple", [kwargs.get("alpha", 1)])
    if name in ("sub", "subtract"):
        taken = args[1]
        turned = isinstance(taken, Watched) and taken.mark.kind == CONVEX
        return "it subtracts what is convex" if turned else ""
    if name == "pad" and kwargs.get("mode", args[2] if len(args) > 2 else "constant") in ("constant", "circular"):
        return ""
    if name == "interpolate" and kwargs.get("mode", "nearest") != "bicubic":
        return ""
    return f"{name} may turn it"


def _negative(what: str, weights: list[Any]) -> str:
    lowest = min((float(torch.as_tensor(each).min()) for each in weights), default=0.0)
    return f"a negative {what}, {lowest:.4g}, after a layer that is convex already" if lowest < 0 else ""
