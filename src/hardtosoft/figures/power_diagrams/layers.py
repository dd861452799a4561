"""A layer of three ReLU units: the cells of its codes, and the centroids and circles that make them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, product

import torch
from torch import Tensor

from betavq import MASO
from betavq.geometry import PowerDiagram, power_diagram

from ...drawing.edges import edges
from ...drawing.raster import Plane
from ...drawing.strokes import parted
from ...interactive import palette
from ...interactive.axes import Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, dots, heatmap, path
from ...interactive.names import label
from ...interactive.numbers import number, saying
from ...interactive.overlays import texts

PLANE = Plane((-2.4, 2.4), (-2.1, 2.1), 64, 56)
COMMON = 0.3  # added to every radius², which moves no cell and gives the code 000 a circle
LENGTH = 0.8
SECOND, THIRD = (-0.6, 0.5), (-0.1, -0.75)
BIASES = (0.35, 0.35)  # of the units that stand still
HEIGHT = 0.1  # x₂ of the marked input
CODES = torch.tensor(list(product((0, 1), repeat=3)))
#: How codes look, by the number of units that are on; neighbouring cells differ in it by one.
TINTS = (palette.GREEN, palette.ORANGE, palette.PURPLE)
CODE_NAMES = ["".join(map(str, code)) for code in CODES.tolist()]
UNITS = (
    ("unit 1", palette.INK, "solid", 3.0),
    ("unit 2", palette.INK, "dash", 2.0),
    ("unit 3", palette.INK, "dot", 2.5),
)
#: Pairs of codes that differ in one unit: the sides of a box.
SIDES = [pair for pair in combinations(range(8), 2) if int((CODES[pair[0]] != CODES[pair[1]]).sum()) == 1]
AROUND = torch.linspace(0, 2 * math.pi, 61, dtype=torch.float64)
CIRCLE = torch.stack([AROUND.cos(), AROUND.sin()], -1)


def relu_layer(filters: Tensor, biases: Tensor) -> MASO:
    """ReLU units, pieces 0 and ⟨w, x⟩ + b, of filters ``(K, 2)`` and biases ``(K,)``."""
    slopes = torch.stack([torch.zeros_like(filters), filters], 1)
    return MASO(slopes, torch.stack([torch.zeros_like(biases), biases], 1))


def moving_layer(offset: float, turn: float) -> MASO:
    """The layer of the figure: filter 1 points ``turn`` degrees up from the right and has the bias ``offset``."""
    angle = torch.as_tensor(turn, dtype=torch.float64) * (math.pi / 180)
    first = LENGTH * torch.stack([angle.cos(), angle.sin()])
    filters = torch.cat([first[None], torch.tensor([SECOND, THIRD], dtype=torch.float64)])
    return relu_layer(filters, torch.tensor([offset, *BIASES], dtype=torch.float64))


def cells(layer: MASO) -> Tensor:
    """Which of CODES every point of the picture has, ``(N,)``."""
    return layer.selection(PLANE.points) @ torch.tensor([4, 2, 1])


def layer_frame(layer: MASO, along: float) -> Frame:
    """The plane of inputs, cut by three lines, and the centroids and circles of the eight codes."""
    x = torch.tensor([along, HEIGHT], dtype=torch.float64)
    diagram, where = power_diagram(layer, codes=CODES), cells(layer)
    met = (where[:, None] == torch.arange(len(CODES))).any(0)
    chosen = diagram.cell(x[None])[0]
    code = "".join(f"{on}" for on in CODES[chosen])
    seen = met.sum()
    borders = [edges(MASO(layer.slopes[k : k + 1], layer.offsets[k : k + 1]), PLANE.x, PLANE.y)[0] for k in range(3)]
    radius = diagram.squared_radii[chosen]
    plane = Panel(
        title="Inputs: one line for each unit",
        xlabel="inputs x₁ (across) and x₂ (up)",
        alt=f"Three lines cut the plane into {seen} cells, one for each code that occurs.",
        traces=[
            *_tints(where),
            *_lines(borders),
            dots("input x", x[:1], x[1:], palette.INK, symbol="square", size=10, label="x"),
            _names(where),
        ],
        layout=PLANE.layout((-2, -1, 0, 1, 2), (-2, -1, 0, 1, 2)),
        aspect=PLANE.aspect,
    )
    centroids = Panel(
        title="The same plane: centroids, circles",
        xlabel="thick circle: that of the code of x",
        alt="The eight centroids, sums of filters, are the corners of a box seen from the side. "
        f"Each of the {seen} codes that occur has a circle, if its squared radius is positive.",
        traces=[
            *_tints(where, strength=0.2),
            *_circles(diagram, met, chosen),
            _box(diagram),
            *_centroids(diagram, met),
            dots("input x", x[:1], x[1:], palette.INK, symbol="square", size=10, label="x"),
        ],
        layout=PLANE.layout((-2, -1, 0, 1, 2), (-2, -1, 0, 1, 2)),
        aspect=PLANE.aspect,
    )
    mu = diagram.centroids[chosen]
    readout = (
        f"{seen} of 8 codes have a cell here. Code of x: {code}, centroid ({number(mu[0])}, {number(mu[1])}), "
        f"radius² {number(radius)}."
    )
    return Frame([plane, centroids], readout)


def _tints(where: Tensor, strength: float = 0.5) -> list[Trace]:
    """Each unit tints the half where it is on; the tints add up to a colour of its own for each code."""
    on = CODES[where].double()
    return [heatmap(UNITS[k][0], PLANE.means(strength * on[:, k]), PLANE.x, PLANE.y, TINTS[k]) for k in range(3)]


def _names(where: Tensor) -> Trace:
    """Each code in the middle of its cell; none where it has no cell."""
    own = (where == torch.arange(len(CODES))[:, None]).double()
    x, y = (own @ PLANE.points / own.sum(1, keepdim=True)).T
    return texts(CODE_NAMES, x, y)


def _lines(borders: Sequence[Tensor]) -> list[Trace]:
    return [
        path(name, border, colour, dash=dash, width=width, label=label(name, at=0.12))
        for border, (name, colour, dash, width) in zip(borders, UNITS, strict=True)
    ]


def _circles(diagram: PowerDiagram, met: Tensor, chosen: Tensor) -> list[Trace]:
    """The circle of the chosen code, thick, and those of codes that occur and differ from it in one unit."""
    near = (CODES[chosen] != CODES).sum(1) == 1
    squared = diagram.squared_radii + COMMON
    radius = squared.where(squared > 0, math.nan).sqrt()
    around = diagram.centroids[:, None] + radius[:, None, None] * CIRCLE
    neighbours = around.where((met & near)[:, None, None], math.nan)
    return [
        path("circles of codes", parted(neighbours), palette.GREY, width=1.5, label=""),
        path("circle of the code of x", around[chosen], palette.INK, width=4, label=""),
    ]


def _box(diagram: PowerDiagram) -> Trace:
    sides = diagram.centroids[torch.tensor(SIDES)]
    return path("they differ in one unit", parted(sides), palette.GREY, dash="dot", width=1.5, label="")


def _centroids(diagram: PowerDiagram, met: Tensor) -> list[Trace]:
    x, y = diagram.centroids.T.where(met, math.nan)
    without_x, without_y = diagram.centroids.T.where(~met, math.nan)
    named = label(CODE_NAMES)
    return [
        dots("centroid", x, y, palette.INK, size=9, label=named),
        dots("centroid without a cell", without_x, without_y, palette.GREY, symbol="square", size=8, label=named),
    ]


def _say_turn(value: Value) -> str:
    return f"{number(value, 0)}°"


ALONG = sliding("along", "x₁ of the input", -2.1, 2.1, 0.6, start=0.3, say=saying("x₁"))


def layer_figure() -> InteractiveFigure:
    """Sliders for the offset and the direction of one of three units, and for an input."""
    offsets: dict[Value, str] = {-0.8: "far right", 0.0: "through 0", 0.8: "far left"}
    turns: dict[Value, str] = {-60.0: "down", 0.0: "right", 60.0: "up"}
    offset = sliding("offset", "b₁, offset of unit 1", -1, 1, 0.1, start=0.0, named=offsets, say=saying("b₁"))
    turn = sliding("turn", "direction of filter 1", -90, 90, 15, start=0.0, named=turns, say=_say_turn)
    caption = (
        "Move the offset of unit 1: its line (blue) runs parallel to itself, no centroid moves, and four of the eight "
        "circles grow or shrink together. Turn its filter: the line turns, and four centroids move together, as one "
        "side of the box. Move x, and the thick circle jumps to the code of its cell. A large square marks a centroid "
        f"whose code has no cell in the picture. (To every radius² the figure adds {COMMON:g}, which moves no line; a "
        "circle whose radius² is then still negative is left out.)"
    )
    return InteractiveFigure(
        "layer-cells",
        lambda offset, turn, along: layer_frame(moving_layer(offset, turn), along),
        [offset, turn, ALONG],
        caption=caption,
        traced=True,
    )


def check_layer(filters: Sequence[Sequence[float]], biases: Sequence[float]) -> MASO:
    """Three units as a layer.

    Raises:
        ValueError: not three pairs of numbers and three biases, all finite; a filter that is 0; a sum of filters
            that lies outside the picture.
    """
    w, b = (torch.as_tensor(given, dtype=torch.float64) for given in (filters, biases))
    if w.shape != (3, 2) or b.shape != (3,) or not (w.isfinite().all() and b.isfinite().all()):
        raise ValueError(f"filters must be three pairs and biases three finite numbers, got {filters} and {biases}")
    if not w.any(-1).all():
        raise ValueError(f"filters must not be 0, got {filters}")
    reach = torch.tensor([PLANE.x[1], PLANE.y[1]], dtype=torch.float64)
    if not ((CODES.double() @ w).abs() < reach).all():
        raise ValueError(f"sums of filters must lie inside ±{PLANE.x[1]:g} and ±{PLANE.y[1]:g}, got {filters}")
    return relu_layer(w, b)


def your_layer_figure(filters: Sequence[Sequence[float]], biases: Sequence[float]) -> InteractiveFigure:
    """The same for a layer that a reader writes down.

    Raises:
        ValueError: as :func:`check_layer`, at once: a reader's mistake should show in the reader's own cell.
    """
    layer = check_layer(filters, biases)
    caption = "Move the input. The circle of its code is the thick one, in every cell."
    return InteractiveFigure("your-layer", lambda along: layer_frame(layer, along), [ALONG], caption=caption)
