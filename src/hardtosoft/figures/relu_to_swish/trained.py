"""The landing page's figure: one unit, and the regions of a trained network of such units, at every β."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...drawing.moons import BOX, LAYOUT, moons
from ...drawing.raster import FINER, Plane
from ...hero import OpeningFigure
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.frames import Frame, Panel, heatmap, path
from ...results.networks import Network, load_two_moons, two_moons_test_set
from .units import RELU_NAMES, value_panel

MAP, GRID = (Plane(BOX.x, BOX.y, 100, 70, finer) for finer in (FINER, 1))
BLOCK = 4000  # points at once: what is computed of them then stays in the processor's cache, and memory small
BOUNDARY_POINTS = 120
FULL_TURN = 2 * np.pi


def code_shade(codes: tuple[Tensor, ...]) -> Tensor:
    """One shade in [0, 1] for the code of a whole network, ½ where every unit is undecided.

    Each unit moves the shade up or down by an amount of its own as it switches from one piece to the other, so
    that neighbouring regions differ. Codes are (N, K), one for each layer; the result is (N,).
    """
    stacked = torch.cat(codes, dim=-1)
    count = stacked.shape[-1]
    pull = torch.cos(torch.arange(count, dtype=stacked.dtype) * FULL_TURN * 0.381966)  # the golden angle
    shade = (stacked - 0.5) @ pull / pull.abs().sum() * 2
    return (0.5 + 0.9 * shade).clamp(0, 1)


def boundary(network: Network, beta: float) -> np.ndarray[Any, Any]:
    """The decision boundary in the box as (BOUNDARY_POINTS, 2) points, its pieces parted by NaN."""
    logits = network.logits(GRID.points, beta)
    return GRID.level_line(logits[:, 0], 0.0, BOUNDARY_POINTS)


def regions_panel(beta: float) -> Panel:
    """The regions of the two-moons network: the plane coloured by the network's code, and where it decides."""
    network = load_two_moons()
    shades = torch.cat([code_shade(network.codes(block, beta)) for block in torch.split(MAP.points, BLOCK)])
    edge = boundary(network, beta)
    return Panel(
        title="A network of them",
        xlabel="shade: the network’s code",
        alt=f"At β = {beta:.3g} {_regions(beta)}.",
        traces=[
            heatmap("code", MAP.means(shades), BOX.x, BOX.y),
            *moons(("training points, first moon", "second moon")),
            path("decision boundary", edge, palette.INK, width=3),
        ],
        layout=LAYOUT,
    )


def _regions(beta: float) -> str:
    if beta == 1:
        return "the plane falls into flat polygons, and the boundary between the moons is bent at their edges"
    if beta == 0:
        return "the plane has one colour, and the boundary is one straight line, which cannot part the moons"
    return "the polygons melt into each other, and the boundary between the moons is a smooth curve"


def opening_frame(beta: float) -> Frame:
    """The landing page's pair: one unit's curve, and the regions of a network of such units."""
    curve = value_panel(beta, title="One unit", names=RELU_NAMES)
    accuracy = load_two_moons().accuracy(*two_moons_test_set(), beta)
    readout = f"The same weights at every β; here they classify {100 * accuracy:.0f} % of new points correctly."
    return Frame([curve, regions_panel(beta)], readout)


def opening_figure() -> OpeningFigure:
    """The landing page's figure."""
    caption = (
        "Colour: which moon the network says. Facets: which pieces its units pick; in each the network is one affine "
        "function. The weights are the same at every β; only the units soften."
    )
    return OpeningFigure(
        "opening", opening_frame, [beta_axis(0.025, start=1.0, plays=True)], caption=caption, hero=True
    )
