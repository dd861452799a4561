"""Where a fit of a mixture starts: k-means++."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .data import Data


def k_means_plus_plus(data: Data, num_components: int, generator: torch.Generator | None) -> tuple[Tensor, float]:
    """Points of the data as means, each drawn with probability proportional to its squared distance to the nearest.

    Of 2 + ⌊log R⌋ such draws the one is taken that leaves the smallest inertia ("greedy k-means++").

    Returns:
        The means about the data's centre, ``(R, D)``, and the inertia Σ_n min_r ‖x_n − m_r‖².

    Raises:
        ValueError: fewer distinct points than components.

    Source: Arthur & Vassilvitskii (2007), k-means++: the advantages of careful seeding.
    """
    points = data.points
    trials = 2 + int(math.log(num_components))
    chosen = (_uniform(1, generator, points) * len(points)).long().clamp(max=len(points) - 1)
    nearest = _distances(data, chosen).squeeze(0)
    for count in range(1, num_components):
        cumulative = nearest.cumsum(0)
        if cumulative[-1] <= 0:
            raise ValueError(
                f"x must have at least as many distinct points as components, {num_components}, got {count} that "
                "differ by more than rounding"
            )
        # From the right, so that a point of distance 0 is never drawn.
        draws = torch.searchsorted(cumulative, _uniform(trials, generator, points) * cumulative[-1], right=True)
        draws.clamp_(max=len(points) - 1)
        left = torch.minimum(_distances(data, draws), nearest)
        best = int(left.sum(1).argmin())
        nearest = left[best]
        chosen = torch.cat([chosen, draws[best : best + 1]])
    return points[chosen], nearest.sum().item()


def _uniform(count: int, generator: torch.Generator | None, like: Tensor) -> Tensor:
    device = like.device if generator is None else generator.device
    return torch.rand(count, generator=generator, dtype=torch.float64, device=device).to(like.device)


def _distances(data: Data, index: Tensor) -> Tensor:
    """Squared distances of all points to some of them, ``(len(index), N)``; exactly 0 between equal points."""
    scale = data.squares + data.squares[index].unsqueeze(1)
    # A difference of sums of D squares: less by what their rounding may have added, and not below 0.
    rounding = (data.points.shape[1] + 4) * torch.finfo(torch.float64).eps
    return torch.addmm(scale, data.points[index], data.points.T, beta=1 - rounding, alpha=-2).clamp_(min=0)
