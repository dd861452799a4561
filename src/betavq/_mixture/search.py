"""The most probable codes of a factorial mixture: by enumeration, and by climbing from a start.

Both take rows x ``(N, D)``, means ``(K, R, D)``, the logarithms of the weights ``(K, R)`` and the variance ``()``.
"""

from __future__ import annotations

import warnings

import torch
import torch.nn.functional as F
from torch import Tensor

# The numbers of a block of inputs times codes: few enough for a processor's cache.
BLOCK = 2**19


def best_code(x: Tensor, means: Tensor, log_weights: Tensor, variance: Tensor) -> Tensor:
    """The best of all Rᴷ codes for each row, ``(N, K)``; tables of codes count the last unit fastest."""
    units, pieces, _ = means.shape
    if pieces == 1:  # a single code, however many units
        return torch.zeros(len(x), units, dtype=torch.int64, device=x.device)
    flat = means.flatten(0, 1)
    gram = (flat @ flat.t() / variance).view(units, pieces, units, pieces)
    biases = log_weights - 0.5 * means.square().sum(-1) / variance
    shared = biases.new_zeros(1)  # what a code is worth before any x, in the units so far
    for unit in range(units):
        crossed = outer_sums([gram[other, :, unit] for other in range(unit)], pieces, gram)
        shared = (shared[:, None] + biases[unit] - crossed).flatten()
    best = torch.empty(len(x), dtype=torch.int64, device=x.device)
    rows = max(1, BLOCK // len(shared))
    for first in range(0, len(x), rows):
        fields = F.linear(x[first : first + rows], flat / variance).view(-1, units, pieces)
        worth = fields[:, 0]
        for unit in range(1, units):
            worth = (worth[:, :, None] + fields[:, unit, None]).flatten(1)
        best[first : first + rows] = (worth + shared).argmax(1)
    place = pieces ** torch.arange(units - 1, -1, -1, device=x.device)
    return best[:, None] // place % pieces


def outer_sums(tables: list[Tensor], width: int, like: Tensor) -> Tensor:
    """Rows of R tables ``(R, width)`` summed in every combination: ``(Rⁿ, width)``, one row of 0 for no tables."""
    total = like.new_zeros(1, width)
    for table in tables:
        total = (total[:, None] + table).flatten(0, 1)
    return total


def climb(x: Tensor, means: Tensor, log_weights: Tensor, variance: Tensor, start: Tensor, max_sweeps: int) -> Tensor:
    """Iterated conditional modes from ``start`` ``(N, K)``: the code of each row when no unit alone can do better."""
    code = start.clone()
    biases = log_weights - 0.5 * means.square().sum(-1) / variance
    rounding = 16 * torch.finfo(x.dtype).eps
    rows = torch.arange(len(x), device=x.device)  # those that changed in the last sweep
    for _ in range(max_sweeps):
        units = list(code[rows].unbind(1))
        rest = x[rows]
        for unit, current in zip(means, units, strict=True):
            rest = rest - unit[current]
        changed = torch.zeros_like(rows, dtype=torch.bool)
        for k, current in enumerate(units):
            rest += means[k][current]
            scores = F.linear(rest, means[k] / variance, biases[k])
            found = scores.argmax(1)
            now, then = scores.gather(1, torch.stack((found, current), 1)).unbind(1)
            # By more than rounding, or units that tie might change for ever.
            better = now - then > rounding * torch.maximum(now.abs(), then.abs())
            units[k] = torch.where(better, found, current)
            rest -= means[k][units[k]]
            changed |= better
        code[rows] = torch.stack(units, 1)
        rows = rows[changed]
        if not len(rows):
            return code
    warnings.warn(
        f"{len(rows)} of {len(x)} inputs changed their code in sweep {max_sweeps}, the last of max_sweeps: "
        "it may not be a maximum yet",
        RuntimeWarning,
        stacklevel=3,
    )
    return code
