"""A unit of any affine pieces, for a reader to write down: its value and its code at every β."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

import betavq

from ...drawing.looks import GRID, INPUT_AXIS, INPUTS, STYLES, SYMBOLS, UP_TO_1, WEIGHTS, even_ticks, piece_lines
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, layout, line
from ...interactive.marks import weighed
from ...interactive.numbers import number
from ...interactive.vectors import vector

#: How steep and how high a piece that is typed may be.
MOST = 3.0
Pieces = Callable[[Tensor], Sequence[Tensor | float]]


def valley(u: Tensor) -> Sequence[Tensor | float]:
    """The three pieces that the chapter starts from: two slopes and a flat floor between them."""
    return [-u - 1, 0, u - 1]


def scores(pieces: Pieces, inputs: Tensor) -> Tensor:
    """The piece values at each input, shape (N, R); a number is a flat piece.

    Raises:
        ValueError: not two to four pieces, or one that is not finite or not of the inputs' shape.
    """
    returned = pieces(inputs)
    if not isinstance(returned, list | tuple) or not 2 <= len(returned) <= len(STYLES):
        found = len(returned) if isinstance(returned, list | tuple) else f"a {type(returned).__name__}"
        raise ValueError(f"pieces must return a list of 2 to {len(STYLES)} pieces, got {found}")
    offered = [torch.as_tensor(piece, dtype=inputs.dtype) for piece in returned]
    for place, piece in enumerate(offered, start=1):
        if piece.shape not in (inputs.shape, ()):
            raise ValueError(
                f"piece {place} must have the shape of u, {tuple(inputs.shape)}, got {tuple(piece.shape)}"
            )
        if not torch.isfinite(piece).all():
            raise ValueError(f"piece {place} must be finite wherever the figure draws it, for u from −5 to 5")
    return torch.stack([piece.expand_as(inputs) for piece in offered], dim=-1)


def lines_of(pieces: Pieces) -> Tensor | None:
    """Slope and offset of each piece, ``(R, 2)``; None if one of them is not affine."""
    offered = scores(pieces, INPUTS)
    offsets = scores(pieces, torch.zeros(1, dtype=INPUTS.dtype))[0]
    slopes = scores(pieces, torch.ones(1, dtype=INPUTS.dtype))[0] - offsets
    found = torch.stack([slopes, offsets], -1)
    return found if torch.allclose(_along(found, INPUTS), offered, rtol=1e-9, atol=1e-9) else None


def _along(lines: Tensor, inputs: Tensor) -> Tensor:
    return inputs[:, None] * lines[:, 0] + lines[:, 1]


def heights(offered: Tensor) -> tuple[float, float]:
    """The lowest and the highest value of a unit: at every input the value grows with β, so it stays between."""
    return betavq.value(offered, 0.0).min().item(), betavq.value(offered, 1.0).max().item()


def pieces_frame(offered: Tensor, at_zero: Tensor, beta: float, seen: tuple[float, float]) -> Frame:
    """Value and code of a unit with these pieces at ``INPUTS``, ``(N, R)``, and at 0, ``(1, R)``, seen in a box."""
    hard, linear = betavq.value(offered, 1.0), betavq.value(offered, 0.0)
    low, high = seen
    room = 0.06 * (high - low or 1.0)
    weights, value = betavq.code(at_zero, beta)[0].tolist(), number(betavq.value(at_zero, beta)[0], 3)
    output = Panel(
        title="Value: what your unit puts out",
        xlabel="input u",
        alt=f"Your unit of {len(weights)} pieces at β = {beta:.2f}: at u = 0 its value is {value}.",
        traces=[
            line("β = 1: the largest piece", GRID, hard, palette.GREY, dash="dash", width=1.5, label="β = 1"),
            line(
                "β = 0: the mean of the pieces",
                GRID,
                linear,
                palette.GREY,
                dash="dot",
                width=1.5,
                label="β = 0",
            ),
            line("value at this β", GRID, betavq.value(offered, beta), palette.BLUE, width=4.5, label="value"),
        ],
        layout=layout(INPUT_AXIS, axis(low - room, high + room, even_ticks(low, high))),
    )
    code = betavq.code(offered, beta)
    shares = Panel(
        title="Code: how it weighs its pieces",
        xlabel="input u",
        alt="All weights are equal at every input." if beta == 0 else "The largest weight has the largest piece.",
        traces=piece_lines([f"{weight} piece" for weight in WEIGHTS], GRID, code, labels=SYMBOLS),
        layout=layout(INPUT_AXIS, UP_TO_1),
    )
    return Frame([output, shares], f"At u = 0: code {weighed(weights)}, value [value|{value}].")


def pieces_figure(pieces: Pieces = valley) -> InteractiveFigure:
    """The figure of a unit that a reader writes down: ``pieces`` takes u and returns two to four affine pieces.

    Raises:
        ValueError: as :func:`scores`, at once: a reader's mistake should show in the reader's own cell.
    """
    offered, at_zero = scores(pieces, INPUTS), scores(pieces, torch.zeros(1, dtype=INPUTS.dtype))
    seen, lines = heights(offered), lines_of(pieces)
    caption = "Move β from 1 to 0: the largest piece gives way to the mean of them all. Then type other lines."
    if lines is None:  # what is no line has no slope and offset to type
        return InteractiveFigure(
            "your-unit", lambda beta: pieces_frame(offered, at_zero, beta, seen), [beta_axis(0.02)], caption=caption
        )

    def frame(beta: float, **typed: Tensor) -> Frame:
        now = torch.stack(list(typed.values()))
        return pieces_frame(_along(now, INPUTS), now[None, :, 1], beta, seen)

    most = max(MOST, lines.abs().max().ceil().item())
    boxes = [
        vector(f"piece{r}", f"Piece {r}", ("slope", "offset"), -most, most, start=tuple(each))
        for r, each in enumerate(lines.tolist(), start=1)
    ]
    return InteractiveFigure("your-unit", frame, [beta_axis(0.02), *boxes], caption=caption, traced=True)
