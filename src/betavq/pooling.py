r"""β-VQ of many pieces in the signatures of ``torch.nn.functional``: max-pooling and maxout, softened by β.

:func:`beta_maxout` is along a dimension, :func:`beta_max_pool2d` and :func:`beta_max_pool1d` are over windows.
The pieces are the inputs of a window, or the entries along a dimension. At β = 1 the largest is taken, bit for bit as
by ``F.max_pool2d``; at β = ½ they are averaged with softmax weights, known as SoftPool; at β = 0 evenly.
What :mod:`betavq.functional` says of dtypes, of β as a tensor and of when values are read holds here too.

Source: Balestriero & Baraniuk (2018), "From Hard to Soft", arXiv 1810.09274, β-VQ inference of max-pooling; SoftPool:
Stergiou, Poppe & Kalliatakis (2021), arXiv 2101.00440.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ._numerics.checks import check_beta, check_broadcast, check_floating
from ._numerics.tracing import Proxy, function_step
from ._pooling.in_place import pool
from ._pooling.windows import Windows
from .inference import value

__all__ = ["beta_max_pool1d", "beta_max_pool2d", "beta_maxout"]
__dir__ = __all__.copy

Size = int | tuple[int, ...]


def beta_max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    beta: float | Tensor,
) -> Tensor:
    r"""β-VQ max-pooling over windows of images: Σ t_r z_r with t = softmax(ηz) over the inputs z of each window.

    ``F.max_pool2d`` at β = 1, its gradient included (the first maximum has it all); SoftPool at β = ½; the mean over
    what of the window lies inside the image at β = 0. Padding is never part of a window: it neither wins nor counts.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``, in either memory format; float16, bfloat16, float32 or float64.
        kernel_size, stride, padding, dilation: a number, or one for rows and one for columns; ``stride`` is
            ``kernel_size`` unless given, ``padding`` at most half of it.
        ceil_mode: whether a window that reaches over the end counts.
        beta: hardness in [0, 1]; a number, or a tensor that broadcasts against the result, as ``(C, 1, 1)`` does.

    Returns:
        ``(N, C, H', W')`` or ``(C, H', W')``, the dtype of ``input``.

    Raises:
        ValueError: an argument outside its range, an input smaller than a window; ``beta`` outside [0, 1] or of a
            shape that does not broadcast.
        TypeError: ``input`` not a floating tensor, another argument of another kind.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ inference of max-pooling.

    Example:
        >>> import torch
        >>> from betavq.functional import beta_max_pool2d
        >>> image = torch.tensor([[[0.0, 1.0], [2.0, 3.0]]])
        >>> for beta in (0.0, 0.5, 1.0):  # the mean, SoftPool, the maximum
        ...     print(round(beta_max_pool2d(image, 2, beta=beta).item(), 3))
        1.5
        2.493
        3.0
    """
    if isinstance(input, Proxy):
        return function_step(beta_max_pool2d, input, kernel_size, stride, padding, dilation, ceil_mode, beta=beta)
    return _pool(input, 2, (kernel_size, stride, padding, dilation), ceil_mode, beta)


def beta_max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    beta: float | Tensor,
) -> Tensor:
    """:func:`beta_max_pool2d` over windows of sequences, ``(N, C, L)`` or ``(C, L)``; a softened ``F.max_pool1d``.

    A ``beta`` of one number a channel has the shape ``(C, 1)``. The rest is as there.

    Example:
        >>> import torch
        >>> from betavq.functional import beta_max_pool1d
        >>> sequences = torch.tensor([[0.0, 1.0, 5.0, 4.0], [1.0, 3.0, 2.0, 2.0]])
        >>> beta_max_pool1d(sequences, 2, beta=torch.tensor([[1.0], [0.0]]))
        tensor([[1., 5.],
                [2., 2.]])
    """
    if isinstance(input, Proxy):
        return function_step(beta_max_pool1d, input, kernel_size, stride, padding, dilation, ceil_mode, beta=beta)
    return _pool(input, 1, (kernel_size, stride, padding, dilation), ceil_mode, beta)


def beta_maxout(input: Tensor, dim: int = -1, *, beta: float | Tensor) -> Tensor:
    """β-VQ maxout: the largest entry along ``dim`` at β = 1, softened below.

    It is :func:`betavq.value` of the entries as scores; for groups of P channels as units, pass
    ``input.unflatten(1, (-1, P))`` and ``dim=2``.

    Args:
        input: ``(..., R, ...)``; float16, bfloat16, float32 or float64.
        dim: the dimension of the R ≥ 1 pieces.
        beta: hardness in [0, 1]; a number, or a tensor that broadcasts against the result.

    Returns:
        Shape of ``input`` without ``dim``, its dtype.

    Raises:
        ValueError: ``beta`` outside [0, 1] or of a shape that does not broadcast; no such ``dim``, or R = 0.
        TypeError: ``input`` not a floating tensor, ``beta`` not a number or floating tensor.

    Source: Goodfellow et al. (2013), arXiv 1302.4389 (maxout); β-VQ as above.

    Example:
        >>> import torch
        >>> from betavq.functional import beta_maxout
        >>> channels = torch.tensor([[1.0, 3.0, -2.0, -4.0]])
        >>> units = channels.unflatten(1, (-1, 2))  # two units of two pieces
        >>> beta_maxout(units, 2, beta=1.0)
        tensor([[ 3., -2.]])
        >>> beta_maxout(units, 2, beta=0.0)
        tensor([[ 2., -3.]])
    """
    if isinstance(input, Proxy):
        return function_step(beta_maxout, input, dim, beta=beta)
    check_floating("input", input)
    return value(input, beta, dim)


def _pool(input: Tensor, axes: int, sizes: tuple[Any, Any, Any, Any], ceil_mode: bool, beta: float | Tensor) -> Tensor:
    check_floating("input", input)
    if input.dim() not in (axes + 1, axes + 2) or 0 in input.shape[-axes - 1 :]:
        shapes = "(N, C, L) or (C, L)" if axes == 1 else "(N, C, H, W) or (C, H, W)"
        raise ValueError(f"input must be of shape {shapes} with no size 0 but N, got {tuple(input.shape)}")
    windows = _windows(input, axes, *sizes, ceil_mode)
    x = input.unsqueeze(-2) if axes == 1 else input
    beta = check_beta(beta)
    if isinstance(beta, Tensor):
        counts = [windows.count(x.shape[axis - 2], axis) for axis in range(2 - axes, 2)]
        check_broadcast("beta", beta, torch.Size([*input.shape[:-axes], *counts]), "the result")
        if beta.dim() > input.dim():
            raise ValueError(f"beta must have at most the dimensions of input, {input.dim()}, got {beta.dim()}")
        beta = beta.unsqueeze(-2) if axes == 1 and beta.dim() > 0 else beta
    y = pool(x, windows, beta)
    return y.squeeze(-2) if axes == 1 else y


def _windows(input: Tensor, axes: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool) -> Windows:
    kernels = _pair("kernel_size", kernel, axes, 1)
    strides = kernels if stride is None else _pair("stride", stride, axes, 1)
    paddings, dilations = _pair("padding", padding, axes, 0), _pair("dilation", dilation, axes, 1)
    spans = [d * (k - 1) + 1 for k, d in zip(kernels, dilations, strict=True)]
    if any(2 * p > k for p, k in zip(paddings, kernels, strict=True)):
        raise ValueError(f"padding must be at most half the kernel, {_shown(kernels, axes)}, got {padding}")
    rows_and_columns = (_both(kernels, 1), _both(strides, 1), _both(paddings, 0), _both(dilations, 1))
    windows = Windows(*rows_and_columns, ceil_mode=bool(ceil))
    sizes = input.shape[-axes:]
    if any(windows.count(size, axis) < 1 for axis, size in zip(range(2 - axes, 2), sizes, strict=True)):
        room = _shown([size + 2 * p for size, p in zip(sizes, paddings, strict=True)], axes)
        raise ValueError(f"input must hold a window of {_shown(spans, axes)}, got {room} with its padding")
    return windows


def _pair(name: str, given: Any, axes: int, least: int) -> tuple[int, ...]:
    """``given`` as one integer for each axis."""
    numbers_ = given if isinstance(given, tuple | list) else (given,) * axes
    if any(isinstance(n, bool) or not isinstance(n, numbers.Integral) for n in numbers_):
        raise TypeError(f"{name} must be an integer or {axes} of them, got {given!r}")
    if len(numbers_) not in (1, axes) or any(n < least for n in numbers_):
        raise ValueError(f"{name} must be {axes} integer(s) of at least {least}, got {given!r}")
    return tuple(int(n) for n in (numbers_ if len(numbers_) == axes else numbers_ * axes))


def _both(sizes: tuple[int, ...], other: int) -> tuple[int, int]:
    """For rows and columns; a sequence is one row."""
    return (other, *sizes)[-2], sizes[-1]


def _shown(sizes: Sequence[int], axes: int) -> str:
    return "×".join(map(str, sizes)) if axes > 1 else str(sizes[0])
