"""Functions of one number: the upper envelope of three lines, and a residual block that stops being an envelope."""

from __future__ import annotations

import math

import torch
from torch import Tensor

import betavq

from ...drawing.looks import ORDINALS, STYLES, piece_lines
from ...drawing.strokes import upright
from ...interactive import palette
from ...interactive.axes import Handle, Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, axis, dots, heatmap, layout, line, path
from ...interactive.names import label
from ...interactive.numbers import number, saying

INPUTS = torch.linspace(-3, 3, 121, dtype=torch.float64)
GRID = (-3.0, 0.05)
SPAN = (-3.0, 3.0)
#: Slopes and offsets of the first and the third line; the second is the reader's. They cross at (0, −1).
FIRST, THIRD = (-1.0, -1.0), (0.5, -1.0)
LEVELS = (-2.2, 2.6)
STEPS = (-2.3, 1.8)
#: The residual block x + 2·ReLU(−x − 1) + v·ReLU(x − 1).
FIRST_WEIGHT = 2.0
HALF_CHORD = 1.0


def three_lines(slope: float, offset: float) -> betavq.MASO:
    """The unit whose second piece is ``slope``·x + ``offset``."""
    pieces = torch.tensor([FIRST, (slope, offset), THIRD], dtype=torch.float64)
    return betavq.MASO(pieces[None, :, :1], pieces[None, :, 1])


def cells(maso: betavq.MASO) -> Tensor:
    """Where the first unit of a MASO of one input selects each piece, ``(R, 2)``: from and to; NaN if never.

    Of equal pieces the first is selected, and a piece that is as large as the others at one point alone is not.
    """
    slopes, offsets = maso.slopes[0, :, 0].detach(), maso.offsets[0].detach()
    lead, climb, order = offsets[:, None] - offsets, slopes - slopes[:, None], torch.arange(len(slopes))
    meeting = lead / climb
    low = meeting.where(climb < 0, -math.inf).amax(1)
    high = meeting.where(climb > 0, math.inf).amin(1)
    beaten = (climb == 0) & ((lead < 0) | ((lead == 0) & (order < order[:, None])))
    selected = (high - low > 1e-12) & ~beaten.any(1)
    return torch.stack([low, high], 1).where(selected[:, None], math.nan)


def tints(code: Tensor, across: tuple[float, float], up: tuple[float, float]) -> list[Trace]:
    """The cells along a line as bands of tint, from codes ``(N, R)`` at N even places."""
    return [
        heatmap(f"cell of the {ORDINALS[r]}", code[:, r].expand(2, -1), across, up, STYLES[r][0])
        for r in range(code.shape[1])
    ]


def band_places(across: tuple[float, float], count: int, finer: int = 4) -> Tensor:
    """``count`` even bands over a span, ``finer`` places in each, ``(count, finer)``."""
    step = (across[1] - across[0]) / (count * finer)
    return (across[0] + step * (torch.arange(count * finer, dtype=torch.float64) + 0.5)).view(count, finer)


