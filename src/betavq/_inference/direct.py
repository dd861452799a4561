r"""Codes, values and free energies of a number η in a few plain operators, where nothing stands in the way.

From the largest score the exponents are u = η(z − max z), and

.. math:: t = \mathrm{softmax}(u), \quad v = \max z + ⟨t, z - \max z⟩, \quad
          F = \max z + \frac1η \log \sum_r e^{u_r}; \qquad
          \frac{∂v}{∂z} = t \, (1 + u - ⟨t, u⟩), \quad \frac{∂F}{∂z} = t.

That is for plain eager mode under Shannon entropy. On a CPU every row must have a finite maximum, and weights
exp(u) below the smallest normal number count as 0: arithmetic on subnormal numbers is slow. On an accelerator nothing
is read, and rows without a finite maximum are made right by one factor a row. ``selection.py`` has all else.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .._numerics.autograd import gradients
from .._numerics.dtypes import saturation
from .._numerics.eager import all_finite, is_elsewhere, is_plain, is_undisturbed
from . import free_energy, selection

OUT = -1e4  # an exponent of which exp is 0, and whose products stay finite


class Exponents(NamedTuple):
    """u = η(z − max z) along a dimension, of pieces that are out ``OUT``; and max z."""

    u: Tensor
    top: Tensor


def soft_code(z: Tensor, eta: float | Tensor, sparse: Tensor | None, dim: int) -> Tensor:
    """:func:`selection.soft_code`, in this form where it applies."""
    top = _maximum(z, eta, sparse, dim)
    return selection.soft_code(z, eta, sparse, dim) if top is None else _of(_Code, z, top, eta, dim)


def soft_value(z: Tensor, eta: float | Tensor, sparse: Tensor | None, dim: int) -> Tensor:
    """:func:`selection.soft_value`, in this form where it applies."""
    top = _maximum(z, eta, sparse, dim)
    return selection.soft_value(z, eta, sparse, dim) if top is None else _of(_Value, z, top, eta, dim)


def soft_energy(z: Tensor, eta: float | Tensor, sparse: Tensor | None, dim: int) -> Tensor:
    """:func:`free_energy.soft_energy`, in this form where it applies."""
    top = _maximum(z, eta, sparse, dim)
    return free_energy.soft_energy(z, eta, sparse, dim) if top is None else _of(_Energy, z, top, eta, dim)


def _maximum(z: Tensor, eta: float | Tensor, sparse: Tensor | None, dim: int) -> Tensor | None:
    """The largest score of each row; None where this form does not apply."""
    largest = torch.finfo(z.dtype).max
    if sparse is not None or not isinstance(eta, float) or not -OUT / largest < eta < largest or z.numel() == 0:
        return None
    if is_elsewhere(z):
        return z.detach().amax(dim, keepdim=True)
    if not is_plain(z):
        return None
    top = z.detach().amax(dim, keepdim=True)
    return top if all_finite(top) else None


def _of(function: type[torch.autograd.Function], z: Tensor, *others: Any) -> Tensor:
    if torch.is_grad_enabled() and z.requires_grad:
        return function.apply(z, *others)  # type: ignore[no-untyped-call, no-any-return]
    return function.forward(_NoContext(), z, *others)  # type: ignore[no-any-return]


class _NoContext:
    """Where no backward pass will come."""

    def save_for_backward(self, *_: Tensor) -> None: ...


def _exponents(z: Tensor, top: Tensor, eta: float) -> Tensor:
    u = (z - top).mul_(eta)
    if is_elsewhere(z):  # of ∞ − ∞ each is the largest
        return u.nan_to_num_(0.0, neginf=OUT)
    return F.threshold(u, -saturation(z.dtype), OUT, inplace=True)


def _gaps(z: Tensor, top: Tensor, eta: float) -> Tensor:
    """u/η, of which more is left than of u where η and gaps are small."""
    gap = z - top
    if is_elsewhere(z):
        return gap.nan_to_num_(0.0)
    return F.threshold(gap, -saturation(z.dtype) / eta, OUT / eta, inplace=True)


def _on_offer(top: Tensor, factor: Tensor) -> Tensor:
    """``factor``, but 0 where every piece is excluded and NaN where a score is: on a CPU neither can be."""
    if not is_elsewhere(top):
        return factor
    return torch.where(top.isnan(), math.nan, torch.where(top == -math.inf, 0.0, factor)).to(factor.dtype)


class _Code(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, top: Tensor, eta: float, dim: int) -> Tensor:
        t = torch.softmax(_exponents(z, top, eta), dim)
        ctx.eta, ctx.dim, etas = eta, dim, []
        if is_elsewhere(z):
            t.mul_(_on_offer(top, torch.ones_like(top)))
            etas = [torch.full_like(top, eta).masked_fill_(top.isinf(), 0.0)]  # +∞ have their share in any case
        ctx.save_for_backward(t, *etas)
        return t

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None]:
        (grad,), (t, *etas), dim = grad_outputs, ctx.saved_tensors, ctx.dim
        eta = etas[0] if etas else ctx.eta
        if torch.is_grad_enabled() or not is_undisturbed(grad):
            return eta * (t * (grad - (t * grad).sum(dim, keepdim=True))), None, None, None
        return torch._softmax_backward_data(grad, t, dim, t.dtype).mul_(eta), None, None, None


class _Value(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, top: Tensor, eta: float, dim: int) -> Tensor:
        ctx.save_for_backward(z)
        ctx.eta, ctx.dim = eta, dim
        gap = _gaps(z, top, eta)
        return torch.softmax(gap * eta, dim).mul_(gap).sum(dim, keepdim=True).add_(top)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, None, None, None]:
        ((grad,), (z,)), eta, dim = (grad_outputs, ctx.saved_tensors), ctx.eta, ctx.dim
        if torch.is_grad_enabled() or not is_undisturbed(grad):
            again = gradients(lambda z, _: selection.soft_value(z, eta, None, dim), z, eta, grad, (True, False))
            return again[0], None, None, None
        top = z.amax(dim, keepdim=True)
        u = _exponents(z, top, eta)
        t = torch.softmax(u, dim)
        mean = (t * u).sum(dim, keepdim=True)
        return u.sub_(mean.sub_(1)).mul_(t).mul_(_on_offer(top, grad)), None, None, None


class _Energy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, top: Tensor, eta: float, dim: int) -> Tensor:
        ctx.save_for_backward(z)
        ctx.eta, ctx.dim = eta, dim
        t = torch.softmax(_exponents(z, top, eta), dim)
        first, largest = z.argmax(dim, keepdim=True), t.amax(dim, keepdim=True)
        # log Σ exp(u) by what is there beside the largest, whose u is 0: exact where that is small.
        beside = t.scatter_(dim, first, 0.0).sum(dim, keepdim=True).div_(largest)
        return beside.log1p_().div_(eta).add_(top)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, None, None, None]:
        ((grad,), (z,)), eta, dim = (grad_outputs, ctx.saved_tensors), ctx.eta, ctx.dim
        if torch.is_grad_enabled() or not is_undisturbed(grad):
            again = gradients(lambda z, _: free_energy.soft_energy(z, eta, None, dim), z, eta, grad, (True, False))
            return again[0], None, None, None
        top = z.amax(dim, keepdim=True)
        return torch.softmax(_exponents(z, top, eta), dim).mul_(_on_offer(top, grad)), None, None, None
