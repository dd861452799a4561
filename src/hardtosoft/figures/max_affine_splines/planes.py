"""Functions of two numbers: the affine pieces of a unit seen from above, and along a cut."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

import betavq

from ...drawing.edges import edges, level_lines
from ...drawing.looks import ORDINALS, STYLES, even_ticks, piece_lines
from ...drawing.raster import Plane
from ...interactive import palette
from ...interactive.axes import Axis, Handle, Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, layout, line, path
from ...interactive.names import label
from ...interactive.numbers import number, saying
from ...interactive.vectors import vector
from .envelopes import band_places, tints

BOX = Plane((-3.0, 3.0), (-2.4, 2.4), 70, 56)
HEIGHTS = (-2.6, 4.2)
#: How steep and how high a plane that is typed may be.
MOST = 3.0
LEVELS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
#: Slopes of the three planes that stand still, all with offset 0: their maximum has one corner, at the origin.
STILL = ((1.0, 0.4), (-0.9, 0.5), (0.0, -1.0))


def unit_panels(
    maso: betavq.MASO,
    cut: float,
    *,
    pieces: int,
    piece: str,
    heights: tuple[float, float] = HEIGHTS,
    levels: Sequence[float] = LEVELS,
) -> list[Panel]:
    """The first unit of a MASO of two inputs from above, and along the line x₂ = ``cut``.

    ``pieces`` is the number that is drawn in every state of the figure, a unit with fewer leaves the rest empty;
    ``piece`` what one is called. ``heights`` are those of the cut's plot, ``levels`` those of the level lines.
    """
    count = maso.num_pieces
    code = maso.code(BOX.points)[:, 0]
    border = edges(maso, BOX.x, BOX.y).reshape(-1, 2)
    contour = level_lines(maso, levels, BOX.x, BOX.y).reshape(-1, 2)
    seen = int(code.any(0).sum())
    above = Panel(
        title="From above: which is highest",
        xlabel="input x₁ across, x₂ up",
        alt=f"{seen} of {count} {piece}s are the highest somewhere in the picture; straight edges part their cells.",
        traces=[
            *BOX.tints(F.pad(code, (0, pieces - count)), [colour for colour, _ in STYLES[:pieces]]),
            path("levels of the maximum", contour, palette.GREY, width=1.5, label="level lines"),
            path("edges of the cells", border, palette.INK, width=2.5, label=""),
            line(
                "the cut",
                list(BOX.x),
                [cut, cut],
                palette.INK,
                dash="dash",
                width=1.5,
                label=label("the cut", at=0.05),
            ),
        ],
        layout=BOX.layout((-2, 0, 2), (-2, 0, 2)),
        aspect=BOX.aspect,
    )
    return [above, _cut_panel(maso, cut, pieces, piece, heights)]


def _cut_panel(maso: betavq.MASO, cut: float, pieces: int, piece: str, heights: tuple[float, float]) -> Panel:
    inputs = torch.linspace(*BOX.x, 121, dtype=torch.float64)
    points = torch.stack([inputs, torch.full_like(inputs, cut)], -1)
    places = band_places(BOX.x, 240)
    bands = maso.code(torch.stack([places, torch.full_like(places, cut)], -1))[:, :, 0].mean(1)
    bands = F.pad(bands, (0, pieces - maso.num_pieces))
    scores = maso.scores(points)[:, 0]
    scores = F.pad(scores.where(scores.isfinite(), math.nan), (0, pieces - maso.num_pieces), value=math.nan)
    grid = (BOX.x[0], 0.05)
    return Panel(
        title="Along the cut: lines again",
        xlabel="input x₁, along the cut",
        alt=f"Along the cut the {piece}s are lines, and the unit is the highest of them.",
        traces=[
            *tints(bands, BOX.x, heights),
            *piece_lines([f"the {place} {piece}" for place in ORDINALS], grid, scores, width=2, labels=ORDINALS),
            line("the maximum", grid, maso(points)[:, 0], palette.INK, width=4.5, label="maximum"),
        ],
        layout=layout(axis(*BOX.x, (-2, 0, 2)), axis(*heights, even_ticks(*heights))),
        aspect=BOX.aspect,
    )


def four_planes(offset: float, tilt: float) -> betavq.MASO:
    """Three planes that stand still and a fourth, ``tilt``·x₁ + ``offset``."""
    slopes = torch.tensor([[*STILL, (tilt, 0.0)]], dtype=torch.float64)
    return betavq.MASO(slopes, torch.tensor([[0.0, 0.0, 0.0, offset]], dtype=torch.float64))


def planes_frame(offset: float, tilt: float, cut: float) -> Frame:
    """Four planes from above and along a cut."""
    maso = four_planes(offset, tilt)
    panels = unit_panels(maso, cut, pieces=4, piece="plane")
    share = maso.code(BOX.points)[:, 0, 3].mean().item()
    point = torch.tensor([0.0, cut], dtype=torch.float64)
    at, chosen = maso(point).item(), ORDINALS[int(maso.selection(point))]
    return Frame(
        panels,
        f"The fourth plane is highest on {100 * share:.0f} % of the picture. "
        f"At x = (0, {number(cut)}) the {chosen} is: {number(at)}.",
    )


def own_frame(maso: betavq.MASO, cut: float, seen: tuple[float, float]) -> Frame:
    """The first unit of a reader's MASO, its heights seen from the lower of two to the higher one."""
    low, high = seen
    room = 0.2 * (high - low or 1.0)
    panels = unit_panels(
        maso,
        cut,
        pieces=maso.num_pieces,
        piece="piece",
        heights=(low - 2 * room, high + room),
        levels=even_ticks(low, high),
    )
    shares = maso.code(BOX.points)[:, 0].mean(0).tolist()
    words = ", ".join(f"{100 * share:.0f} %" for share in shares)
    return Frame(panels, f"Shares of the picture: {words}.")