def lines_frame(slope: float, offset: float) -> Frame:
    """Three lines, their maximum and its slope, with the cells of the lines behind both."""
    maso = three_lines(slope, offset)
    found = cells(maso)
    scores = maso.scores(INPUTS[:, None])[:, 0].detach()
    bands = maso.code(band_places(SPAN, 240)[..., None])[:, :, 0].mean(1).detach()
    used = [not low.isnan() for low in found[:, 0]]
    ends = found[:, 1].where(found[:, 1].isfinite(), math.nan).sort().values[:2]
    words = {1: "one line alone", 2: "two of the lines", 3: "all three lines"}[sum(used)]
    curve = Panel(
        title="The largest of three lines",
        xlabel="input x",
        alt=f"The maximum is made of {words}; it bends upwards wherever it bends.",
        traces=[
            *tints(bands, SPAN, LEVELS),
            _walls(ends, LEVELS),
            *piece_lines([f"the {place} line" for place in ORDINALS], GRID, scores, width=2, labels=ORDINALS),
            line("the maximum", GRID, maso(INPUTS[:, None])[:, 0].detach(), palette.INK, width=4.5, label="maximum"),
        ],
        layout=layout(axis(*SPAN, (-2, -1, 0, 1, 2)), axis(*LEVELS, (-2, -1, 0, 1, 2))),
    )
    slopes = maso.slopes[0, :, 0].detach().where(~found[:, 0].isnan(), math.nan)
    steps = [
        line(
            f"the {ORDINALS[r]} line",
            found[r].clamp(*SPAN),
            slopes[r].expand(2),
            STYLES[r][0],
            dash=STYLES[r][1],
            width=4,
            label="",
        )
        for r in range(3)
    ]
    stairs = Panel(
        title="The slope of the maximum",
        xlabel="input x",
        alt="From left to right the selected slope only climbs, one step at each boundary.",
        traces=[*tints(bands, SPAN, STEPS), _walls(ends, STEPS), *steps],
        layout=layout(axis(*SPAN, (-2, -1, 0, 1, 2)), axis(*STEPS, (-2, -1, 0, 1))),
    )
    where = " and ".join(f"x = {number(end)}" for end in ends[: sum(used) - 1])
    cut = f"{sum(used)} cells, cut at {where}" if where else "One cell"
    unseen = [place for place, is_used in zip(ORDINALS, used, strict=False) if not is_used]
    return Frame([curve, stairs], f"{cut}." + (f" Never selected: the {' and the '.join(unseen)}." if unseen else ""))


def _walls(ends: Tensor, up: tuple[float, float]) -> Trace:
    """Upright lines where one cell ends and the next begins."""
    return path("boundary", upright(ends, *up), palette.INK, dash="dot", width=1.5, label="")


