r"""A softened call of each kind: its value, its free energy, or their mix, on a checked β.

Two pieces νu and u have the free energy :math:`\max(νu, u) + \mathrm{softplus}(-η|1-ν||u|)/η`, which for the ReLU
(ν = 0) is softplus(ηu)/η; a window's is the log-sum-exp. A mix weighs the value by c and by 1 − c the free energy at
the inverse temperature 1/(1−β) = 1 + η, as Curvature Tuning does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .._numerics.checks import check_number, check_slope
from .._numerics.dtypes import compute_dtype, widened
from .._numerics.hardness import hardness
from .._numerics.kept_beta import along_channels
from .._numerics.tracing import Observed, function_step
from .._two_pieces import units
from .._two_pieces.in_place import overwrite, swish_in_place
from ..inference import free_energy
from ..pooling import _windows, beta_max_pool1d, beta_max_pool2d

Smoothing = str | float
VALUE, FREE_ENERGY, CURVATURE_TUNING = "value", "free_energy", "curvature_tuning"
CHANNEL_DIMS = {"max_pool1d": -2, "max_pool2d": -3}


def check_smoothing(smoothing: Any) -> Smoothing:
    """The smoothing by name, or the weight c of the value in a mix."""
    if isinstance(smoothing, str):
        if smoothing not in (VALUE, FREE_ENERGY, CURVATURE_TUNING):
            names = f"'{VALUE}', '{FREE_ENERGY}', '{CURVATURE_TUNING}'"
            raise ValueError(f"smoothing must be {names} or a number in [0, 1], got {smoothing!r}")
        return 0.5 if smoothing == CURVATURE_TUNING else smoothing
    return check_number("smoothing", smoothing, 0.0, 1.0, "a name or in [0, 1]", or_else=" or a name")


def check_positive(smoothing: Smoothing, beta: float) -> None:
    """Raise ValueError for the free energy at β = 0."""
    if smoothing == FREE_ENERGY and beta == 0:
        raise ValueError("beta must be in (0, 1] for smoothing='free_energy', which is infinite at 0; got 0")


def softened(
    x: Tensor, kind: str, options: tuple[Any, ...], beta: float | Tensor, smoothing: Smoothing, *, in_place: bool
) -> Tensor:
    """What takes the place of the call; written into ``x`` where the call would have been."""
    if isinstance(x, Observed):
        return function_step(softened, x, kind, options, beta, smoothing, in_place=in_place)
    compute = _VALUES[kind] if smoothing == VALUE else _mixed(kind, smoothing)
    if not in_place:
        return compute(x, options, beta)
    if kind == "relu" and smoothing == VALUE:
        overwritten = swish_in_place(x, beta, units.RELU)
        if overwritten is not None:
            return overwritten
    return overwrite(x, lambda x: compute(x, options, beta), beta, *options)


def _mixed(kind: str, smoothing: Smoothing) -> Unit:
    energy = _ENERGIES[kind]
    if smoothing == FREE_ENERGY:
        return energy
    weight, value = float(smoothing), _VALUES[kind]

    def mix(x: Tensor, options: tuple[Any, ...], beta: float | Tensor) -> Tensor:
        if weight == 1:
            return value(x, options, beta)
        soft = energy(x, options, 1 / (2 - beta))  # whose β/(1−β) is 1/(1−β)
        return soft if weight == 0 else weight * value(x, options, beta) + (1 - weight) * soft

    return mix


def _pool_value(x: Tensor, options: tuple[Any, ...], beta: float | Tensor, *, axes: int) -> Tensor:
    return (beta_max_pool1d if axes == 1 else beta_max_pool2d)(x, *options, beta=beta)


def _pool_energy(x: Tensor, options: tuple[Any, ...], beta: float | Tensor, *, axes: int) -> Tensor:
    windows = _windows(x, axes, *options)
    if axes == 2:
        return free_energy(windows.unfolded(x), beta)
    beta = beta.unsqueeze(-2) if isinstance(beta, Tensor) and beta.dim() > 0 else beta
    return free_energy(windows.unfolded(x.unsqueeze(-2)), beta).squeeze(-2)


def _slopes(weight: Tensor, x: Tensor) -> Tensor:
    """The slopes of ``F.prelu``, or those of its operator, which have a shape already, shaped to broadcast."""
    return along_channels(weight.reshape(() if weight.numel() == 1 else -1), x, 1)


def _leaky_value(x: Tensor, slope: float | Tensor, beta: float | Tensor) -> Tensor:
    return units.leaky_relu(x, check_slope(slope, compute_dtype(x)), beta, False)


def _leaky_energy(x: Tensor, slope: float | Tensor, beta: float | Tensor) -> Tensor:
    wide = widened(x)
    slope = slope.to(wide.dtype) if isinstance(slope, Tensor) else slope
    other = wide * slope
    excess = _softplus(-(other - wide).abs(), beta)
    above, below = torch.maximum(wide, other) + excess, torch.minimum(wide, other) - excess
    if isinstance(slope, Tensor):
        return torch.where(slope <= 1, above, below).to(x.dtype)
    return (above if slope <= 1 else below).to(x.dtype)


def _relu_energy(x: Tensor, beta: float | Tensor) -> Tensor:
    return _softplus(widened(x), beta).to(x.dtype)


def _abs_energy(x: Tensor, beta: float | Tensor) -> Tensor:
    wide = widened(x).abs()
    return (wide + _softplus(-2 * wide, beta)).to(x.dtype)


def _softplus(x: Tensor, beta: float | Tensor) -> Tensor:
    """softplus(ηx)/η; the ReLU at β = 1."""
    if isinstance(beta, Tensor):
        return free_energy(torch.stack((torch.zeros_like(x), x)), beta, 0)
    eta, _, at_one = hardness(beta, x)
    if at_one:
        return F.relu(x)
    return F.softplus(x, eta, 40.0 if x.dtype == torch.float64 else 20.0)  # type: ignore[arg-type]


Unit = Callable[[Tensor, tuple[Any, ...], Any], Tensor]

_VALUES: dict[str, Unit] = {
    "relu": lambda x, _, beta: units.relu(x, beta, False),
    "leaky_relu": lambda x, options, beta: _leaky_value(x, options[0], beta),
    "prelu": lambda x, options, beta: _leaky_value(x, _slopes(options[0], x), beta),
    "abs": lambda x, _, beta: units.absolute(x, beta, False),
    "max_pool1d": lambda x, options, beta: _pool_value(x, options, beta, axes=1),
    "max_pool2d": lambda x, options, beta: _pool_value(x, options, beta, axes=2),
}
_ENERGIES: dict[str, Unit] = {
    "relu": lambda x, _, beta: _relu_energy(x, beta),
    "leaky_relu": lambda x, options, beta: _leaky_energy(x, options[0], beta),
    "prelu": lambda x, options, beta: _leaky_energy(x, _slopes(options[0], x), beta),
    "abs": lambda x, _, beta: _abs_energy(x, beta),
    "max_pool1d": lambda x, options, beta: _pool_energy(x, options, beta, axes=1),
    "max_pool2d": lambda x, options, beta: _pool_energy(x, options, beta, axes=2),
}
