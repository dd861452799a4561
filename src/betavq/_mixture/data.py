"""Data as a fit reads them: checked, centred once, in float64; and where it starts among them, by k-means++."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .._numerics.checks import check_alike, check_floating
from .checks import DTYPES, as_points

# So many float64 at once stay in a processor's cache.
BLOCK_NUMBERS = 2**18


class Data(NamedTuple):
    """N points about their mean, so that ‖x‖² − 2⟨x, m⟩ + ‖m‖² loses no digits to where the data lie."""

    rows: Tensor  # (N, D+2), float64: x − centre, 1, ‖x − centre‖²; one matrix product with it is every quadratic in x
    centre: Tensor  # (D,), float64

    @property
    def points(self) -> Tensor:
        """x − centre, ``(N, D)``."""
        return self.rows[:, :-2]

    @property
    def squares(self) -> Tensor:
        """‖x − centre‖², ``(N,)``."""
        return self.rows[:, -1]

    def blocks(self, num_components: int) -> Iterator[Tensor]:
        """The rows in blocks that stay in the cache together with a score for each component."""
        return iter(torch.split(self.rows, max(256, BLOCK_NUMBERS // (num_components + self.rows.shape[1]))))


def prepare(x: Any, num_components: int, means: Tensor | None = None) -> Data:
    """Check the points x, ``(N, D)`` with N at least ``num_components``, and centre them.

    Raises:
        ValueError: another shape, too few points, not finite, too large to be squared; on another device than
            ``means``, ``(R, D)``, if there are any yet.
        TypeError: not of the dtype of ``means``; without them, not float32 or float64.
    """
    x = as_points(x, means)
    check_floating("x", x)
    needs = "at least 1" if means is None else f"= {means.shape[1]}"
    if x.dim() != 2 or x.shape[1] == 0 or (means is not None and x.shape[1] != means.shape[1]):
        raise ValueError(f"x must be of shape (N, D) with D {needs}, got {tuple(x.shape)}")
    if means is not None:
        check_alike("x", x, "the means", means)
    if x.dtype not in DTYPES:
        raise TypeError(f"x must be float32 or float64, got {x.dtype}")
    if x.shape[0] < num_components:
        raise ValueError(f"x must have at least as many points as components, {num_components}, got {x.shape[0]}")
    x = x.detach()
    if not all(end.isfinite() for end in x.aminmax()):
        raise ValueError(f"x must be finite, got {x[~x.isfinite()][0].item()}")
    rows = x.new_ones(x.shape[0], x.shape[1] + 2, dtype=torch.float64)
    points = rows[:, :-2].copy_(x)
    centre = points.mean(0)
    points -= centre
    data = Data(rows, centre)
    for block in data.blocks(num_components):
        block[:, -1] = block[:, :-2].square().sum(1)
    # The sum of the squares, too, has to stay a number.
    if not data.squares.sum().isfinite():
        raise ValueError(f"x must have squares whose sum fits into float64, got {x.abs().max().item():.3g} in x")
    return data


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
