"""How far an attack goes: three radii of a digit, and how many digits are flipped within a radius."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from betavq import geometry

from ...drawing.looks import blank
from ...drawing.sheets import sheet, size
from ...interactive import palette
from ...interactive.axes import Axis, Value, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line, picture
from ...interactive.names import label
from ...interactive.numbers import number
from ...results import risks
from ...results.attack import attacked
from ...results.risks import SHOWN

REACH = 2.0
STOPS = tuple(step / 10 for step in range(21))
KINDS = ("certified", "linearised", "flipped")
NAMES = ("certificate passed", "linearised distance passed", "flipped")
PLACES = {
    kind: label(name, x=x, side=side)
    for kind, name, x, side in zip(KINDS, NAMES, (0.25, 0.85, 0.42), ("se", "se", "w"), strict=True)
}
LOOKS = ((palette.GREEN, "dash"), (palette.ORANGE, "dashdot"), (palette.BLUE, "solid"))


class Radii(NamedTuple):
    """Of a digit: within which nothing flips it, at which its local map would, and at which the attack did, if any."""

    certified: float
    linearised: float
    flipped: float


class Attacks(NamedTuple):
    """All digits at all stops: images ``(10, 21, 64)`` and what they are read as ``(10, 21)``."""

    images: Tensor
    read: Tensor


@cache
def attacks(network: str) -> Attacks:
    """The attacked digits of a network."""
    found = risks.shown(SHOWN[network])
    count = len(STOPS)
    x = found.images.repeat_interleave(count, 0)
    labels = torch.arange(10).repeat_interleave(count)
    moved = attacked(found.network, x, labels, torch.tensor(STOPS, dtype=torch.float64).repeat(10))
    with torch.no_grad():
        read = found.network(moved).argmax(1)
    return Attacks(moved.view(10, count, -1), read.view(10, count))


@cache
def radii_of(network: str) -> list[Radii]:
    """The three radii of each digit; NaN where no stop's attack flips it."""
    found = risks.shown(SHOWN[network])
    risk = geometry.adversarial_risk(found.network, found.images, torch.arange(10))
    flipped = attacks(network).read != torch.arange(10)[:, None]
    first = [STOPS[int(row.int().argmax())] if bool(row.any()) else float("nan") for row in flipped]
    return [Radii(*each) for each in zip(risk.certified.tolist(), risk.linearised.tolist(), first, strict=True)]


@cache
def shares(network: str) -> dict[str, list[float]]:
    """Of test digits: whose certificate or linearised distance a radius passes, and which an attack flips there."""
    (runs,) = (each.runs for each in risks.penalised(SHOWN[network]) if each.strength == _strength(network))
    return {
        kind: torch.tensor([run[f"shares_{kind}"] for run in runs], dtype=torch.float64).mean(0).tolist()
        for kind in KINDS
    }


def _strength(network: str) -> float:
    return 0.0 if SHOWN[network] == risks.NONE else 3e-3


def radius_frame(network: str, digit: float, radius: float) -> Frame:
    """The digit and the attacked digit; all digits over the radius, with the radii of this one."""
    name, place = int(digit), STOPS.index(radius)
    found, own = risks.shown(SHOWN[network]), radii_of(network)[name]
    moved, read = attacks(network).images[name, place], int(attacks(network).read[name, place])
    pictures = (torch.stack([found.images[name], moved]) + found.mean).clamp(0, 1)
    width, height = size(2, 2)
    seen = Panel(
        title="The digit, and attacked",
        xlabel=f"moved by {radius:.1f}: read as {read}",
        alt=f"{_a(name).capitalize()} that an attack has moved by {radius:.1f} is read as {_a(read)}.",
        traces=[picture("digits", sheet(pictures, 2), (0.0, width), (0.0, height))],
        layout=blank(width, height),
        aspect=width / height,
    )
    share = shares(network)
    flipped = "none up to 2.0" if own.flipped != own.flipped else f"{own.flipped:.1f}"
    readout = (
        f"This {name}: safe up to {number(own.certified)}, its local map flips it at {number(own.linearised)}, "
        f"the attack at {flipped}. At {radius:.1f}, {100 * share['flipped'][place]:.1f} % of test digits are flipped."
    )
    return Frame([seen, _shares_panel(share, own, radius, place)], readout)


def _shares_panel(share: dict[str, list[float]], own: Radii, radius: float, place: int) -> Panel:
    looks = list(zip(KINDS, NAMES, LOOKS, own, strict=True))
    return Panel(
        title="Share of test digits, %",
        xlabel="radius; below: those of this digit",
        alt="The share that is flipped lies below the share whose certificate is passed, and near the share whose "
        f"linearised distance is; at {radius:.1f} it is {100 * share['flipped'][place]:.1f} %.",
        traces=[
            *(
                line(name, STOPS, [100 * each for each in share[kind]], colour, dash=dash, label=PLACES[kind])
                for kind, name, (colour, dash), _ in looks
            ),
            *(
                line(f"{name}, this digit", [at, at], [-14, -4], colour, width=5, label="")
                for _, name, (colour, _), at in looks
            ),
            dots("now", [radius], [100 * share["flipped"][place]], palette.BLUE, size=12, label=""),
        ],
        layout=layout(axis(-0.03, REACH + 0.03, (0, 0.5, 1, 1.5, 2)), axis(-16, 104, (0, 25, 50, 75, 100))),
    )


def _a(digit: int) -> str:
    return f"{'an' if digit == 8 else 'a'} {digit}"


def _say_digit(value: Value) -> str:
    return _a(int(float(value)))


def radius_figure() -> InteractiveFigure:
    """Network, digit, radius."""
    axes = [
        choice("network", "Trained with", tuple(SHOWN), start="no penalty"),
        Axis("digit", "digit", tuple(float(digit) for digit in range(10)), 3.0, say=_say_digit),
        sliding("radius", "radius", 0, REACH, 0.1, start=0.5, say=lambda value: f"radius {float(value):.1f}"),
    ]
    caption = (
        "Move the radius up and watch the right digit: when does the network read it as another? The three bars under "
        "the curves are this digit's own radii, in the colours of the curves: that of its certificate, that at which "
        "its local map puts the border, and that at which the attack has flipped it; their numbers stand below. "
        "Then choose the other network."
    )
    return InteractiveFigure("radius", radius_frame, axes, caption=caption)
