"""What is seen of the scores of each site while a model runs: how far they spread, how soft the codes are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .meters import check_images, metered
from .smoothings import FREE_ENERGY, VALUE, softened
from .state import Softening, Unit


@dataclass
class Scores:
    """What was seen of a site: sums over its inputs, and over the entropies of its codes.

    Attributes:
        entropies: as shares of log R, R the number of pieces.
    """

    count: float = 0.0
    mean: float = 0.0
    squares: float = 0.0
    codes: int = 0
    entropies: float = 0.0

    @property
    def spread(self) -> float:
        """The standard deviation of the inputs."""
        return math.sqrt(self.squares / self.count)

    @property
    def softness(self) -> float:
        """The mean entropy of the codes: 0 is hard, 1 undecided."""
        return self.entropies / self.codes

    def add(self, unit: Unit) -> None:
        """A call more."""
        x = unit.x.detach().double()
        mean, count = x.mean().item(), x.numel()
        squares, shift, total = (x - mean).square().sum().item(), mean - self.mean, self.count + count
        self.squares += squares + shift**2 * self.count * count / total
        self.mean, self.count = self.mean + shift * count / total, total
        entropies = relative_entropies(unit, x)
        self.entropies += entropies.sum().item()
        self.codes += entropies.numel()


def relative_entropies(unit: Unit, x: Tensor) -> Tensor:
    """Entropies of the codes that a call selects by, over log R: H = η (free energy − value)."""
    beta = unit.beta.detach().double() if isinstance(unit.beta, Tensor) else torch.tensor(unit.beta).double()
    inside = beta.clamp(1e-6, 1 - 1e-6)  # where free energy and η are finite; the ends are known
    energy, value = (
        softened(x, unit.kind, unit.bound.options, inside, how, in_place=False) for how in (FREE_ENERGY, VALUE)
    )
    share = (inside / (1 - inside) * (energy - value) / math.log(max(pieces(unit), 2))).nan_to_num(0.0).clamp(0, 1)
    ends = torch.where(beta >= 1, 0.0, torch.where(beta <= 0, 1.0, share))
    return ends if pieces(unit) > 1 else torch.zeros_like(ends)


def pieces(unit: Unit) -> int:
    """R: two, or the entries of a window."""
    if "pool" not in unit.kind:
        return 2
    size = unit.bound.options[0]
    axes = 1 if unit.kind == "max_pool1d" else 2
    sizes = tuple(size) if isinstance(size, tuple | list) else (size,) * axes
    return math.prod(sizes if len(sizes) == axes else sizes * axes)


class _Spreads:
    """The meter."""

    def __init__(self, softening: Softening) -> None:
        self.softening = softening
        self.found: dict[str, Scores] = {}

    def meet(self, unit: Unit, _key: Any, name: str, hard: Callable[[], Any]) -> Tensor:
        """The output that the call has without a meter."""
        self.found.setdefault(name, Scores()).add(unit)
        if not isinstance(unit.beta, Tensor) and unit.beta == 1:
            found = hard()
            y: Tensor = found[0] if isinstance(found, tuple) else found
            return y
        return unit.soft()


def measured(
    model: nn.Module, softenings: list[Softening], images: Any, batch_size: int
) -> dict[Softening, dict[str, Scores]]:
    """The scores of each softening's sites, by the name of the site."""
    batches = check_images(images, batch_size)
    meters = [_Spreads(softening) for softening in softenings]
    with metered(model, softenings, meters):
        for batch in batches:
            model(batch)
    return {meter.softening: meter.found for meter in meters}
