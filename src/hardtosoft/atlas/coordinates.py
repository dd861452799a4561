"""Where a nonlinearity lives: pieces, selection and read-out, and what they compute through betavq's functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import torch
from torch import Tensor

import betavq
from betavq import noise

Selection = Literal["shannon", "quadratic", "gaussian", "exponential", "lomax"]
SELECTIONS: tuple[Selection, ...] = get_args(Selection)
ENTROPIES = ("shannon", "quadratic")


@dataclass(frozen=True)
class Affine:
    """An affine function of D inputs.

    Attributes:
        slopes: one for each input.
        offset: its value where all inputs are 0.
    """

    slopes: tuple[float, ...]
    offset: float = 0.0


def line(slope: float, offset: float = 0.0) -> Affine:
    """An affine function of one input u."""
    return Affine((float(slope),), float(offset))


def constant(value: float, inputs: int = 1) -> Affine:
    """The same value whatever the inputs."""
    return Affine((0.0,) * inputs, float(value))


def constants(*values: float, inputs: int = 1) -> tuple[Affine, ...]:
    """A read-out of one constant a piece."""
    return tuple(constant(value, inputs) for value in values)


def entry_of(index: int, inputs: int, factor: float = 1.0) -> Affine:
    """``factor`` times one of the inputs."""
    return Affine(tuple(factor if i == index else 0.0 for i in range(inputs)))


@dataclass(frozen=True)
class Coordinates:
    """A nonlinearity, given by numbers alone: ⟨t, read-out⟩ + ``energy`` · F.

    t is the code of the pieces' scores and F their free energy, both of the same selection. For noise they are the
    expected hard code and the expected maximum, the noise being added to the second of two scores.

    Attributes:
        pieces: the scores, affine in the inputs.
        selection: an entropy, ``"shannon"`` or ``"quadratic"``, or a noise, ``"gaussian"``, ``"exponential"`` or
            ``"lomax"``. (Logistic noise is Shannon's entropy, uniform noise the quadratic one.)
        beta: hardness in [0, 1]; the scale of noise is 1/η with η = β/(1−β).
        readouts: for every output one affine function a piece. ``None`` reads the scores out, the value; ``()`` reads
            nothing out.
        energy: how many times the free energy is added; not for Lomax noise, whose is infinite.

    Raises:
        ValueError: coordinates outside the rules, or functions of different numbers of inputs.
    """

    pieces: tuple[Affine, ...]
    selection: Selection = "shannon"
    beta: float = 1.0
    readouts: tuple[tuple[Affine, ...], ...] | None = None
    energy: float = 0.0

    def __post_init__(self) -> None:
        if self.selection not in SELECTIONS:
            raise ValueError(f"selection must be one of {', '.join(SELECTIONS)}, got {self.selection!r}")
        if not 0 <= self.beta <= 1:
            raise ValueError(f"beta must be in [0, 1], got {self.beta}")
        if not self.pieces or (self.is_noise and len(self.pieces) != 2):
            raise ValueError(f"pieces must be {'two' if self.is_noise else 'at least one'}, got {len(self.pieces)}")
        readouts = self.readouts or ()
        if any(len(readout) != len(self.pieces) for readout in readouts):
            raise ValueError(f"readouts must hold one function for each of the {len(self.pieces)} pieces")
        if len({len(affine.slopes) for row in (self.pieces, *readouts) for affine in row}) > 1:
            raise ValueError("pieces and readouts must be functions of the same number of inputs")
        if self.energy and self.selection == "lomax":
            raise ValueError("energy must be 0 under lomax noise, whose expected maximum is infinite")
        if not self.energy and self.readouts == ():
            raise ValueError("energy must not be 0 where nothing else is read out")

    @property
    def is_noise(self) -> bool:
        """Whether pieces are selected under noise rather than by an entropy."""
        return self.selection not in ENTROPIES

    @property
    def inputs(self) -> int:
        """How many numbers D it takes."""
        return len(self.pieces[0].slopes)

    @property
    def outputs(self) -> int:
        """How many numbers it gives."""
        return max(1, len(self.readouts or ()))

    @property
    def scale(self) -> float:
        """The scale 1/η of the noise: 0 at β = 1, ∞ at β = 0."""
        return (1 - self.beta) / self.beta if self.beta else float("inf")

    def __call__(self, x: Tensor) -> Tensor:
        """Compute it.

        Args:
            x: of one input any shape; of D > 1 inputs ``(..., D)``.

        Returns:
            Shape of ``x``, without its last dimension where D > 1, and with one of the outputs if there are several.

        Raises:
            ValueError: ``x`` does not end in D numbers.
        """
        if self.inputs == 1:
            x = x.unsqueeze(-1)
        elif x.dim() == 0 or x.shape[-1] != self.inputs:
            raise ValueError(f"x must end in {self.inputs} numbers, got shape {tuple(x.shape)}")
        scores = apply(self.pieces, x).unsqueeze(-2)
        result = self._read(scores, x)
        if self.energy:
            result = result + self.energy * self._free_energy(scores)
        return result.squeeze(-1) if self.outputs == 1 else result

    def code(self, x: Tensor) -> Tensor:
        """The code t at ``x``, as in :meth:`__call__`, with one share a piece in the last dimension."""
        scores = apply(self.pieces, x.unsqueeze(-1) if self.inputs == 1 else x)
        if self.is_noise:
            return noise.code(scores, cast(noise.Noise, self.selection), self.scale)
        return betavq.code(scores, self.beta, entropy=cast(Literal["shannon", "quadratic"], self.selection))

    def _read(self, scores: Tensor, x: Tensor) -> Tensor:
        if self.readouts == ():
            return scores.new_zeros(scores.shape[:-1])
        readout = None if self.readouts is None else torch.stack([apply(row, x) for row in self.readouts], -2)
        if self.is_noise:
            return noise.value(scores, cast(noise.Noise, self.selection), self.scale, readout=readout)
        entropy = cast(Literal["shannon", "quadratic"], self.selection)
        return betavq.value(scores, self.beta, readout=readout, entropy=entropy)

    def _free_energy(self, scores: Tensor) -> Tensor:
        if self.is_noise:
            return noise.maximum(scores, cast(noise.Noise, self.selection), self.scale)
        return betavq.free_energy(scores, self.beta, entropy=cast(Literal["shannon", "quadratic"], self.selection))


def apply(functions: Sequence[Affine], x: Tensor) -> Tensor:
    """Affine functions of the last dimension of ``x``, ``(..., D)`` to ``(..., R)``."""
    slopes = torch.tensor([f.slopes for f in functions], dtype=x.dtype, device=x.device)
    offsets = torch.tensor([f.offset for f in functions], dtype=x.dtype, device=x.device)
    return x @ slopes.T + offsets
