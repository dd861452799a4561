"""A unit as a quantizer of the plane: the cells of its centroids, and how they move when one offset does."""

from __future__ import annotations

from collections.abc import Sequence

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
from ...interactive.frames import Array, Frame, Panel, Trace, array, axis, dots, layout, line, path
from ...interactive.names import label
from ...interactive.numbers import number, summand

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
CIRCLE = np.stack([trig(np.linspace(0, 2 * np.pi, 73)) for trig in (np.cos, np.sin)])
LOWEST = -3.4


def nearest_centroid_unit(centroids: Tensor, extra: float = 0.0) -> MASO:
    """The unit whose slopes are the centroids ``(R, D)``, with offsets −½‖A‖², the first one plus ``extra``."""
    offsets = -0.5 * centroids.square().sum(-1)
    offsets[0] += extra
    return MASO(centroids[None], offsets[None])


def radii_squared(unit: MASO) -> Array:
    """radius² = 2B + ‖A‖² of each piece, plus what all of them are given: ``(R,)``."""
    squared: Array = array(2 * unit.offsets + unit.slopes.square().sum(-1))[0] + COMMON
    return squared


def tints(unit: MASO) -> list[Trace]:
    """The cells of a unit as maps in the colours of its pieces; from the fifth on a colour has several cells."""
    count = min(unit.num_pieces, len(COLOURS))
    colour = unit.selection(PLANE.points)[:, 0] % len(COLOURS)
    return PLANE.tints(colour[:, None] == torch.arange(count), COLOURS[:count])


def cut(first: Array, second: Array) -> Array:
    """Where the straight line through two points enters the plane's box, and where it leaves it: ``(2, 2)``."""
    way = second - first
    with np.errstate(divide="ignore"):
        sides = (np.array([PLANE.x, PLANE.y]).T - first) / way  # low and high sides of the box; ±∞ along the way
    ends: Array = first + np.array([[sides.min(0).max()], [sides.max(0).min()]]) * way
    return ends


