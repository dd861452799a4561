"""A layer's units inferred one by one or all together: where, and how often, the two codes differ."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

import betavq
from betavq import mixture as mixtures

from ...drawing.edges import edges
from ...drawing.raster import Plane
from ...interactive import palette
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, heatmap, layout, line, path
from ..layers import COHERENCE_TICKS, COHERENCES, INPUTS, UNITS, coherence_axis, equicorrelated, inputs, layer, pair

PLANE = Plane((-1.5, 2.5), (-1.6, 1.6), 65, 52)


def together(filters: Tensor) -> betavq.MASO:
    """The four codes of two units as the pieces of one: what each code is worth to the joint inference.

    A code's slope is the sum of its pieces' slopes; from its offset the inner product of the two is taken away.
    """
    first, second = layer(filters).slopes
    first_offsets, second_offsets = layer(filters).offsets
    slopes = (first[:, None] + second).flatten(0, 1)
    offsets = (first_offsets[:, None] + second_offsets - first @ second.T).flatten()
    return betavq.MASO(slopes[None].detach(), offsets[None].detach())


def disagreement(coherence: float) -> float:
    """Share of the inputs whose best joint code is not the unit-wise code, in a layer of six units."""
    return mixtures.disagreement(layer(equicorrelated(UNITS, INPUTS, coherence)).to_mixture(), inputs())


@cache
def disagreements() -> Tensor:
    """:func:`disagreement` at all COHERENCES."""
    return torch.tensor([disagreement(coherence) for coherence in COHERENCES], dtype=torch.float64)


def together_frame(coherence: float) -> Frame:
    """Two units in the plane and where their codes are wrong together; and how often those of six units are."""
    filters = pair(coherence)
    pieces = layer(filters).to_mixture()
    alone, joint = mixtures.unitwise_map(pieces, PLANE.points), mixtures.joint_map(pieces, PLANE.points)
    differs = (alone != joint).any(-1)
    ties = [edges(layer(filters[k : k + 1]), PLANE.x, PLANE.y).reshape(-1, 2) for k in range(2)]
    borders = edges(together(filters), PLANE.x, PLANE.y).reshape(-1, 2)
    area = 100 * differs.double().mean().item()
    nothing = area == 0
    plane = Panel(
        title="Two units: shaded where they err",
        xlabel="inputs x₁ (across) and x₂ (up)",
        alt="The filters are orthogonal, and nothing is shaded: each unit for itself finds the best joint code."
        if nothing
        else f"Coherence {coherence:.2f}: in {area:.0f} % of the drawn plane the unit-wise code is not the best.",
        traces=[
            heatmap("unit-wise code is not the best", PLANE.means(differs), PLANE.x, PLANE.y),
            path("edges of the best joint codes", borders, palette.INK, width=5),
            path("edge of unit 1 alone", ties[0], palette.GREEN, dash="dash", width=2.5),
            path("edge of unit 2 alone", ties[1], palette.ORANGE, dash="dot", width=3),
            dots("filter w₁", filters[0, :1], filters[0, 1:], palette.GREEN, size=11),
            dots("filter w₂", filters[1, :1], filters[1, 1:], palette.ORANGE, symbol="square", size=10),
        ],
        layout=PLANE.layout((-1, 0, 1, 2), (-1, 0, 1)),
        aspect=PLANE.aspect,
    )
    share = 100 * disagreement(coherence)
    curve = Panel(
        title="Six units: wrong codes, %",
        xlabel="coherence ρ of the filters",
        alt="The share of wrong codes is 0 for orthogonal filters, rises above a half and falls a little at the end.",
        traces=[
            line("share of random inputs", (0.0, 0.05), 100 * disagreements(), palette.BLUE),
            dots("six units at this ρ", [coherence], [share], palette.BLUE, symbol="square", size=11),
        ],
        layout=layout(COHERENCE_TICKS, axis(-3, 63, (0, 20, 40, 60))),
    )
    readout = f"Unit-wise code not the best: two units, {area:.1f} % of the plane; six units, {share:.1f} % of inputs."
    return Frame([plane, curve], readout)


def together_figure() -> InteractiveFigure:
    """A slider for how alike the filters of a layer are."""
    coherence = coherence_axis("ρ, inner product of the filters", 0.5)
    caption = (
        "Move ρ to 0. The two broken edges then cross at a right angle, and the thick edges of the joint inference "
        "lie on them: nothing is shaded. Move on towards 0.95: units that are alike explain the same part of x twice. "
        "In <em>Six units</em>, look at the end of the curve: it does not rise all the way."
    )
    return InteractiveFigure("together", together_frame, [coherence], caption=caption)