def planes_figure() -> InteractiveFigure:
    """Four planes; the offset and the tilt of one, and the cut, are the reader's."""
    heights: dict[Value, str] = {0.0: "touching", 0.8: "on top"}
    tilts: dict[Value, str] = {0.0: "flat", 1.2: "leaning"}
    offset = sliding("offset", "offset of the fourth plane", -1, 1.5, 0.1, start=0.8, named=heights, say=saying("B₄"))
    tilt = sliding("tilt", "its slope along x₁", -1.2, 1.2, 0.1, start=0.0, named=tilts, say=saying("slope"))
    cut = _cut_axis()
    caption = (
        "Lower the fourth plane: its edges move inwards and never turn, until at “touching” its cell closes on the "
        "corner of the other three. Set it to “leaning”: now its edges have turned, and its cell runs out to the "
        "right at any offset. Every level line turns only where it crosses an edge, and what it encloses is convex."
    )
    return InteractiveFigure("planes", planes_frame, [offset, tilt, cut], caption=caption, traced=True)


def _cut_axis() -> Axis:
    named: dict[Value, str] = {0.0: "middle"}
    ring = Handle(0, "y", BOX.x[1] - 0.3)
    return sliding("cut", "height of the cut", -2, 2, 0.25, start=0.0, named=named, say=saying("x₂"), handle=ring)


def own_figure(maso: betavq.MASO) -> InteractiveFigure:
    """The figure of a unit that a reader writes down as slopes and offsets.

    Raises:
        ValueError: not one unit of two to four pieces of two inputs, in float64.
    """
    shape = tuple(maso.slopes.shape)
    if shape[0] != 1 or not 2 <= shape[1] <= len(STYLES) or shape[2] != 2 or maso.slopes.dtype != torch.float64:
        got = f"{shape} in {str(maso.slopes.dtype).removeprefix('torch.')}"
        raise ValueError(f"slopes must be of shape (1, R, 2) with R from 2 to {len(STYLES)}, in float64, got {got}")
    heights, cut = maso(BOX.points)[:, 0], _cut_axis()
    seen = heights.min().item(), heights.max().item()
    caption = "Move the cut: wherever it crosses an edge of a cell, the maximum along the cut has a kink."
    planes = torch.cat([maso.slopes[0], maso.offsets[0, :, None]], 1).detach()
    if not planes.isfinite().all():  # a piece that is excluded has no offset to type
        return InteractiveFigure("your-planes", lambda cut: own_frame(maso, cut, seen), [cut], caption=caption)

    def frame(cut: float, **typed: Tensor) -> Frame:
        now = torch.stack(list(typed.values()))[None]
        return own_frame(betavq.MASO(now[..., :2], now[..., 2]), cut, seen)

    most = max(MOST, planes.abs().max().ceil().item())
    boxes = [
        vector(f"plane{r}", f"Plane {r}", ("slope x₁", "slope x₂", "offset"), -most, most, start=tuple(each))
        for r, each in enumerate(planes.tolist(), start=1)
    ]
    caption += " Then type other slopes and offsets."
    return InteractiveFigure("your-planes", frame, [cut, *boxes], caption=caption, traced=True)
