"""What may be done now: whether a tensor has values to read, and whether code may run in place.

Values are read only where that is free and allowed: of a CPU tensor in plain eager mode. On an accelerator the read
would wait for the device at every call; while a graph is being captured, or inside a ``torch.func`` transform, there
is no value to read.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from .dtypes import compute_dtype

# No public function tells of these. Should a private one go, the answer is the one that is right, if slower: there
# are no values to read, and nothing may run in place.
_functorch = getattr(torch._C, "_functorch", None)
_is_legacy_batch = getattr(_functorch, "is_legacy_batchedtensor", lambda _: True)  # of ``is_grads_batched=True``
_is_wrapped = getattr(_functorch, "is_functorch_wrapped_tensor", lambda _: True)  # one may outlive its transform
_innermost_transform = getattr(_functorch, "peek_interpreter_stack", lambda: True)
_count_dispatch_modes = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 1)  # fake tensors, make_fx and others
_is_tracing = getattr(torch._C, "_is_tracing", lambda: True)  # torch.jit.is_tracing asks for a script first
_forward_mode: Any = torch.autograd.forward_ad


def _is_here(tensor: Tensor) -> bool:
    return tensor.is_cpu


def has_values(tensor: Tensor, *, wait: bool) -> bool:
    """Whether ``tensor`` has values to read now, without waiting for an accelerator unless ``wait``."""
    if torch.compiler.is_compiling() or _is_tracing():
        return False
    here = _is_here(tensor) or (wait and not tensor.is_meta)
    plain = type(tensor) in (Tensor, Parameter) and not _is_legacy_batch(tensor) and not _is_wrapped(tensor)
    return here and plain and _innermost_transform() is None and _count_dispatch_modes() == 0


def is_undisturbed(tensor: Tensor) -> bool:
    """Whether it is a tensor of any device in plain eager mode, with no forward-mode derivative at work.

    Only then may code run in place, and take for constants what autograd should know of.
    """
    return has_values(tensor, wait=True) and getattr(_forward_mode, "_current_level", 0) < 0


def is_plain(tensor: Tensor) -> bool:
    """The same of a CPU tensor, whose numbers may be read besides."""
    return _is_here(tensor) and is_undisturbed(tensor)


def is_elsewhere(tensor: Tensor) -> bool:
    """The same of a tensor on an accelerator, where a read waits and a launch over the tensor is what takes time."""
    return not _is_here(tensor) and is_undisturbed(tensor)


def all_finite(tensor: Tensor) -> bool:
    """Whether all numbers are finite, their sum included, which is the cheapest pass that tells; it may overflow."""
    dtype = compute_dtype(tensor)
    total = tensor.sum() if tensor.dtype == dtype else tensor.sum(dtype=dtype)
    return math.isfinite(total.item())
