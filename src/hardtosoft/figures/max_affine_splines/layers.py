"""Layers as maxima of planes: the pieces of each, and the partition that the units of a layer make together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import nn

import betavq

from ...drawing.edges import edges
from ...drawing.strokes import filled
from ...interactive import palette
from ...interactive.axes import Value, check_option, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, array, axis, dots, heatmap, layout, line, path
from ...interactive.numbers import saying, short
from .planes import BOX, unit_panels

#: The layer's two units; the first one's offset is the reader's. Some layers use the first alone.
WEIGHTS = ((1.0, 0.5), (-0.5, 1.0))
SECOND_OFFSET = -0.5
MOST_PIECES = 3
LEAKY_SLOPE = 0.25
#: Filters and offsets of the layer of ReLUs, unit by unit: each two edges meet in the picture, no three in a point.
FILTERS = ((0.9, 0.43), (-0.52, 0.86), (0.2, -0.98), (0.52, 0.85), (-0.99, 0.12), (0.77, -0.64))
FILTER_OFFSETS = (0.25, 0.96, -1.44, -0.43, 0.95, -0.11)
HEIGHTS = (-3.2, 6.2)
LEVELS = (-2.0, -1.0, 1.0, 2.0, 3.0, 4.0, 5.0)
NAMED_OFFSETS: dict[Value, str] = {-1.0: "right", 0.5: "left"}
KINDS = ("ReLU", "leaky ReLU", "absolute value", "maxout", "max-pool", "ReLU, max-pool", "BatchNorm, ReLU", "x + ReLU")


def layer_maso(kind: str, offset: float) -> betavq.MASO:
    """One of the figure's layers of two inputs as a MASO; its first unit is what the figure shows.

    Raises:
        ValueError: a layer that is not one of those the figure offers.
    """
    check_option("kind", kind, KINDS)
    affine = _linear(WEIGHTS, (offset, SECOND_OFFSET))
    identity = _linear(((1.0, 0.0), (0.0, 1.0)), (0.0, 0.0))
    pairs = nn.MaxPool1d(2)
    match kind:
        case "ReLU":
            return betavq.MASO.from_layers(affine, activation=nn.ReLU())
        case "leaky ReLU":
            return betavq.MASO.from_layers(affine, activation=nn.LeakyReLU(LEAKY_SLOPE))
        case "absolute value":
            return betavq.MASO.from_layers(affine, activation=torch.abs)
        case "maxout":
            return betavq.MASO.from_layers(affine, maxout=2)
        case "max-pool":
            return betavq.MASO.from_layers(identity, pool=pairs)
        case "ReLU, max-pool":
            return betavq.MASO.from_layers(affine, activation=nn.ReLU(), pool=pairs)
        case "BatchNorm, ReLU":
            return betavq.MASO.from_layers(affine, batchnorm=_batchnorm(), activation=nn.ReLU())
        case _:  # x + ReLU
            return betavq.MASO.from_layers(affine, activation=nn.ReLU(), skip=True)


def _linear(rows: Sequence[Sequence[float]], offsets: Sequence[float]) -> nn.Linear:
    weight, bias = torch.tensor(rows, dtype=torch.float64), torch.tensor(offsets, dtype=torch.float64)
    layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def _batchnorm() -> nn.BatchNorm1d:
    """BatchNorm that adds 1 to each unit and halves it."""
    norm = nn.BatchNorm1d(2, eps=0.0).double().eval()
    norm.load_state_dict(
        {"running_mean": torch.tensor([-1.0, -1.0]), "weight": torch.tensor([0.5, 0.5])}, strict=False
    )
    return norm


def kinds_frame(kind: str, offset: float) -> Frame:
    """The pieces of one unit of a layer, from above and along a cut."""
    maso = layer_maso(kind, offset)
    panels = unit_panels(maso, 0.0, pieces=MOST_PIECES, piece="piece", heights=HEIGHTS, levels=LEVELS)
    rows = torch.cat([maso.slopes[0], maso.offsets[0, :, None]], dim=1)
    pieces = [
        "A{0} = ({1}, {2}), B{0} = {3}".format("₁₂₃"[r], *(short(round(part, 2)) for part in row))
        for r, row in enumerate(rows.tolist())
    ]
    return Frame(panels, f"{'; '.join(pieces)}.")


def relu_layer(count: int) -> betavq.MASO:
    """The first ``count`` units of the layer of ReLUs."""
    affine = _linear(FILTERS[:count], FILTER_OFFSETS[:count])
    return betavq.MASO.from_layers(affine, activation=nn.ReLU())


def regions(count: int) -> int:
    """Into how many pieces the edges of the first ``count`` units cut the plane.

    A straight line adds one region, and one more at each line that it crosses, if no three meet in a point.
    """
    return 1 + count + sum(not np.isnan(crossing).any() for crossing in _crossings(count))


def _crossings(count: int) -> list[np.ndarray[Any, Any]]:
    """Where the edges of each two units meet, NaN for parallel ones."""
    normals, levels = array(FILTERS), -array(FILTER_OFFSETS)
    pairs = [list(pair) for pair in combinations(range(count), 2)]
    return [
        np.linalg.solve(normals[pair], levels[pair])
        if abs(np.linalg.det(normals[pair])) > 1e-9
        else np.full(2, np.nan)
        for pair in pairs
    ]


def overlay_frame(units: float) -> Frame:
    """The partition of a layer of ReLUs: the overlay of its units' edges, and how many regions they make."""
    count = min(max(round(units), 1), len(FILTERS))
    maso = relu_layer(count)
    on = BOX.means(maso.code(BOX.points)[:, :, 1].mean(1))
    units_alone = [betavq.MASO(maso.slopes[k : k + 1], maso.offsets[k : k + 1]) for k in range(count)]
    *before, newest = [edges(unit, BOX.x, BOX.y)[0] for unit in units_alone]
    older = filled(np.concatenate([np.empty((0, 2)), *before]), 3 * (len(FILTERS) - 1))
    above = Panel(
        title="From above: the edges of all units",
        xlabel="input x₁ across, x₂ up",
        alt=f"The edges of {count} ReLU {'unit' if count == 1 else 'units'} cut the plane into {regions(count)} "
        "regions.",
        traces=[
            heatmap("share of units that are on", on, BOX.x, BOX.y),
            path("edges of the units before", older, palette.INK, width=2, label=""),
            path("edge of the last unit", newest, palette.ORANGE, width=3.5, label="last unit"),
        ],
        layout=BOX.layout((-2, 0, 2), (-2, 0, 2)),
        aspect=BOX.aspect,
    )
    counts = list(range(1, len(FILTERS) + 1))
    codes = [2**k for k in counts]
    found = [regions(k) if k <= count else np.nan for k in counts]
    grown = Panel(
        title="Regions against codes",
        xlabel="number of units K",
        alt=f"{count} {'unit has' if count == 1 else 'units have'} {2**count} codes, of which {regions(count)} occur.",
        traces=[
            line(
                "codes one could write down, 2 to the K", counts, codes, palette.GREY, dash="dash", label="codes, 2ᴷ"
            ),
            dots("regions, which are the codes that occur", counts, found, palette.ORANGE, size=11, label="regions"),
        ],
        layout=layout(axis(0.5, len(FILTERS) + 0.5, counts), axis(-3, 68, (0, 16, 32, 48, 64))),
        aspect=BOX.aspect,
    )
    return Frame([above, grown], f"{count} × 2 pieces; {2**count} codes to write down, {regions(count)} regions.")


