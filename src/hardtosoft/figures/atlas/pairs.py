"""Two nonlinearities of the atlas side by side: where they live, and how far apart they are."""

from __future__ import annotations

import math

import torch

from ...atlas import ATLAS, Entry, words
from ...interactive import palette
from ...interactive.axes import check_option, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line
from ...interactive.numbers import number

NAMES = ("ReLU", "Leaky ReLU", "SiLU", "Hardswish", "GELU", "Mish", "Softplus", "ELU")
REACH = 5.0
INPUTS = torch.linspace(-REACH, REACH, 10_001, dtype=torch.float64)
THIN = 50  # every so many of them are drawn
GRID = (-REACH, 2 * REACH * THIN / (len(INPUTS) - 1))
XAXIS = axis(-REACH, REACH, (-4, -2, 0, 2, 4))


def farthest(first: str, second: str) -> tuple[float, float, float]:
    """The largest distance of two entries for u from −5 to 5, where it is, and the first minus the second there."""
    difference = ATLAS[first](INPUTS) - ATLAS[second](INPUTS)
    distance = difference.abs().max().item()
    place = int((difference.abs() >= distance - 1e-12).nonzero()[0])  # the leftmost, where there are two
    return distance, round(INPUTS[place].item(), 6), difference[place].item()


def pair_frame(first: str, second: str) -> Frame:
    """Both curves, their difference, and in the line below the coordinates of each.

    Raises:
        ValueError: a name that is not one of the figure's.
    """
    for role, name in (("first", first), ("second", second)):
        check_option(role, name, NAMES)
    one, other = ATLAS[first](INPUTS), ATLAS[second](INPUTS)
    distance, place, difference = farthest(first, second)
    same = first == second
    where = f"{distance:.3f} apart, at u = {number(place)}"
    curves = Panel(
        title="Both of them",
        xlabel="input u",
        alt=f"{first} twice." if same else f"{first} and {second} are at most {where}.",
        traces=[
            line("the first", GRID, one[::THIN], palette.BLUE, width=3),
            line("the second", GRID, other[::THIN], palette.ORANGE, dash="dash", width=3),
        ],
        layout=layout(XAXIS, axis(-1.2, 5.2, (-1, 0, 1, 2, 3, 4, 5))),
    )
    gap = Panel(
        title="The first minus the second",
        xlabel="input u",
        alt="No difference." if same else f"The difference is largest at u = {number(place)}.",
        traces=[
            line("their difference", GRID, (one - other)[::THIN], palette.PURPLE, width=3),
            dots("where it is largest", [place], [math.nan if same else difference], palette.PURPLE, size=13),
        ],
        layout=layout(XAXIS, axis(-1.1, 1.1, (-1, -0.5, 0, 0.5, 1), ("−1", "−½", "0", "½", "1"))),
    )
    apart = "The same function." if same else f"At most {where}."
    both = (first,) if same else (first, second)
    return Frame([curves, gap], f"{apart} {' '.join(f'{name}: {coordinates(ATLAS[name])}.' for name in both)}")


def coordinates(entry: Entry) -> str:
    """Where it lives, in a line."""
    c = entry.coordinates
    parts = [f"pieces {words.pieces(entry)}", words.selection(c), f"β = {words.beta(c)}"]
    if c.readouts is None or c.readouts == ():
        return "; ".join([*parts, words.readout(entry)])
    return "; ".join([*parts, f"read out {words.readout(entry)}"])


def pairs_figure() -> InteractiveFigure:
    """Two choices among eight that all approach u on the right."""
    caption = (
        "Blue is the first, dashed orange the second. The line below names their coordinates; look for what two "
        "neighbours share. The softplus here has η\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}2."
    )
    axes = [choice("first", "First", NAMES, start="GELU"), choice("second", "Second", NAMES, start="SiLU")]
    return InteractiveFigure("two-activations", pair_frame, axes, caption=caption)
