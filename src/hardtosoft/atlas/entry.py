"""One nonlinearity of the atlas: its coordinates beside the function they stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from .coordinates import Coordinates

EXACT = 1e-12  # the largest error, in float64 and on inputs within ±REACH, of what is called exact
REACH = 30.0


@dataclass(frozen=True)
class Entry:
    """A nonlinearity with its coordinates.

    Attributes:
        name: as the literature has it.
        counterpart: the call that it stands for, as text.
        reference: that call; it takes and gives the shapes of ``coordinates``.
        coordinates: pieces, selection, β and read-out.
        derivation: in a line, why these coordinates.
        module: the class in ``torch.nn``, empty where there is none.
        misfit: why no coordinates are exact and these are only the best of their kind; empty where they are exact.
        pieces, readout: formulas to show in place of numbers.
    """

    name: str
    counterpart: str
    reference: Callable[[Tensor], Tensor] = field(repr=False)
    coordinates: Coordinates = field(repr=False)
    derivation: str = field(repr=False)
    module: str = ""
    misfit: str = field(default="", repr=False)
    pieces: str = field(default="", repr=False)
    readout: str = field(default="", repr=False)

    def __call__(self, x: Tensor) -> Tensor:
        """What the coordinates compute; shapes as in :class:`Coordinates`."""
        return self.coordinates(x)

    @property
    def is_exact(self) -> bool:
        """Whether it is claimed to be the reference itself."""
        return not self.misfit

    @cached_property
    def error(self) -> float:
        """Largest distance from the reference over :func:`points`."""
        x = points(self.coordinates.inputs)
        return _farthest(self(x), self.reference(x))

    def distance(self, other: Entry) -> float:
        """Largest distance over :func:`points` between two entries of as many inputs and outputs.

        Raises:
            ValueError: ``other`` has other numbers of inputs or outputs.
        """
        sizes = [(entry.coordinates.inputs, entry.coordinates.outputs) for entry in (self, other)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"other must take {sizes[0][0]} and give {sizes[0][1]} numbers as {self.name} does, "
                f"{other.name} takes {sizes[1][0]} and gives {sizes[1][1]}"
            )
        x = points(self.coordinates.inputs)
        return _farthest(self(x), other(x))


def points(inputs: int) -> Tensor:
    """Where errors are measured, in float64: 10,001 evenly spaced numbers from −30 to 30.

    Of two inputs a grid of 101 × 101 over that square, of more 10,000 random ones in that cube, always the same.
    """
    if inputs == 1:
        return torch.linspace(-REACH, REACH, 10_001, dtype=torch.float64)
    if inputs == 2:
        ticks = torch.linspace(-REACH, REACH, 101, dtype=torch.float64)
        return torch.cartesian_prod(ticks, ticks)
    draw = torch.Generator().manual_seed(inputs)
    return REACH * (2 * torch.rand(10_000, inputs, dtype=torch.float64, generator=draw) - 1)


def _farthest(first: Tensor, second: Tensor) -> float:
    return (first - second).abs().max().item()
