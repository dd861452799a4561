"""Class templates of the digits network, on the way from one digit to another."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import torch
from torch import Tensor

from betavq import geometry

from ...drawing.looks import ACROSS_TO_1, blank
from ...drawing.sheets import SIDE
from ...drawing.strokes import filled, upright
from ...interactive import palette
from ...interactive.axes import Value, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line, path, picture
from ...interactive.numbers import number, summand
from ...results.networks import digits_model, digits_test_set

Rows: TypeAlias = tuple[int, int]  # of the test set: where a way begins and ends

WAYS: dict[str, Rows] = {"3 to 8": (7, 1), "1 to 7": (23, 13), "4 to 9": (0, 4)}
FINE = tuple(step / 400 for step in range(401))  # shares of the way at which the code is looked up
LOGITS = (-22.0, 22.0)
REACH = 3.0  # of a template's numbers, from against to for
STYLES = ((palette.GREEN, "dash"), (palette.ORANGE, "solid"))


@cache
def images_at(rows: Rows, shares: tuple[float, ...]) -> Tensor:
    """The images at some shares of the way between two test digits, ``(len(shares), 64)``."""
    first, last = (digits_test_set()[0][row] for row in rows)
    return first + torch.tensor(shares, dtype=torch.float64)[:, None] * (last - first)


@cache
def along(rows: Rows) -> tuple[Tensor, Tensor]:
    """Logits at FINE, ``(401, 10)``, and the shares at which the region changes."""
    images = images_at(rows, FINE)
    code = torch.cat(list(geometry.codes(digits_model(), images).values()), 1)
    with torch.no_grad():
        logits = digits_model()(images)
    shares = torch.tensor(FINE, dtype=torch.float64)
    return logits, ((shares[1:] + shares[:-1]) / 2)[(code[1:] != code[:-1]).any(1)]


@cache
def templates_at(rows: Rows, share: float) -> tuple[Tensor, Tensor]:
    """The ten templates, ``(10, 64)``, and the ten biases, ``(10,)``."""
    local = geometry.affine_map(digits_model(), images_at(rows, (share,)))
    return local.slopes[0], local.offsets[0]


def way_frame(rows: Rows, share: float, most_borders: int) -> Frame:
    """The image on the way, the templates of the two classes at its ends, and their logits.

    ``most_borders`` is for how many borders of regions there is room, the same in every state of a figure.
    """
    (image,), (found, biases) = images_at(rows, (share,)), templates_at(rows, share)
    changes = along(rows)[1]
    logits = found @ image + biases
    first, last = (int(digits_test_set()[1][row]) for row in rows)
    best = int(logits.argmax())
    region = 1 + int((changes < share).sum())
    seen = Panel(
        title="The image",
        xlabel=f"{100 * share:.0f} % of the way",
        alt=f"A mixture of {_a(first)} and {_a(last)}; the network reads it as {_a(best)}.",
        traces=[picture("image", image.clamp(0, 1).view(SIDE, SIDE), (0.0, SIDE), (0.0, SIDE))],
        layout=blank(SIDE, SIDE),
        aspect=1.0,
    )
    sums = [
        f"{number(logits[c] - biases[c], 1)} {summand(biases[c], 1)} = {number(logits[c], 1)}" for c in (first, last)
    ]
    templates = [_template_panel(found[c], c, said) for c, said in zip((first, last), sums, strict=True)]
    readout = (
        f"Region {region} of {len(changes) + 1} on this way. Template · image, and bias: {sums[0]} for {first}; "
        f"{sums[1]} for {last}. Read as {best}."
    )
    return Frame([seen, *templates, _logits_panel(rows, share, most_borders)], readout)


def _template_panel(weights: Tensor, digit: int, said: str) -> Panel:
    levels = (0.5 + weights / (2 * REACH)).clamp(0, 1).view(SIDE, SIDE)
    return Panel(
        title=f"Template of {digit}",
        xlabel=said,
        alt=f"Weights for {_a(digit)} in orange, against it in blue; with the image and the bias they make {said}.",
        traces=[picture("template", levels, (0.0, SIDE), (0.0, SIDE)) | {"colorscale": palette.SIGNED_SCALE}],
        layout=blank(SIDE, SIDE),
        aspect=1.0,
    )


def _logits_panel(rows: Rows, share: float, most_borders: int) -> Panel:
    logits, changes = along(rows)
    first, last = (int(digits_test_set()[1][row]) for row in rows)
    low, high = LOGITS
    strokes = filled(upright(changes, low, high), 3 * most_borders)
    grid = (0.0, FINE[1])
    step = round(share * (len(FINE) - 1))
    return Panel(
        title="Two logits along the way",
        xlabel=f"share of the way from {first} to {last}; hairlines: borders of regions",
        alt=f"The logits of {first} and {last} are straight inside a region and turn at {len(changes)} borders.",
        traces=[
            path("borders of regions", strokes, palette.GREY, width=0.8, label=""),
            *(
                line(
                    f"logit of {digit}",
                    grid,
                    logits[:, digit].clamp(low, high),
                    colour,
                    dash=dash,
                    width=3.5,
                    label=True,
                )
                for digit, (colour, dash) in zip((first, last), STYLES, strict=True)
            ),
            dots("start", [share], logits[step, [first]], STYLES[0][0], size=11, label=""),
            dots("end", [share], logits[step, [last]], STYLES[1][0], symbol="square", size=10, label=""),
        ],
        layout=layout(ACROSS_TO_1, axis(low, high, (-10, 0, 10))),
    )


def _a(digit: int) -> str:
    return f"{'an' if digit == 8 else 'a'} {digit}"


def _say_share(value: Value) -> str:
    return f"{100 * float(value):.1f} %"


_STOPS: dict[Value, str] = {0.0: "start", 0.5: "half way", 1.0: "end"}
SHARE = sliding("share", "share of the way", 0, 1, 0.025, start=0.0, named=_STOPS, say=_say_share)


def templates_figure() -> InteractiveFigure:
    """Buttons for the two digits, a slider for the way between them."""
    most = max(len(along(rows)[1]) for rows in WAYS.values())
    ends = choice("ends", "From and to", tuple(WAYS), start="3 to 8")
    caption = (
        "Move slowly from start to end. The image changes with every step. The templates do not: they stand still "
        "inside a region and jump at its border, where a logit has its bend. The image times a template, and a bias, "
        "is that class’s logit; between two hairlines both logits are straight."
    )
    return InteractiveFigure(
        "on-the-way", lambda ends, share: way_frame(WAYS[ends], share, most), [ends, SHARE], caption=caption
    )


def your_way_figure(first: int, last: int) -> InteractiveFigure:
    """The same between two rows of the test set that a reader chooses.

    Raises:
        ValueError: as :func:`check_rows`, at once: a reader's mistake should show in the reader's own cell.
    """
    rows = check_rows(first, last)
    most = max(1, len(along(rows)[1]))
    caption = "Move from the first image to the second, and count the regions."
    return InteractiveFigure("your-way", lambda share: way_frame(rows, share, most), [SHARE], caption=caption)


def check_rows(first: int, last: int) -> Rows:
    """The two rows.

    Raises:
        ValueError: no whole numbers from 0 to 499, or twice the same.
    """
    count = len(digits_test_set()[1])
    for row in (first, last):
        if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < count:
            raise ValueError(f"rows must be whole numbers from 0 to {count - 1}, got {first!r} and {last!r}")
    if first == last:
        raise ValueError(f"rows must be two different ones, got {first} twice")
    return first, last
