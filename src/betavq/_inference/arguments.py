"""Checks of what inference is given, and what they make of it."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor

from .._numerics.checks import check_beta, check_broadcast, check_dim, check_floating
from .._numerics.dtypes import widened
from .._numerics.eager import is_plain
from .._numerics.hardness import Hardness, hardness

Entropy = Literal["shannon", "quadratic"]


def prepare(scores: Tensor, beta: float | Tensor, dim: int) -> tuple[Tensor, float | Tensor, Hardness, int]:
    """Check; return scores in the dtype to compute in, β aligned with them, its split, and ``dim`` from the end."""
    check_floating("scores", scores)
    beta = check_beta(beta)
    dim = check_dim(scores, dim)
    z = widened(scores)
    if isinstance(beta, Tensor) and beta.dim() == 0 and not beta.requires_grad and is_plain(beta):
        beta = beta.item()
    if isinstance(beta, Tensor):
        rows = scores.shape[:dim] + scores.shape[scores.dim() + dim + 1 :]
        check_broadcast("beta", beta, rows, "the shape of scores without dim")
        if beta.dim() > -dim - 1:  # it reaches past ``dim``: give it a dimension of size 1 there
            beta = beta.unsqueeze(dim)
        z = torch.broadcast_tensors(z, beta)[0]  # type: ignore[no-untyped-call]
    return z, beta, hardness(beta, z), dim


def is_quadratic(entropy: Any) -> bool:
    """Raise ValueError unless it is one of the two entropies; tell which."""
    if not isinstance(entropy, str) or entropy not in get_args(Entropy):
        raise ValueError(f'entropy must be "shannon" or "quadratic", got {entropy!r}')
    return entropy == "quadratic"


def check_readout(readout: Any, z: Tensor, dim: int) -> None:
    """Raise unless ``readout`` is a floating tensor that broadcasts against the scores, with their pieces or one."""
    check_floating("readout", readout)
    check_broadcast("readout", readout, z.shape, "the shape of scores (and beta)")
    if readout.dim() >= -dim and readout.shape[dim] > z.shape[dim]:
        raise ValueError(f"readout must have one piece along dim={dim}, as scores has, got {tuple(readout.shape)}")