def marks(centroids: Array) -> list[Trace]:
    """The centroids, each with a colour, shape and size of its own."""
    return [
        dots(name, [x], [y], COLOURS[r % 4], symbol=SYMBOLS[r % 2], size=14 - 3 * (r // 2), label=NAMES[r])
        for r, (x, y, name) in enumerate(zip(*centroids.T, CENTROID_NAMES, strict=False))
    ]


def cells_frame(centroids: Tensor, extra: float) -> Frame:
    """The cells of a quantizer whose first offset is moved by ``extra``, and a cut through the first two centroids."""
    unit, places = nearest_centroid_unit(centroids, extra), array(centroids)
    radii = radii_squared(unit)
    home, borders = (array(edges(one, PLANE.x, PLANE.y)) for one in (nearest_centroid_unit(centroids), unit))
    ends = cut(places[0], places[1])
    ties = crossings(unit, ends)
    met = ends[0] + ties[:, None] * (ends[1] - ends[0])
    words = _words(unit, centroids, borders)
    sharing = int(np.isfinite(borders[:, 0, 0]).sum())
    plane = Panel(
        title="The plane, and the cell of each centroid",
        xlabel="inputs x₁ (across) and x₂ (up)",
        alt=f"{sharing} of the {len(borders)} pairs of cells share an edge in the picture. {words}",
        traces=[
            *tints(unit),
            line(
                "edges at −½‖A‖²",
                home[:, :, 0].ravel(),
                home[:, :, 1].ravel(),
                palette.GREY,
                dash="dot",
                label="at −½‖A‖²",
            ),
            path("the cut", ends, palette.GREY, dash="dash", width=1.5, label="the cut"),
            *_circles(places, radii),
            line("edges", borders[:, :, 0].ravel(), borders[:, :, 1].ravel(), palette.INK, width=3, label=""),
            *marks(places),
            dots("edge on the cut", met[:, 0], met[:, 1], palette.INK, symbol="square", size=8, label=""),
        ],
        layout=PLANE.layout((-2, -1, 0, 1, 2), (-1, 0, 1)),
        aspect=PLANE.aspect,
    )
    numbers = f"B₁ = −½‖A₁‖² {summand(extra)}, radius² of centroid 1: {number(radii[0])}."
    return Frame([plane, _powers_panel(unit, places, ends, ties)], f"{numbers} {words}")


def _powers_panel(unit: MASO, places: Array, ends: Array, ties: Array) -> Panel:
    """Squared distance less radius² to each centroid on the cut; the smallest is the code's."""
    shares = np.linspace(0, 1, CUT_POINTS)
    length = float(np.hypot(*(ends[1] - ends[0])))
    origin = float(np.hypot(*(places[0] - ends[0])))  # places on the cut are counted from the first centroid
    second = float(np.hypot(*(places[1] - places[0])))
    across = (-origin, length / (CUT_POINTS - 1))
    points = ends[0] + shares[:, None] * (ends[1] - ends[0])
    powers = _powers(unit, points)
    met = _powers(unit, ends[0] + np.nan_to_num(ties)[:, None] * (ends[1] - ends[0])).min(1)
    return Panel(
        title="On the cut: squared distance − radius²",
        xlabel="way along the cut, from centroid 1",
        alt="One parabola for each centroid, all of the same shape. The lowest one says which cell it is, and where "
        "the two lowest cross lies an edge.",
        traces=[
            line(
                "the smallest: the selected one",
                across,
                powers.min(1),
                palette.GREY,
                width=8,
                label=label("the smallest", at=0.5),
            ),
            *(
                line(f"parabola {r + 1}", across, powers[:, r], COLOURS[r % 4], dash=DASHES[r % 4], label=NAMES[r])
                for r in range(len(places))
            ),
            *(
                dots(CENTROID_NAMES[r], [at], [LOWEST + 0.4], COLOURS[r], symbol=SYMBOLS[r], size=14, label="")
                for r, at in enumerate((0.0, second))
            ),
            dots("edge on the cut", ties * length - origin, met, palette.INK, symbol="square", size=8, label="edge"),
        ],
        layout=layout(
            axis(-origin, length - origin, [tick for tick in range(-6, 7) if -origin <= tick <= length - origin]),
            axis(LOWEST, 5.0, (-2, 0, 2, 4)),
        ),
    )


def _powers(unit: MASO, points: Array) -> Array:
    scores = unit.scores(torch.from_numpy(points))[:, 0]
    return array(np.square(points).sum(1, keepdims=True) - 2 * array(scores) - COMMON)


def _circles(places: Array, radii: Array) -> list[Trace]:
    radius = np.sqrt(np.where(radii > 0, radii, np.nan))
    return [
        line(
            f"circle {r + 1}",
            place[0] + radius[r] * CIRCLE[0],
            place[1] + radius[r] * CIRCLE[1],
            COLOURS[r % 4],
            dash=DASHES[r % 4],
            width=1.8,
            label="",
        )
        for r, place in enumerate(places)
    ]


def _words(unit: MASO, centroids: Tensor, borders: Array) -> str:
    """Which centroids have lost their cell, or left it."""
    # A cell that is seen has an edge in the box, or fills it.
    seen = {
        *pairs(len(centroids))[np.isfinite(borders[:, 0, 0])].ravel().tolist(),
        int(unit.selection(centroids.new_zeros(2))),
    }
    owners = unit.selection(centroids)[:, 0].tolist()
    found = [
        f"Centroid {r + 1} has no cell here." if r not in seen else f"Centroid {r + 1} lies in cell {owner + 1}."
        for r, owner in enumerate(owners)
        if owner != r or r not in seen
    ]
    return " ".join(found) or "Every centroid lies in its own cell."


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
        f"(To every radius² the figure adds {COMMON:g}, which moves no edge, so that you can see the circles.)"
    )
    return _figure("power-cells", CENTROIDS, named, caption)


def your_cells_figure(centroids: Sequence[Sequence[float]] = CENTROIDS) -> InteractiveFigure:
    """The same for centroids that a reader writes down, two to six pairs of numbers.

    Raises:
        ValueError: as :func:`check_centroids`, at once: a reader's mistake should show in the reader's own cell.
    """
    caption = "Move the offset of the first centroid, and watch the edges move without turning."
    return _figure("your-centroids", centroids, {0.0: "nearest"}, caption)


def _figure(
    name: str, centroids: Sequence[Sequence[float]], named: dict[Value, str], caption: str
) -> InteractiveFigure:
    places = check_centroids(centroids)
    offset = sliding("extra", "Offset B₁", -1, 1, 0.025, start=0.0, named=named, say=_say_extra)
    return InteractiveFigure(name, lambda extra: cells_frame(places, extra), [offset], caption=caption)
