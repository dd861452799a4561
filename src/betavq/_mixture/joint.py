"""Inference of a whole layer's code: K mixtures read as one factorial model of the input."""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from .._numerics.checks import broadcasts, check_count, check_rows
from .._numerics.dtypes import full_precision
from .._numerics.eager import has_values
from .checks import Array, as_tensor
from .density import SphericalGaussians

MAX_CODES = 2**20
MAX_SWEEPS = 100
BLOCK = 2**19  # the numbers of a block of inputs times codes: few enough for a processor's cache


def joint_log_prob(mixture: SphericalGaussians, x: Array, code: Tensor) -> Tensor:
    r"""log P(x, t) of inputs and codes in the factorial model whose parts are the mixture's units:

    .. math:: x = \sum_k \mu_{k,t_k} + \varepsilon, \qquad \varepsilon \sim \mathcal N(0, \sigma^2 I),
              \qquad t_k \sim \pi_k \text{ independently.}

    For a MASO's mixture and one x it is :math:`\sum_k z_{k,t_k}(x) - \sum_{k<k'} \langle A_{k,t_k}, A_{k',t_{k'}}
    \rangle` over σ², but for a constant: only the products of slopes of different units tie the units together.

    Args:
        mixture: K units with one shared variance.
        x: inputs, ``(..., D)``, in the dtype of the means.
        code: a component of each unit, int64 ``(..., K)``; its batch broadcasts against that of ``x``.

    Returns:
        Shape ``(...)``, differentiable in ``x``; −∞ for a code with an excluded component.

    Raises:
        ValueError: a variance per component; ``x`` or ``code`` of shapes that do not fit, components outside 0 to R−1.
        TypeError: not a GaussianMixture; ``x`` of another dtype, ``code`` not int64.

    Example:
        >>> import torch
        >>> from betavq.mixture import GaussianMixture, joint_log_prob
        >>> means = torch.tensor([[[0.0, 0.0], [2.0, 0.0]], [[0.0, 0.0], [2.0, 1.0]]])
        >>> mixture = GaussianMixture(means, torch.full((2, 2), 0.5))
        >>> x = torch.tensor([[2.0, 1.0]])
        >>> codes = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> joint_log_prob(mixture, x, codes)
        tensor([-5.7242, -3.2242, -3.7242, -5.2242])
    """
    x = _checked_inputs(mixture, x)
    _check_code(code, mixture, x)
    parts = code.unbind(-1)
    rest, prior = x, mixture.log_weights.new_zeros(())
    for means, log_weights, part in zip(mixture.means, mixture.log_weights, parts, strict=True):
        rest = rest - means[part]
        prior = prior + log_weights[part]
    squares = rest.square().sum(-1) / mixture.variance
    return prior - 0.5 * (squares + mixture.num_features * (2 * math.pi * mixture.variance).log())


def unitwise_map(mixture: SphericalGaussians, x: Array) -> Tensor:
    """The most probable component of each unit for itself: :meth:`GaussianMixture.map_code`, as ReLU does it.

    It is the best code of the factorial model too if the means of different units are orthogonal, or all their
    products in two units are equal.

    Example:
        >>> import torch
        >>> from betavq.mixture import GaussianMixture, unitwise_map
        >>> means = torch.tensor([[[0.0, 0.0], [2.0, 0.0]], [[0.0, 0.0], [2.0, 1.0]]])
        >>> mixture = GaussianMixture(means, torch.full((2, 2), 0.5))
        >>> x = torch.tensor([[2.0, 1.0]])
        >>> unitwise_map(mixture, x)  # both units claim the input
        tensor([[1, 1]])
    """
    x = _checked_inputs(mixture, x)
    return mixture.map_code(x)


def joint_map(
    mixture: SphericalGaussians,
    x: Array,
    *,
    method: Literal["exact", "icm"] = "exact",
    max_codes: int = MAX_CODES,
    max_sweeps: int = MAX_SWEEPS,
) -> Tensor:
    """The most probable code of all units together in the factorial model of :func:`joint_log_prob`.

    Args:
        mixture: K units with one shared variance.
        x: inputs, ``(..., D)``, finite, in the dtype of the means.
        method: ``"exact"`` compares all Rᴷ codes, in time N·Rᴷ. ``"icm"``, iterated conditional modes, starts from
            :func:`unitwise_map` and gives the units, one after the other, the component that is best with the rest
            as it is, until no unit changes: a local maximum, never less probable than the start, in time N·K·R·D a
            sweep.
        max_codes: most codes that ``"exact"`` may compare. It takes memory for some multiple of as many numbers.
        max_sweeps: most sweeps of ``"icm"``; if they do not suffice for an input a RuntimeWarning says so.

    Returns:
        int64, ``(..., K)``. Of codes equally probable but for rounding, any.

    Raises:
        ValueError: Rᴷ above ``max_codes``; a variance per component; another method; inputs of another size.
        TypeError: not a GaussianMixture; ``x`` of another dtype; a limit that is no integer.

    Example:
        >>> import torch
        >>> from betavq.mixture import GaussianMixture, joint_map
        >>> means = torch.tensor([[[0.0, 0.0], [2.0, 0.0]], [[0.0, 0.0], [2.0, 1.0]]])
        >>> mixture = GaussianMixture(means, torch.full((2, 2), 0.5))
        >>> x = torch.tensor([[2.0, 1.0]])
        >>> joint_map(mixture, x)  # the second explains it alone
        tensor([[0, 1]])
    """
    x = _checked_inputs(mixture, x)
    max_codes, max_sweeps = check_count("max_codes", max_codes), check_count("max_sweeps", max_sweeps)
    if method not in ("exact", "icm"):
        raise ValueError(f'method must be "exact" or "icm", got {method!r}')
    rows = x.reshape(-1, mixture.num_features)
    shape = (*x.shape[:-1], mixture.num_units)
    with torch.no_grad(), full_precision(x):
        # The same model with every unit's means around 0, for the digits' sake.
        centers = mixture.means.mean(1)
        model = (rows - centers.sum(0), mixture.means - centers[:, None], mixture.log_weights, mixture.variance)
        if method == "icm":
            return _climb(*model, mixture.map_code(rows), max_sweeps).view(shape)
        pieces, units = mixture.num_components, mixture.num_units
        if pieces**units > max_codes:
            total = f" = {pieces**units}" if units < 20 else ""
            raise ValueError(
                f"max_codes must be at least the number of codes, {pieces}^{units}{total}, got {max_codes}; "
                'method="icm" takes any number'
            )
        return _best_code(*model).view(shape)


