"""The regions of the two-moons network as its units soften: how undecided each layer is, over the plane."""

from __future__ import annotations

import torch

from betavq.geometry import soft_partition

from ...drawing.moons import BOX, LAYOUT, moons_partition
from ...drawing.raster import FINER
from ...drawing.regions import rectangle, regions
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, heatmap
from ...results.networks import load_two_moons, module_of

#: Darker faster at its start, because a band in which one unit of six is undecided is at most ⅙.
SCALE = [[0.0, "var(--hts-map-low)"], [0.3, palette.TINTS[palette.PURPLE]], [1.0, palette.PURPLE]]
FAINT = 0.35


def undecided(beta: float) -> list[Array]:
    """How undecided each layer is in the cells of the map, from 0 to 1, ``(rows, columns)`` each."""
    finer = (FINER * BOX.columns, FINER * BOX.rows)
    soft = soft_partition(module_of(load_two_moons()), rectangle(BOX.x, BOX.y), beta, resolution=finer)
    return [BOX.means(torch.from_numpy(entropy).reshape(-1)).numpy() for entropy in soft.entropy]


def melting_frame(beta: float) -> Frame:
    """How undecided each layer is at β, and the exact edges of the hard network."""
    found = moons_partition()
    maps = undecided(beta)
    panels = []
    for layer, shade in enumerate(maps):
        edges = regions(found, layer + 1, None, opacity=1.0 if beta == 1 else FAINT)
        edges["strokes"][1 - layer]["opacity"] = 0.0
        panels.append(
            Panel(
                title=f"Layer {layer + 1}: where it is undecided",
                xlabel="input x₁ across, x₂ up",
                alt=f"Layer {layer + 1} at β = {beta:.3g}: {_words(beta)}.",
                traces=[heatmap("undecided", shade, BOX.x, BOX.y) | {"colorscale": SCALE}, edges],
                layout=LAYOUT,
                aspect=BOX.aspect,
            )
        )
    first, second = (100 * shade.mean() for shade in maps)
    words = f"Undecided on average over the box: layer 1 {first:.1f} %, layer 2 {second:.1f} %."
    return Frame(panels, words)


def _words(beta: float) -> str:
    if beta == 1:
        return "every unit is decided everywhere but on the edges"
    if beta == 0:
        return "every unit is undecided everywhere, and no edge is left"
    return "bands of indecision lie around the edges of the hard network, wider where a unit changes slowly"


def melting_figure() -> InteractiveFigure:
    """One slider for the β of all units."""
    caption = (
        "Set β to 1, then move it down. Each edge becomes a band in which its unit wavers. The bands grow until they "
        "meet, and at β = 0 all units are undecided everywhere. The faint lines stay where the hard network has its "
        "edges. Layer 2 has a shade all over at once: two of its six units are undecided everywhere."
    )
    return InteractiveFigure("melting", melting_frame, [beta_axis(0.025, start=0.95, plays=True)], caption=caption)
