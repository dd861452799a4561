"""β-max-pooling of checked arguments: in place after place of the window, with no copy of its windows.

That is the form for plain eager mode. Under compile, export and ``torch.func``, for derivatives of derivatives and for
the rare numbers that need care, the windows are unfolded and :func:`betavq.value` reads them out.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ._autograd import gradients, sum_to
from ._checks import has_values, is_plain
from ._hardness import compute_dtype, saturation
from ._windows import Windows
from .inference import value

# Below this η the scaled gaps of float32 leave its normal numbers, above it they overflow.
LEAST_ETA, MOST_ETA = 1e-18, 1e18


def pool(x: Tensor, windows: Windows, beta: float | Tensor) -> Tensor:
    """The β-VQ value of each window over the last two dimensions."""
    if not isinstance(beta, Tensor) and beta == 1:
        return windows.maximum(x)
    if is_plain(x) and (isinstance(beta, float) or has_values(beta, wait=False)):
        found = _eager(x, windows, beta)
        if found is not None:
            return found
    return _unfolded(x, windows, beta)


def _unfolded(x: Tensor, windows: Windows, beta: float | Tensor) -> Tensor:
    return value(windows.unfolded(x), beta)


def _eager(x: Tensor, windows: Windows, beta: float | Tensor) -> Tensor | None:
    """The pooled input, or None where unfolding is needed: β or the input at an end of their ranges."""
    wide = compute_dtype(x)
    if isinstance(beta, Tensor) and beta.numel() == 1 and not beta.requires_grad and beta.dim() <= x.dim():
        beta = beta.item()
    eta = _eta(beta, wide)
    if not math.isfinite((x.sum() if x.dtype == wide else x.sum(dtype=wide)).item()):
        return None
    if isinstance(beta, float) and beta == 1:
        return windows.maximum(x)
    if isinstance(beta, float) and beta == 0:
        mean = windows.mean(x)
        return mean if mean is not None and math.isfinite(mean.sum().item()) else None  # PyTorch's sum may overflow
    if eta is None or (isinstance(beta, Tensor) and not _one_a_window(beta, x)):
        return None
    result: Tensor = _Pool.apply(x, beta, eta, windows)  # type: ignore[no-untyped-call]
    return result


def _eta(beta: float | Tensor, dtype: torch.dtype) -> float | Tensor | None:
    if not isinstance(beta, Tensor):
        eta = beta / (1 - beta) if beta < 1 else math.inf
        return eta if LEAST_ETA < eta < MOST_ETA else None
    etas = beta.detach().double()
    etas = etas / (1 - etas)
    low, high = (bound.item() for bound in etas.aminmax())
    return etas.to(dtype) if low > LEAST_ETA and high < MOST_ETA else None


def _one_a_window(beta: Tensor, x: Tensor) -> bool:
    """Whether β is the same over a window and does not enlarge the result."""
    if beta.dim() > x.dim() or any(size != 1 for size in beta.shape[-2:]):
        return False
    sizes = zip(reversed(beta.shape), reversed(x.shape), strict=False)
    return all(size in (1, other) for size, other in sizes)


def _scaled_gap(z: Tensor, largest: Tensor, eta: float | Tensor) -> Tensor:
    """η(z − max z), clamped where its exponential is 0 anyway: gaps of finite numbers may be −∞, and 0 · ∞ is NaN."""
    return (z - largest).mul_(eta).clamp_(min=-1.25 * saturation(z.dtype))


class _Pool(torch.autograd.Function):
    """Σ t_r z_r with t = softmax(ηz), from the gaps u = η(z − max z) to the maximum of each window."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, beta: float | Tensor, eta: float | Tensor, windows: Windows) -> Tensor:
        z = x.to(compute_dtype(x))
        largest = windows.maximum(z)
        total, moment = torch.zeros_like(largest), torch.zeros_like(largest)
        for inside, outside in windows.places(z):
            u = _scaled_gap(z[..., *inside], largest[..., *outside], eta)
            w = u.exp()
            total[..., *outside] += w
            moment[..., *outside].addcmul_(w, u)
        mean = moment.div_(total)  # of u under the code: never above 0
        ctx.save_for_backward(x, largest, total, mean, *([beta] if isinstance(beta, Tensor) else []))
        ctx.beta, ctx.eta, ctx.windows = None if isinstance(beta, Tensor) else beta, eta, windows
        return (largest + mean / eta).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (grad,) = grad_outputs
        x, largest, total, mean, *betas = ctx.saved_tensors
        in_x, in_beta = ctx.needs_input_grad[:2]
        if torch.is_grad_enabled() or not is_plain(grad):  # to be derived again, or many at once
            beta = betas[0] if betas else ctx.beta
            again = gradients(lambda x, beta: _unfolded(x, ctx.windows, beta), x, beta, grad, (in_x, in_beta))
            return (*again, None, None)
        z = x.to(compute_dtype(x))
        slope = torch.zeros_like(z)
        share, rest = grad / total, 1 - mean
        spread = torch.zeros_like(largest)
        for inside, outside in ctx.windows.places(z):
            u = _scaled_gap(z[..., *inside], largest[..., *outside], ctx.eta)
            w = u.exp()
            if in_beta:
                spread[..., *outside] += (u - mean[..., *outside]).square_().mul_(w)
            slope[..., *inside].addcmul_(w.mul_(u.add_(rest[..., *outside])), share[..., *outside])
        in_hardness = _in_beta(spread.mul_(share), betas[0], ctx.eta) if in_beta else None
        return slope.to(x.dtype) if in_x else None, in_hardness, None, None


def _in_beta(terms: Tensor, beta: Tensor, eta: float | Tensor) -> Tensor:
    """∂/∂β from grad · Var(u): Var(z) (1 + η)² with u = ηz up to a constant."""
    terms = sum_to(terms / eta / eta, torch.Size([1] * (terms.dim() - beta.dim()) + list(beta.shape)))
    return (terms.double().reshape(beta.shape) / (1 - beta.double()) ** 2).to(beta.dtype)
