"""What attacks do to a network, and what of it they are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from betavq import geometry
from hardtosoft.results.attack import attacked

RADII = tuple(round(0.1 * step, 1) for step in range(21))
FACTORS = (0.5, 0.8, 1.0, 1.2, 1.5)
INSIDE = 0.999
MEASURED = 300  # test images whose slopes are measured
EDGES = tuple(2 ** (step / 4) for step in range(-8, 29))  # of the histogram of slopes: .25 to 128


@torch.no_grad()
def right(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Which inputs have their class found, ``(N,)``."""
    found: Tensor = network(x).argmax(1) == y
    return found


def share_right(network: nn.Module, x: Tensor, y: Tensor, radius: float) -> float:
    """Share of inputs whose class is found after an attack of a radius."""
    moved = attacked(network, x, y, torch.full((len(x),), radius)) if radius else x
    return round(right(network, moved, y).double().mean().item(), 6)


def measured(network: nn.Module, x: Tensor, y: Tensor) -> dict[str, Any]:
    """Slopes, radii, and how many of the inputs that are right an attack flips within multiples of their radii."""
    x, y = x[:MEASURED], y[:MEASURED]
    risk = geometry.adversarial_risk(network, x, y)
    found = risk.margin > 0

    def flipped(radii: Tensor) -> float:
        moved = attacked(network, x, y, radii)
        return round((~right(network, moved, y))[found].double().mean().item(), 6)

    ratio = risk.margin / risk.slope
    return {
        "slope": _short(risk.slope.median()),
        "margin_over_slope": _short(ratio[found].median()),
        "certified": _short(risk.certified[found].median()),
        "linearised": _short(risk.linearised[found].median()),
        "flips_certified": flipped(INSIDE * risk.certified),
        "flips_linearised": {str(factor): flipped(factor * risk.linearised) for factor in FACTORS},
        "slopes": np.histogram(risk.slope.numpy(), EDGES)[0].tolist(),
        "shares_certified": [round((risk.certified <= radius).double().mean().item(), 6) for radius in RADII],
        "shares_linearised": [round((risk.linearised <= radius).double().mean().item(), 6) for radius in RADII],
        "shares_flipped": [round(1 - share_right(network, x, y, radius), 6) for radius in RADII],
    }


def _short(value: Tensor) -> float:
    return float(f"{value.item():.4g}")