def kinds_figure() -> InteractiveFigure:
    """Layer by layer, which pieces it is the maximum of."""
    kinds = choice("kind", "Layer", KINDS, start="ReLU")
    offset = sliding(
        "offset",
        "b, offset of the layer’s first unit",
        -1.5,
        1.5,
        0.25,
        start=0.5,
        named=NAMED_OFFSETS,
        say=saying("b"),
    )
    caption = (
        "Go through the layers and read their pieces in the line of numbers. ReLU has a flat piece; the leaky ReLU "
        "tilts it, the absolute value mirrors it; maxout takes any two. Max-pooling after ReLU has three: the flat "
        "piece serves both units. Adding x₁ tilts all pieces alike, so the edge stays where ReLU had it. Then move b: "
        "edges move and never turn. Max-pooling of the inputs alone has no offset to move."
    )
    return InteractiveFigure("layer-pieces", kinds_frame, [kinds, offset], caption=caption)


def overlay_figure() -> InteractiveFigure:
    """A layer of up to six ReLU units and the partition that they make together."""
    units = sliding("units", "K, the number of units", 1, len(FILTERS), 1, start=5, say=lambda value: f"K = {value:g}")
    caption = (
        "Go to K = 1 and add units one by one. Each adds one straight edge, and each region that the edge runs "
        "through is cut in two. A region is the set of inputs with one code; the darker, the more of its units are "
        "on. Codes double with every unit, regions do not."
    )
    return InteractiveFigure("layer-partition", overlay_frame, [units], caption=caption)
