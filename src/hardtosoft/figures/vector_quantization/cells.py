"""A unit as a quantizer of the plane: the cells of its centroids, and how they move when one offset does."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan, pi

import numpy as np
import torch
from torch import Tensor

from betavq import MASO

from ...drawing.edges import crossings, edges, pairs
from ...drawing.looks import STYLES
from ...drawing.raster import Plane
from ...interactive import palette
from ...interactive.axes import Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, axis, dots, layout, line, path
from ...interactive.names import label
from ...interactive.numbers import number, summand
from ...interactive.vectors import point

PLANE = Plane((-2.4, 2.4), (-1.8, 1.8), 72, 54)
COMMON = 0.7  # added to every radius², which moves no cell and lets every circle be seen
CENTROIDS = ((0.2, 0.2), (1.25, 0.65), (-1.2, 0.7), (-0.1, -1.2))
MOST_CENTROIDS = 6
COLOURS = tuple(colour for colour, _ in STYLES)
SYMBOLS = ("circle", "square")
DASHES = tuple(dash for _, dash in STYLES)
NAMES = tuple(f"A{'₁₂₃₄₅₆'[r]}" for r in range(MOST_CENTROIDS))
CENTROID_NAMES = tuple(f"centroid {r + 1}" for r in range(MOST_CENTROIDS))
CUT_POINTS = 121
#: How far the cut runs to each side of the first centroid.
REACH = 3.0
CIRCLE = torch.stack([trig(torch.linspace(0, 2 * pi, 73, dtype=torch.float64)) for trig in (torch.cos, torch.sin)], -1)
LOWEST = -3.4


def nearest_centroid_unit(centroids: Tensor, extra: float = 0.0) -> MASO:
    """The unit whose slopes are the centroids ``(R, D)``, with offsets −½‖A‖², the first one plus ``extra``."""
    offsets = -0.5 * centroids.square().sum(-1)
    return MASO(centroids[None], torch.cat([offsets[:1] + extra, offsets[1:]])[None])


def radii_squared(unit: MASO) -> Tensor:
    """radius² = 2B + ‖A‖² of each piece, plus what all of them are given: ``(R,)``."""
    squared: Tensor = (2 * unit.offsets + unit.slopes.square().sum(-1))[0].detach() + COMMON
    return squared


def tints(unit: MASO) -> list[Trace]:
    """The cells of a unit as maps in the colours of its pieces; from the fifth on a colour has several cells."""
    count = min(unit.num_pieces, len(COLOURS))
    colour = unit.selection(PLANE.points)[:, 0] % len(COLOURS)
    return PLANE.tints(colour[:, None] == torch.arange(count), COLOURS[:count])


def cut(centroids: Tensor, places: Tensor) -> Tensor:
    """Points of the straight line through the first two centroids, so far from the first one: ``(N, 2)``."""
    way = centroids[1] - centroids[0]
    return centroids[0] + places[:, None] * way / way.square().sum().sqrt()


def marks(centroids: Tensor) -> list[Trace]:
    """The centroids, each with a colour, shape and size of its own."""
    return [
        dots(name, x, y, COLOURS[r % 4], symbol=SYMBOLS[r % 2], size=14 - 3 * (r // 2), label=NAMES[r])
        for r, (x, y, name) in enumerate(zip(*centroids.T.unsqueeze(-1), CENTROID_NAMES, strict=False))
    ]


def cells_frame(centroids: Tensor, extra: float) -> Frame:
    """The cells of a quantizer whose first offset is moved by ``extra``, and a cut through the first two centroids."""
    unit = nearest_centroid_unit(centroids, extra)
    radii = radii_squared(unit)
    home, borders = (edges(one, PLANE.x, PLANE.y) for one in (nearest_centroid_unit(centroids), unit))
    ends = torch.tensor([-REACH, REACH], dtype=torch.float64)
    ties = REACH * (2 * crossings(unit, cut(centroids, ends)) - 1)
    met = cut(centroids, ties)
    words = _words(unit, centroids, borders)
    sharing = borders[:, 0, 0].isfinite().sum()
    plane = Panel(
        title="The plane, and the cell of each centroid",
        xlabel="inputs x₁ (across) and x₂ (up)",
        alt=f"{sharing:d} of the {len(borders)} pairs of cells share an edge in the picture. {words}",
        traces=[
            *tints(unit),
            path("edges at −½‖A‖²", home.reshape(-1, 2), palette.GREY, dash="dot", label="at −½‖A‖²"),
            path("the cut", cut(centroids, ends), palette.GREY, dash="dash", width=1.5, label="the cut"),
            *_circles(centroids, radii),
            path("edges", borders.reshape(-1, 2), palette.INK, width=3, label=""),
            *marks(centroids),
            dots("edge on the cut", met[:, 0], met[:, 1], palette.INK, symbol="square", size=8, label=""),
        ],
        layout=PLANE.layout((-2, -1, 0, 1, 2), (-1, 0, 1)),
        aspect=PLANE.aspect,
    )
    numbers = f"B₁ = −½‖A₁‖² {summand(extra)}, radius² of centroid 1: {number(radii[0])}."
    return Frame([plane, _powers_panel(unit, centroids, ties)], f"{numbers} {words}")


def _powers_panel(unit: MASO, centroids: Tensor, ties: Tensor) -> Panel:
    """Squared distance less radius² to each centroid on the cut; the smallest is the code's."""
    places = torch.linspace(-REACH, REACH, CUT_POINTS, dtype=torch.float64)
    across = (-REACH, 2 * REACH / (CUT_POINTS - 1))
    powers = _powers(unit, cut(centroids, places))
    second = (centroids[1] - centroids[0]).square().sum().sqrt()
    return Panel(
        title="On the cut: squared distance − radius²",
        xlabel="way along the cut, from centroid 1",
        alt="One parabola for each centroid, all of the same shape. The lowest one says which cell it is, and where "
        "the two lowest cross lies an edge.",
        traces=[
            line(
                "the smallest: the selected one",
                across,
                powers.amin(1),
                palette.GREY,
                width=8,
                label=label("the smallest", at=0.5),
            ),
            *(
                line(f"parabola {r + 1}", across, powers[:, r], COLOURS[r % 4], dash=DASHES[r % 4], label=NAMES[r])
                for r in range(len(centroids))
            ),
            *(
                dots(CENTROID_NAMES[r], at, [LOWEST + 0.4], COLOURS[r], symbol=SYMBOLS[r], size=14, label="")
                for r, at in enumerate(([0.0], second.reshape(1)))
            ),
            dots(
                "edge on the cut",
                ties,
                _powers(unit, cut(centroids, ties)).amin(1),
                palette.INK,
                symbol="square",
                size=8,
                label="edge",
            ),
        ],
        layout=layout(axis(-REACH, REACH, (-3, -2, -1, 0, 1, 2, 3)), axis(LOWEST, 5.0, (-2, 0, 2, 4))),
    )


