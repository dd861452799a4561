"""How fast a network can change at all: the product of its layers' largest stretches, along its computation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .._torch.affine import Step
from .._torch.hard_units import Kinks, Units
from ..maso import MASO
from ._networks.own_layers import Found
from ._networks.watch import Watched, watch, watched_in

#: What only arranges numbers, each of them at most once.
_ARRANGED = (
    "view reshape flatten unflatten ravel permute transpose swapaxes swapdims movedim moveaxis t T mT squeeze "
    "unsqueeze view_as reshape_as contiguous clone detach roll flip select narrow split chunk tensor_split unbind neg "
    "negative dropout dropout1d dropout2d dropout3d feature_dropout alpha_dropout feature_alpha_dropout"
)
#: What takes each number for itself, if it keeps their shape.
_ELEMENTWISE = "batch_norm mul multiply div divide true_divide add sub rsub subtract to float double half bfloat16"
_JOINED = "cat concat concatenate stack hstack vstack"
ARRANGED, ELEMENTWISE, JOINED = (frozenset(words.split()) for words in (_ARRANGED, _ELEMENTWISE, _JOINED))
MOST_NUMBERS = 2**13  # that a step may be given: its matrix has as many rows


def lipschitz_bound(model: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, float]:
    """The model's output at x, and L with ‖f(x) − f(x′)‖ ≤ L ‖x − x′‖ for all inputs of that shape.

    Raises:
        ValueError: as :func:`watch`; a step whose stretch is not known.
    """
    with torch.no_grad():
        output, _, bound = watch(model, x.detach(), follow=_follow, mark=1.0)
    return output, float(bound)


def _follow(step: Step, args: tuple[Any, ...], kwargs: dict[str, Any], called: Any, found: Found | None) -> float:
    """The bound of an operation's results, from those of what it is given."""
    given: list[float] = [each.mark for each in watched_in((args, kwargs))]
    if step.is_passive and found is None:
        return given[0]
    if found is not None:
        return _stretch(found.units, called) * math.hypot(*given)
    if step.name in JOINED:
        return math.hypot(*given)
    if len(given) > 1 and step.name in ("add", "sub", "subtract") and not kwargs:
        return sum(given)
    if len(given) > 1:
        raise step.refusal("whose largest stretch is not known")
    return given[0] if step.name in ARRANGED else given[0] * _norm(step, args, kwargs, called)


def _stretch(units: Units, called: Any) -> float:
    """That of units: the steepest piece of one score, or what a maximum hands on of scores that several units see."""
    if isinstance(units, Kinks):
        return units.slopes.abs().max().item()
    seen = units.windows[units.windows >= 0]
    shared = math.sqrt(seen.bincount().max().item())
    if isinstance(called, MASO):
        shared *= _largest_singular_value(called.slopes.detach().flatten(0, 1))
    return shared


def _norm(step: Step, args: tuple[Any, ...], kwargs: dict[str, Any], called: Any) -> float:
    """That of an affine step: the largest singular value of its matrix, which is made by its values at a basis."""
    if step.name == "linear":
        weight = kwargs.get("weight", args[1] if len(args) > 1 else None)
        if isinstance(weight, Tensor):
            return _largest_singular_value(weight.detach())
    (given,) = watched_in((args, kwargs))
    shape = given.shape[1:]
    size = math.prod(shape)

    def linear_part(points: Tensor) -> Tensor:
        points = torch.cat((points.new_zeros(1, *shape), points))
        with torch._C.DisableTorchFunctionSubclass():
            values: Tensor = called(*_put(args, points), **_put(kwargs, points))
        return values[1:] - values[:1]

    if step.name in ELEMENTWISE:
        ones = torch.ones(1, *shape, dtype=given.dtype, device=given.device)
        factors = linear_part(ones)
        if factors.shape == ones.shape:
            return factors.abs().max().item()
    if size > MOST_NUMBERS:
        raise step.refusal(f"on {size} numbers, too many for the norm of its matrix")
    basis = torch.eye(size, dtype=given.dtype, device=given.device)
    return _largest_singular_value(linear_part(basis.view(-1, *shape)).flatten(1))


def _put(value: Any, points: Tensor) -> Any:
    """Arguments with other points in place of what depends on the input."""
    if isinstance(value, Watched):
        return points
    if type(value) in (tuple, list):
        return type(value)(_put(each, points) for each in value)
    if isinstance(value, dict):
        return {key: _put(each, points) for key, each in value.items()}
    return value


def _largest_singular_value(matrix: Tensor) -> float:
    matrix = matrix.double()
    gram = matrix @ matrix.T if len(matrix) < matrix.shape[1] else matrix.T @ matrix
    return math.sqrt(max(0.0, torch.linalg.eigvalsh(gram)[-1].item()))