def disagreement(
    mixture: SphericalGaussians,
    x: Array,
    *,
    method: Literal["exact", "icm"] = "exact",
    max_codes: int = MAX_CODES,
    max_sweeps: int = MAX_SWEEPS,
) -> float:
    """The share of inputs whose joint code is not the unit-wise one: what independent units get wrong.

    Args:
        x: at least one input, ``(..., D)``.
        mixture, method, max_codes, max_sweeps: as for :func:`joint_map`. With ``"icm"`` the share is at most the exact
            one, for what stays at its start need not be the best.

    Returns:
        From 0 to 1.

    Raises:
        ValueError, TypeError: as :func:`joint_map`; no inputs.

    Example:
        >>> import torch
        >>> from betavq.mixture import GaussianMixture, disagreement
        >>> means = torch.tensor([[[0.0, 0.0], [2.0, 0.0]], [[0.0, 0.0], [2.0, 1.0]]])
        >>> mixture = GaussianMixture(means, torch.full((2, 2), 0.5))
        >>> x = torch.tensor([[2.0, 1.0]])
        >>> disagreement(mixture, torch.cat((x, 0 * x)))  # of two inputs, one
        0.5
    """
    joint = joint_map(mixture, x, method=method, max_codes=max_codes, max_sweeps=max_sweeps)
    if not joint.numel():
        raise ValueError(f"x must hold at least one input, got {tuple(x.shape)}")
    return (joint != mixture.map_code(x)).any(-1).double().mean().item()


def _checked_inputs(mixture: Any, x: Any) -> Tensor:
    """The inputs as a tensor; raise unless they fit the mixture, and that is one with a joint code."""
    if not isinstance(mixture, SphericalGaussians):
        raise TypeError(f"mixture must be a GaussianMixture, got {type(mixture).__name__}")
    if mixture.variance.dim():
        raise ValueError(
            "mixture must have one variance that all components share: it is that of the noise in the sum of units; "
            f"got one for each of {mixture.num_components} components"
        )
    x = as_tensor("x", x, mixture.means)
    check_rows(x, mixture.num_features, "the means", mixture.means.dtype)
    return x  # type: ignore[no-any-return]


def _check_code(code: Any, mixture: SphericalGaussians, x: Tensor) -> None:
    if not isinstance(code, Tensor):
        raise TypeError(f"code must be a tensor, got {type(code).__name__}")
    if code.dtype != torch.int64:
        raise TypeError(f"code must be int64, got {code.dtype}")
    if code.dim() == 0 or code.shape[-1] != mixture.num_units:
        raise ValueError(f"code must be of shape (..., K) with K = {mixture.num_units}, got {tuple(code.shape)}")
    if not broadcasts(code.shape[:-1], x.shape[:-1]):
        raise ValueError(f"code and x must have batches that broadcast, got {tuple(code.shape)} and {tuple(x.shape)}")
    if has_values(code, wait=False):
        outside = (code < 0) | (code >= mixture.num_components)
        if bool(outside.any()):
            last = mixture.num_components - 1
            raise ValueError(f"code must be of components from 0 to {last}, got {code[outside][0].item()}")


# The most probable codes of rows x (N, D), for means (K, R, D), the logarithms of weights (K, R) and a variance ().


def _best_code(x: Tensor, means: Tensor, log_weights: Tensor, variance: Tensor) -> Tensor:
    """The best of all Rᴷ codes for each row, ``(N, K)``; tables of codes count the last unit fastest."""
    units, pieces, _ = means.shape
    if pieces == 1:  # a single code, however many units
        return torch.zeros(len(x), units, dtype=torch.int64, device=x.device)
    flat = means.flatten(0, 1)
    gram = (flat @ flat.t() / variance).view(units, pieces, units, pieces)
    biases = log_weights - 0.5 * means.square().sum(-1) / variance
    shared = biases.new_zeros(1)  # what a code is worth before any x, in the units so far
    for unit in range(units):
        crossed = _outer_sums([gram[other, :, unit] for other in range(unit)], pieces, gram)
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


def _outer_sums(tables: list[Tensor], width: int, like: Tensor) -> Tensor:
    """Rows of R tables ``(R, width)`` summed in every combination: ``(Rⁿ, width)``, one row of 0 for no tables."""
    total = like.new_zeros(1, width)
    for table in tables:
        total = (total[:, None] + table).flatten(0, 1)
    return total


def _climb(x: Tensor, means: Tensor, log_weights: Tensor, variance: Tensor, start: Tensor, max_sweeps: int) -> Tensor:
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
