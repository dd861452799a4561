"""Which PyTorch functions are affine in their input, and which select among affine pieces, and what they select."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# By name, since one function comes as torch.abs, Tensor.abs and Tensor.abs_.
_DIMS = ("1d", "2d", "3d")


def _names(words: str, *, each_dim: str = "") -> frozenset[str]:
    """The words as names, and those that come for one, two and three dimensions."""
    return frozenset(words.split()) | {f"{kind}{dims}" for kind in each_dim.split() for dims in _DIMS}


#: Not computing on the numbers: attributes, sizes, and what leaves them where they are.
PASSIVE = _names(
    "get size dim ndimension numel len stride is_contiguous is_floating_point is_complex get_device element_size "
    "requires_grad hash type iter"
)
#: Taking only shape and dtype from the input.
CONSTANT = _names("new_zeros new_ones new_full new_empty new_tensor zeros_like ones_like full_like empty_like")
#: Affine, with weights that are not negative: averages, copies, arrangements.
AVERAGING = _names(
    "view reshape flatten unflatten ravel permute transpose swapaxes swapdims movedim moveaxis t squeeze unsqueeze "
    "expand expand_as view_as reshape_as contiguous clone to float double half bfloat16 cpu type_as getitem select "
    "narrow split chunk tensor_split unbind cat concat concatenate stack hstack vstack repeat tile "
    "repeat_interleave roll flip index_select mean sum pixel_shuffle pixel_unshuffle channel_shuffle dropout "
    "feature_dropout alpha_dropout cumsum",
    each_dim="avg_pool adaptive_avg_pool dropout",
)
#: Affine in one of the operands, with the others as weights.
BILINEAR = _names(
    "mul multiply div divide true_divide matmul mm mv bmm einsum tensordot addmm linear",
    each_dim="conv conv_transpose",
)
#: Affine, with signs that depend on the arguments.
SIGNED = _names("add sub rsub subtract neg negative pad interpolate batch_norm diff")
AFFINE = AVERAGING | SIGNED


def function_name(func: Any) -> str:
    """The name of a function, method or operator without the marks of in-place and of operators."""
    return str(getattr(func, "__name__", func)).strip("_").removesuffix("_with_indices")


def _positive(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return (x > 0).long()


def _between(x: Tensor, low: Any = None, high: Any = None) -> Tensor:
    """0 below ``low``, 1 up to ``high``, 2 above."""
    at_least = torch.ones_like(x, dtype=torch.long) if low is None else (x > low).long()
    return at_least if high is None else at_least + (x > high).long()


def _clamp(x: Tensor, min: Any = None, max: Any = None, **_: Any) -> Tensor:
    return _between(x, min, max)


def _hardtanh(x: Tensor, min_val: float = -1.0, max_val: float = 1.0, *_: Any, **__: Any) -> Tensor:
    return _between(x, min_val, max_val)


def _softshrink(x: Tensor, lambd: float = 0.5) -> Tensor:
    return _between(x, -lambd, lambd)


def _largest(sign: int) -> Callable[..., Tensor]:
    """The code of ``max``, ``maximum``, ``amax`` and, with the other sign, of the minima."""

    def code(x: Tensor, other: Any = None, *, dim: Any = None, **_: Any) -> Tensor:
        if isinstance(other, Tensor):
            return (sign * x < sign * other).long()
        dim = other if dim is None else dim
        if isinstance(dim, tuple | list):
            if len(dim) != 1:
                raise ValueError(f"amax in a model must have one dim, got {dim}")
            (dim,) = dim
        if dim is None or dim % x.dim() == 0:
            raise ValueError(f"max and min in a model must have a dim beyond the batch, got dim={dim}")
        return (sign * x).argmax(dim)

    return code


def _pooled(kind: str) -> Callable[..., Tensor]:
    """The place of the largest number in each window."""
    function = getattr(F, kind)

    def code(*args: Any, **kwargs: Any) -> Tensor:
        # Behind the positional arguments that are kept, return_indices may have been one more.
        kept = args[: 2 if kind.startswith("adaptive") else 6]
        positions: Tensor = function(*kept, **{**kwargs, "return_indices": True})[1]
        return positions

    return code


#: The code of a selecting function, from its arguments.
SELECTING: dict[str, Callable[..., Tensor]] = {
    **dict.fromkeys(("relu", "leaky_relu", "prelu", "rrelu", "abs", "absolute"), _positive),
    "relu6": lambda x, *_, **__: _between(x, 0.0, 6.0),
    "hardsigmoid": lambda x, *_, **__: _between(x, -3.0, 3.0),
    "hardtanh": _hardtanh,
    "softshrink": _softshrink,
    **dict.fromkeys(("clamp", "clip"), _clamp),
    "clamp_min": lambda x, min: _between(x, min),
    "clamp_max": lambda x, max: _between(x, max),
    **dict.fromkeys(("max", "maximum", "amax"), _largest(1)),
    **dict.fromkeys(("min", "minimum", "amin"), _largest(-1)),
    **{f"{kind}{dims}": _pooled(f"{kind}{dims}") for kind in ("max_pool", "adaptive_max_pool") for dims in _DIMS},
}
