"""β-max-pooling of checked arguments: in place after place of the window, with no copy of its windows.

That is the form for plain eager mode. Under compile, export and ``torch.func``, for derivatives of derivatives and for
the rare numbers that need care, the windows are unfolded and :func:`betavq.value` reads them out.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .._numerics.autograd import gradients, is_exporting, sum_to
from .._numerics.dtypes import compute_dtype
from .._numerics.eager import all_finite, has_values, is_elsewhere, is_plain, is_undisturbed
from .._numerics.hardness import read_eta
from ..inference import value
from .compiled import OUT, compiled_pool
from .windows import Index, Place, Windows, memory_format

LOG2_E = math.log2(math.e)  # powers are taken of 2: four times as fast as of e
FEW_PLACES = 5  # so many terms are summed one after the other: the rounding errors stay below the others


def pool(x: Tensor, windows: Windows, beta: float | Tensor) -> Tensor:
    """The β-VQ value of each window over the last two dimensions."""
    if isinstance(beta, Tensor) and beta.dim() == 0 and not beta.requires_grad and is_plain(beta):
        beta = beta.item()
    if not isinstance(beta, Tensor) and beta == 1:
        return windows.maximum(x)
    if torch.compiler.is_compiling() and not is_exporting():
        return compiled_pool(x, windows, beta)
    if is_plain(x) and (isinstance(beta, float) or has_values(beta, wait=False)):
        found = _eager(x, windows, beta)
        return found if found is not None else _unfolded(x, windows, beta).contiguous(memory_format=memory_format(x))
    if is_elsewhere(x) and isinstance(beta, float) and _saturates(beta, x):
        result: Tensor = _Pool.apply(x, beta, beta / (1 - beta), windows)  # type: ignore[no-untyped-call]
        return result
    return _unfolded(x, windows, beta)


def _saturates(beta: float, x: Tensor) -> bool:
    """Whether η is a number by which the largest gap leaves a piece no share."""
    largest = torch.finfo(compute_dtype(x)).max
    return -OUT / largest < beta / (1 - beta) < largest


def _unfolded(x: Tensor, windows: Windows, beta: float | Tensor) -> Tensor:
    return value(windows.unfolded(x), beta)


def _eager(x: Tensor, windows: Windows, beta: float | Tensor) -> Tensor | None:
    """The pooled input, or None where unfolding is needed: not all is finite, or β enlarges the result."""
    eta, _, hardest = read_eta(beta)
    if isinstance(beta, Tensor) and not beta.requires_grad and not isinstance(eta, Tensor):
        beta = beta.item()
    if isinstance(beta, Tensor) and hardest == math.inf:
        at_one = beta == 1
        return torch.where(at_one, windows.maximum(x), pool(x, windows, torch.where(at_one, 0.5, beta)))
    if isinstance(beta, float) and beta == 1:
        return windows.maximum(x)
    if isinstance(beta, float) and beta == 0:
        mean = windows.mean(x)
        if mean is not None and all_finite(mean):  # PyTorch's sum may overflow
            return mean
    if isinstance(eta, Tensor) and not _fits(eta.shape, windows.shape(x)):
        return None
    result: Tensor = _Pool.apply(x, beta, eta, windows)  # type: ignore[no-untyped-call]
    # A number that is not finite, or a difference that overflows, makes NaN of its window.
    return result if all_finite(result) or bool(result.isfinite().all()) else None


def _fits(shape: torch.Size, whole: torch.Size) -> bool:
    """Whether β leaves the shape of the result as it is."""
    return all(size in (1, other) for size, other in zip(reversed(shape), reversed(whole), strict=False))


class _Pool(torch.autograd.Function):
    """Σ t_r z_r with t = softmax(ηz), from the gaps z − max z to the maximum of each window."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float | Tensor, eta: float | Tensor, windows: Windows) -> Tensor:
        z = x.to(compute_dtype(x))
        scale = eta * LOG2_E
        ctx.scale = scale.to(z.dtype).expand(windows.shape(x)) if isinstance(scale, Tensor) else scale
        found = _statistics(z, windows, ctx.scale)
        is_small = sum(tensor.nbytes for tensor in found) <= x.nbytes  # else the backward pass finds them again
        ctx.save_for_backward(x, beta if isinstance(beta, Tensor) else None, *(found if is_small else ()))
        ctx.beta, ctx.windows = None if isinstance(beta, Tensor) else beta, windows
        largest, _, mean = found
        return (largest + mean).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (grad,) = grad_outputs
        x, beta, *found = ctx.saved_tensors
        in_x, in_beta = ctx.needs_input_grad[:2]
        if not torch.is_grad_enabled() and is_undisturbed(grad):  # not to be derived again, nor many at once
            z = x.to(compute_dtype(x))
            slope, terms = _derivatives(z, grad, found or _statistics(z, ctx.windows, ctx.scale), ctx)
            if is_elsewhere(x) or (all_finite(slope) and all_finite(terms)):
                return slope.to(x.dtype) if in_x else None, _in_beta(terms, beta) if in_beta else None, None, None
        beta = ctx.beta if beta is None else beta
        again = gradients(lambda x, beta: _unfolded(x, ctx.windows, beta), x, beta, grad, (in_x, in_beta))
        return (*again, None, None)