def block(inputs: Tensor, weight: float) -> Tensor:
    """x + 2·ReLU(−x − 1) + ``weight``·ReLU(x − 1) at inputs ``(N,)``, as one MASO after another."""
    nothing = -math.inf
    slopes = torch.tensor([[0.0, -1.0], [0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    offsets = torch.tensor([[0.0, -1.0], [0.0, -1.0], [0.0, nothing]], dtype=torch.float64)
    hidden = betavq.MASO(slopes[..., None], offsets)
    mixed = torch.tensor([[[FIRST_WEIGHT, weight, 1.0]]], dtype=torch.float64)
    output: Tensor = betavq.MASO(mixed, torch.zeros(1, 1, dtype=torch.float64))(hidden(inputs[:, None]))
    return output[:, 0].detach()


def excess(middles: Tensor, weight: float) -> Tensor:
    """How far the block at each middle lies above the middle of its chord; above 0 it is not convex."""
    left, right = (block(middles + side * HALF_CHORD, weight) for side in (-1, 1))
    return block(middles, weight) - (left + right) / 2


def block_frame(weight: float, middle: float) -> Frame:
    """A residual block and one of its chords, and how all chords of this length fare."""
    place = torch.tensor([middle], dtype=torch.float64)
    ends = torch.cat([place - HALF_CHORD, place + HALF_CHORD])
    heights = block(ends, weight)
    over = excess(place, weight).item()
    verdict = "no maximum of affine pieces" if weight < 0 else "convex, and a maximum of affine pieces"
    curve = Panel(
        title="The block, and a chord",
        xlabel="input x",
        alt=f"With the second weight {number(weight)} the block is {verdict}.",
        traces=[
            line(
                "x + 2·ReLU(−x − 1) + v·ReLU(x − 1)",
                GRID,
                block(INPUTS, weight),
                palette.BLUE,
                width=4.5,
                label="the block",
            ),
            line("a chord of the curve", ends, heights, palette.ORANGE, dash="dash", label="chord"),
            dots(
                "middle of the chord",
                place,
                heights.mean().reshape(1),
                palette.ORANGE,
                symbol="square",
                size=9,
                label="",
            ),
            dots("the curve at the middle", place, block(place, weight), palette.BLUE, size=11, label=""),
        ],
        layout=layout(axis(*SPAN, (-2, -1, 0, 1, 2)), axis(-2.2, 6.4, (-2, 0, 2, 4, 6))),
    )
    middles = torch.linspace(-2, 2, 161, dtype=torch.float64)
    most = label("a convex curve stays below", at=0.1, side="ne")
    test = Panel(
        title="How far the curve is above its chord",
        xlabel="middle of the chord",
        alt="Above zero around x = 1: the chord test fails there."
        if weight < 0
        else "Never above zero: every chord of this length lies on the curve or above it.",
        traces=[
            line(
                "0, the most that a convex curve may have",
                [-2.1, 2.1],
                [0.0, 0.0],
                palette.GREY,
                dash="dot",
                label=most,
            ),
            line("curve minus chord", (-2.0, 0.025), excess(middles, weight), palette.PURPLE, width=3.5, label=""),
            dots("this chord", place, [over], palette.PURPLE, size=11, label=True),
        ],
        layout=layout(axis(-2.1, 2.1, (-2, -1, 0, 1, 2)), axis(-1.15, 1.15, (-1, -0.5, 0, 0.5, 1))),
    )
    side = "on its chord" if abs(over) < 5e-3 else f"{number(abs(over))} {'above' if over > 0 else 'below'} its chord"
    return Frame([curve, test], f"At the middle x = {number(middle)} the curve is {side}. The block is {verdict}.")


def lines_figure() -> InteractiveFigure:
    """Three lines and their upper envelope, with the second line in the reader's hand."""
    tilts: dict[Value, str] = {-1.0: "as the first", 0.5: "as the third"}
    heights: dict[Value, str] = {-1.5: "below", 0.0: "above"}
    offset = sliding(
        "offset",
        "offset of the second line",
        -2,
        1.5,
        0.05,
        start=0.0,
        named=heights,
        say=saying("B₂"),
        handle=Handle(0, "y", 0.0),
    )
    slope = sliding(
        "slope",
        "its slope",
        -2,
        1.5,
        0.05,
        start=0.0,
        named=tilts,
        say=saying("A₂"),
        handle=Handle(0, "y", 1.5, above="offset"),
    )
    caption = (
        "Lower the offset of the second line: its cell shrinks from both sides and is gone when the line only touches "
        "the corner that the other two make. Go on to “below” and tilt the line: its cell comes back as soon as it is "
        "steeper than both others or falls faster than both. The line of numbers tells you first, since the new cell "
        "begins outside the picture. In the second panel each cell is a step, as high as the slope selected there."
    )
    return InteractiveFigure("lines", lines_frame, [offset, slope], caption=caption, traced=True)


def block_figure() -> InteractiveFigure:
    """A residual block of two weight layers that is convex or not, as its second weight says."""
    signs: dict[Value, str] = {-1.0: "not convex", 1.0: "convex"}
    weights = sliding(
        "weight",
        "v, the second weight",
        -2,
        1.5,
        0.05,
        start=-1.0,
        named=signs,
        say=saying("v"),
    )
    kinks: dict[Value, str] = {-1.0: "first kink", 1.0: "second kink"}
    middles = sliding(
        "middle",
        "middle of the chord",
        -2,
        2,
        0.05,
        start=1.0,
        named=kinks,
        say=saying("x"),
        handle=Handle(0, "x", "middle of the chord"),
    )
    caption = (
        "Move v up to “convex”: in the second panel the bump at the second kink sinks to the zero line and below it, "
        "and the curve itself bends upwards only. Then go back to “not convex” and slide the chord: it lies above the "
        "curve at the first kink and below it at the second. One chord below the curve is enough: no maximum of "
        "affine pieces has one."
    )
    return InteractiveFigure("residual-block", block_frame, [weights, middles], caption=caption, traced=True)