def _powers(unit: MASO, points: Tensor) -> Tensor:
    return points.square().sum(1, keepdim=True) - 2 * unit.scores(points)[:, 0].detach() - COMMON


def _circles(centroids: Tensor, radii: Tensor) -> list[Trace]:
    radius = radii.where(radii > 0, nan).sqrt()
    return [
        path(
            f"circle {r + 1}",
            centroids[r] + radius[r] * CIRCLE,
            COLOURS[r % 4],
            dash=DASHES[r % 4],
            width=1.8,
            label="",
        )
        for r in range(len(centroids))
    ]


def _words(unit: MASO, centroids: Tensor, borders: Tensor) -> str:
    """Which centroids have lost their cell, or left it."""
    count = len(centroids)
    # A cell that is seen has an edge in the box, or fills it.
    meets = torch.from_numpy((pairs(count)[None] == np.arange(count)[:, None, None]).any(-1))
    fills = unit.selection(torch.zeros(2, dtype=torch.float64)) == torch.arange(count)
    seen = (meets & borders[:, 0, 0].isfinite()).any(1) | fills
    owners = unit.selection(centroids)[:, 0]
    strayed = ~(seen & (owners == torch.arange(count)))
    gone = strayed[1:].sum()
    if not strayed[0] and gone == 0:
        return "Every centroid lies in its own cell."
    found = [_stray(1, seen[0], owners[0])] if strayed[0] else []
    if gone == 1:
        one = strayed[1:].double()
        which, owner = (one * torch.arange(2, count + 1)).sum().long(), (one * owners[1:]).sum().long()
        found.append(_stray(which, (one * seen[1:]).sum() > 0, owner))
    elif gone > 1:
        found.append(f"{gone:d} of the others have left their cells.")
    return " ".join(found)


