"""A nonlinearity that a reader writes down by its coordinates: its output and its code at every β."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from ...atlas import Coordinates, constant
from ...atlas import line as piece
from ...drawing.looks import GRID, INPUT_AXIS, INPUTS, STYLES, SYMBOLS, UP_TO_1, WEIGHTS, even_ticks, piece_lines
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, layout, line
from ...interactive.numbers import number

REACH = 8.0  # how far up and down a plot goes at most
RELU = Coordinates((constant(0), piece(1)), "gaussian")


def check_coordinates(coordinates: Coordinates) -> Coordinates:
    """Coordinates that the figure can draw.

    Raises:
        ValueError: not coordinates of one input and one output with two to four pieces.
    """
    if not isinstance(coordinates, Coordinates):
        raise ValueError(f"coordinates must be Coordinates(…), got {coordinates!r}")
    pieces = len(coordinates.pieces)
    if (coordinates.inputs, coordinates.outputs) != (1, 1) or not 2 <= pieces <= len(STYLES):
        raise ValueError(
            f"coordinates must take one number, give one and have 2 to {len(STYLES)} pieces, got "
            f"{coordinates.inputs} in, {coordinates.outputs} out and {pieces}"
        )
    return coordinates


def output(coordinates: Coordinates, beta: float) -> Tensor:
    """The output at β over the input; NaN where it is infinite, as an expected maximum is at β = 0."""
    v = replace(coordinates, beta=beta)(INPUTS)
    return torch.where(v.isfinite(), v, math.nan)


def your_frame(coordinates: Coordinates, beta: float) -> Frame:
    """Output and code of the reader's nonlinearity."""
    low, high = _reach(coordinates)
    now, hard = output(coordinates, beta), output(coordinates, 1.0)
    shares = replace(coordinates, beta=beta).code(INPUTS)
    finite = now[now.isfinite()]
    if len(finite):
        lowest = finite.min().item()
        place = INPUTS[int((now == lowest).nonzero()[0])].item()
        found = f"its lowest value is {number(lowest, 3)}, at u = {number(place)}"
    else:
        found = "it has no finite value"
    value = Panel(
        title="What it puts out",
        xlabel="input u",
        alt=f"Your nonlinearity at β = {beta:.2f}: for u from −5 to 5 {found}.",
        traces=[
            line("β = 1, hard", GRID, hard, palette.GREY, dash="dash", width=1.5, label="β = 1"),
            line("at this β", GRID, now, palette.BLUE, width=4.5, label="at this β"),
        ],
        layout=layout(INPUT_AXIS, axis(low, high, even_ticks(low, high))),
    )
    code = Panel(
        title="Code: how it weighs its pieces",
        xlabel="input u",
        alt="The weights of all pieces add to one.",
        traces=piece_lines(WEIGHTS, GRID, shares, labels=SYMBOLS),
        layout=layout(INPUT_AXIS, UP_TO_1),
    )
    return Frame([value, code], f"{found[0].upper()}{found[1:]}.")


def your_activation_figure(coordinates: Coordinates = RELU) -> InteractiveFigure:
    """The figure of a nonlinearity that a reader writes down; the slider says what β is, not the coordinates.

    Raises:
        ValueError: as :func:`check_coordinates`, at once: a reader's mistake should show in the reader's own cell.
    """
    frame = partial(your_frame, check_coordinates(coordinates))
    caption = "Move β. Noise has the scale s = (1 − β)/β: there is none of it at β = 1, and at β = 0 it has no bound."
    return InteractiveFigure("your-activation", frame, [beta_axis(0.02)], caption=caption)


def _reach(coordinates: Coordinates) -> tuple[float, float]:
    """A range for the output that holds for every β, cut off where it grows without bound."""
    seen = torch.stack([output(coordinates, beta) for beta in (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)])
    seen = seen[seen.isfinite()].clamp(-REACH, REACH)
    low, high = seen.min().item(), seen.max().item()
    room = 0.06 * (high - low or 1.0)
    return low - room, high + room