def _statistics(z: Tensor, windows: Windows, scale: float | Tensor) -> list[Tensor]:
    """Of each window the largest number, the sum of the weights 2^(scale · gap) and the mean gap under them."""
    # Places that all windows have come first: with those a sum starts.
    places = sorted(windows.places(z), key=lambda place: place.outside is not None)
    largest = windows.maximum(z) if is_elsewhere(z) else _maximum(z, windows, places)
    buffers = torch.empty_like(largest), torch.empty_like(largest)
    total, moment = _sums(z, places, largest, scale, buffers)
    return [largest, total, moment.div_(total)]


def _maximum(z: Tensor, windows: Windows, places: list[Place]) -> Tensor:
    """PyTorch's takes longer on a CPU, for it finds the place too."""
    largest = windows.full(z, -math.inf)
    for inside, outside, _ in places:
        found = _at(outside, largest)
        torch.maximum(found, z[inside], out=found)
    return largest


def _sums(
    z: Tensor, places: list[Place], largest: Tensor, scale: float | Tensor, buffers: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Of each window the sum of the weights and of weight · gap; that of many places by halves, which errs less."""
    if len(places) > FEW_PLACES:
        halves = (places[::2], places[1::2])
        (total, moment), (more, more_moment) = (_sums(z, half, largest, scale, buffers) for half in halves)
        return total.add_(more), moment.add_(more_moment)
    is_whole = bool(places) and places[0].outside is None
    start = torch.empty_like if is_whole else torch.zeros_like
    total, moment, is_guarded = start(largest), start(largest), is_elsewhere(z)
    for number, (inside, outside, _) in enumerate(places):
        is_start = is_whole and number == 0
        gap, weight = _at(outside, buffers[0]), total if is_start else _at(outside, buffers[1])
        torch.sub(z[inside], _at(outside, largest), out=gap)
        if is_guarded:  # nobody looks whether all is finite: of ∞ − ∞ each is the largest
            gap.nan_to_num_(0.0)
        torch.mul(gap, _at(outside, scale), out=weight).exp2_()
        if is_start:
            torch.mul(weight, gap, out=moment)
        else:
            _at(outside, total).add_(weight)
            _at(outside, moment).addcmul_(weight, gap)
    return total, moment


def _derivatives(z: Tensor, grad: Tensor, found: list[Tensor], ctx: Any) -> tuple[Tensor, Tensor]:
    """grad · ∂v/∂z, and grad · Var(z) of each window where β is learned, else no numbers.

    ∂v/∂z_r = t_r (1 + η(gap_r − mean gap)), with t_r = 2^(scale · gap_r) / total. The bracket is also the exponent
    but for a factor and a shift of each window.
    """
    largest, total, mean = found
    in_beta, places = ctx.needs_input_grad[1], sorted(ctx.windows.places(z), key=lambda place: not place.is_tile)
    slope = torch.empty_like(z) if places and places[0].is_tile else torch.zeros_like(z)
    spread = torch.zeros_like(mean if in_beta else mean[:0])
    shift = (mean * -ctx.scale).add_(LOG2_E)
    share = shift.neg().exp2_().div_(total).mul_(grad)
    is_guarded = is_elsewhere(z)
    if is_guarded:
        share.masked_fill_(largest == -math.inf, 0.0)  # no piece is on offer
    share_of_slope = share / LOG2_E if in_beta else share.div_(LOG2_E)
    gaps, weights = torch.empty_like(largest), torch.empty_like(largest)
    for inside, outside, is_tile in places:
        gap, weight = _at(outside, gaps), _at(outside, weights)
        torch.sub(z[inside], _at(outside, largest), out=gap)
        deviation = gap - _at(outside, mean) if in_beta else None
        bracket = _add_product(gap, _at(outside, ctx.scale), _at(outside, shift))
        if is_guarded:
            bracket.nan_to_num_(LOG2_E, neginf=OUT)
        torch.exp2(bracket, out=weight)
        if deviation is not None:
            _at(outside, spread).addcmul_(weight * deviation, deviation)
        weight.mul_(bracket)
        if is_tile:
            torch.mul(weight, _at(outside, share_of_slope), out=slope[inside])
        else:
            slope[inside].addcmul_(weight, _at(outside, share_of_slope))
    return slope, spread.mul_(share) if in_beta else spread


def _at(outside: Index | None, of_windows: Any) -> Any:
    """What belongs to those windows; the number that belongs to all."""
    return of_windows if outside is None or not isinstance(of_windows, Tensor) else of_windows[outside]


def _add_product(gap: Tensor, scale: float | Tensor, shift: Tensor) -> Tensor:
    """shift + scale · gap in place of the gap."""
    if isinstance(scale, Tensor):
        return torch.addcmul(shift, gap, scale, out=gap)
    return torch.add(shift, gap, alpha=scale, out=gap)


def _in_beta(terms: Tensor, beta: Tensor) -> Tensor:
    """∂/∂β from grad · Var(z)."""
    return (sum_to(terms, beta.shape).double() / (1 - beta.double()) ** 2).to(beta.dtype)