def _stray(which: Tensor | int, seen: Tensor, owner: Tensor) -> str:
    """Where a centroid is that does not lie in its own cell."""
    return f"Centroid {which:d} lies in cell {owner + 1:d}." if seen else f"Centroid {which:d} has no cell here."


def _say_extra(value: Value) -> str:
    return f"−½‖A₁‖² {summand(value)}"


def check_centroids(centroids: Sequence[Sequence[float]]) -> Tensor:
    """The centroids as a tensor ``(R, 2)``.

    Raises:
        ValueError: not two to six different pairs of numbers in the box of the figure.
    """
    found = torch.as_tensor(centroids, dtype=torch.float64)
    if found.ndim != 2 or found.shape[1] != 2 or not 2 <= len(found) <= MOST_CENTROIDS:
        raise ValueError(f"centroids must be 2 to {MOST_CENTROIDS} pairs of numbers, got shape {tuple(found.shape)}")
    reach = torch.tensor([PLANE.x[1], PLANE.y[1]], dtype=torch.float64)
    if not (found.abs() < reach).all():
        raise ValueError(f"centroids must lie inside ±{PLANE.x[1]:g} and ±{PLANE.y[1]:g}, got {centroids}")
    if len({*map(tuple, found.tolist())}) < len(found):
        raise ValueError(f"centroids must differ from each other, got {centroids}")
    return found


def cells_figure() -> InteractiveFigure:
    """Four centroids, and a slider for the offset of one of them."""
    named: dict[Value, str] = {-0.9: "cell gone", 0.0: "nearest", 0.8: "grown"}
    caption = (
        "Start at “nearest”, where every offset is −½‖A‖²: the cells are those of the nearest centroid. Move "
        "the offset of centroid 1 up. Its edges move outwards, parallel to where they were (dotted); its circle "
        "grows, and its parabola sinks. Where the circles of two centroids cross, the line of their edge passes "
        "through both crossings. Now move it down: centroid 1 first falls out of its own cell, then the cell is gone. "
        "Last, drag centroid 1 by its ring: now its edges turn. "
        f"(To every radius² the figure adds {COMMON:g}, which moves no edge, so that you can see the circles.)"
    )
    return _figure("power-cells", CENTROIDS, named, caption)


def your_cells_figure(centroids: Sequence[Sequence[float]] = CENTROIDS) -> InteractiveFigure:
    """The same for centroids that a reader writes down, two to six pairs of numbers.

    Raises:
        ValueError: as :func:`check_centroids`, at once: a reader's mistake should show in the reader's own cell.
    """
    caption = "Move the offset of the first centroid, and its edges do not turn; drag it by its ring, and they do."
    return _figure("your-centroids", centroids, {0.0: "nearest"}, caption)


def _figure(
    name: str, centroids: Sequence[Sequence[float]], named: dict[Value, str], caption: str
) -> InteractiveFigure:
    places = check_centroids(centroids)
    offset = sliding("extra", "Offset B₁", -1, 1, 0.025, start=0.0, named=named, say=_say_extra)
    x, y = places[0].tolist()
    first = point("first", "Centroid 1", 0, PLANE.x, PLANE.y, start=(x, y))

    def frame(first: Tensor, extra: float) -> Frame:
        return cells_frame(torch.cat([first[None], places[1:]]), extra)

    return InteractiveFigure(name, frame, [offset, first], caption=caption, traced=True)
