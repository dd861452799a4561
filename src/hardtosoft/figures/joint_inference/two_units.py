"""Two units that see one input: the pieces that each picks, those that both should pick, and the term in between."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from betavq import mixture as mixtures

from ...drawing.edges import edges
from ...drawing.raster import Plane
from ...drawing.strokes import parted
from ...interactive import palette
from ...interactive.axes import Axis, Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, axis, dots, heatmap, layout, line, path
from ...interactive.names import label
from ...interactive.numbers import number, saying
from ...interactive.overlays import texts
from ..layers import layer, nearest, pair

PLANE = Plane((-1.2, 2.4), (-1.44, 1.44), 60, 48)
HEIGHT = 0.2  # x₂ of the marked input: off the middle between the two filters, so that no two codes tie
CODES = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]])
COLOURS = (palette.GREEN, palette.ORANGE, palette.PURPLE)  # of the codes with a unit on
TIE = 1e-9  # of log P
CELLS = ("neither on", "only 1 on", "only 2 on", "both on")
HATCHES, STROKE = 26, 120  # strokes, and points of each


def sums(filters: Tensor) -> Tensor:
    """What each of CODES says that x is, without the noise: ``(4, 2)``."""
    return CODES.to(filters.dtype) @ filters


def codes_at(filters: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """The unit-wise code and the best joint one, ``(..., 2)`` each; the same where they tie but for rounding."""
    pieces = layer(filters).to_mixture()
    alone, joint = mixtures.unitwise_map(pieces, x), mixtures.joint_map(pieces, x)
    lost = mixtures.joint_log_prob(pieces, x, joint) - mixtures.joint_log_prob(pieces, x, alone)
    return alone, torch.where(lost[..., None] > TIE, joint, alone)


def accounts(filters: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """What each of CODES is worth at x: to the units, each adding its own score, and jointly; ``(4,)`` twice.

    The second is log P(x, t) at σ² = 1, less that of the code (0, 0).
    """
    scores = layer(filters).scores(x).detach()
    own = scores[torch.arange(2), CODES].sum(-1)
    joint = mixtures.joint_log_prob(layer(filters).to_mixture(), x, CODES)
    return own, joint - joint[0]


def units_frame(filters: Tensor, along: float) -> Frame:
    """The plane of inputs with the codes of two units, and the four codes' worth at the marked input."""
    x = torch.tensor([along, HEIGHT], dtype=torch.float64)
    alone, joint = codes_at(filters, PLANE.points)
    differs = (alone != joint).any(-1)
    codes = sums(filters)
    ties = [edges(layer(filters[k : k + 1]), PLANE.x, PLANE.y).reshape(-1, 2) for k in range(2)]
    borders = edges(nearest(codes[None]), PLANE.x, PLANE.y).reshape(-1, 2)
    outline = codes[[0, 1, 3, 2, 0]]
    picked, best = (_index(code) for code in codes_at(filters, x))
    area = 100 * differs.double().mean().item()
    product = filters[0].dot(filters[1]).item()
    plane = Panel(
        title="Best codes; hatched: units err",
        xlabel="inputs x₁ (across) and x₂ (up)",
        alt="Each unit alone finds the best joint code everywhere: nothing is hatched."
        if area == 0
        else f"{area:.0f} % of the drawn plane is hatched: there the unit-wise code is not the best.",
        traces=[
            *(
                heatmap(f"best: {name}", PLANE.means((joint == code).all(-1)), PLANE.x, PLANE.y, colour)
                for name, code, colour in zip(("only 1 on", "only 2 on", "both on"), CODES[1:], COLOURS, strict=True)
            ),
            path("the units’ own code is not the best", hatching(filters), palette.GREY, width=1, label=""),
            path("edges of the best joint codes", borders, palette.INK, width=3.5, label=""),
            path("edge of unit 1 alone", ties[0], palette.GREEN, dash="dash", label=label("unit 1 alone", at=0.15)),
            path(
                "edge of unit 2 alone",
                ties[1],
                palette.ORANGE,
                dash="dot",
                width=4,
                label=label("unit 2 alone", at=0.15),
            ),
            path("parallelogram of the sums", outline, palette.GREY, width=1.5, label=""),
            dots(
                "sums 0, w₁, w₂, w₁ + w₂",
                codes[:, 0],
                codes[:, 1],
                palette.GREY,
                size=9,
                label=label(("0", "w₁", "w₂", "w₁ + w₂")),
            ),
            _way("from x to the picked sum", x, codes[picked], palette.BLUE, "dashdot", 3),
            _way("from x to the best sum", x, codes[best], palette.INK, "solid", 2),
            dots("x", x[:1], x[1:], palette.INK, symbol="square", size=9, label=True),
            *cell_names(joint, differs),
        ],
        layout=PLANE.layout((-1, 0, 1, 2), (-1, 0, 1)),
        aspect=PLANE.aspect,
    )
    own, together = accounts(filters, x)
    places = torch.arange(4, dtype=torch.float64)
    left, right = places - 0.13, places + 0.13
    ledger = Panel(
        title="What each code is worth at x",
        xlabel="units that are on",
        alt=f"Largest sum of scores: {_name(picked)}. Largest after the coupling is taken off: {_name(best)}.",
        traces=[
            line("coupling", [left[3], right[3]], [own[3], together[3]], palette.PURPLE, width=3, label=True),
            dots(
                "sum of own scores",
                left,
                own,
                palette.BLUE,
                symbol="square",
                size=8,
                label=label("own scores", at=0.34),
            ),
            dots(
                "the same less the coupling",
                right,
                together,
                palette.INK,
                size=8,
                label=label("less the coupling", at=1),
            ),
            dots(
                "what the units pick", left[[picked]], own[[picked]], palette.BLUE, symbol="square", size=15, label=""
            ),
            dots("best together", right[[best]], together[[best]], palette.INK, size=15, label=""),
        ],
        layout=layout(axis(-0.6, 4.3, (0, 1, 2, 3), ("none", "1", "2", "both")), axis(-1.8, 2.7, (-1, 0, 1, 2))),
    )
    rest = (x - codes).square().sum(-1)
    readout = (
        f"⟨w₁, w₂⟩ = {number(product)}. Each alone: {_name(picked)}, ‖x − sum‖² = {rest[picked]:.2f}. Together: "
        f"{_name(best)}, {rest[best]:.2f}. They differ in {area:.1f}\u00a0% of the plane."
    )
    return Frame([plane, ledger], readout)


def hatching(filters: Tensor) -> Tensor:
    """Slanting strokes where the unit-wise code is not the best joint one; NaN between and elsewhere."""
    rises = torch.linspace(PLANE.y[0] - PLANE.x[1], PLANE.y[1] - PLANE.x[0], HATCHES + 2, dtype=torch.float64)
    x = torch.linspace(*PLANE.x, STROKE, dtype=torch.float64).expand(HATCHES, -1)
    points = torch.stack([x, x + rises[1:-1, None]], -1)
    alone, joint = codes_at(filters, points.flatten(0, 1))
    crossed = (alone != joint).any(-1).view(HATCHES, STROKE) & (points[..., 1].abs() < PLANE.y[1])
    return parted(points.where(crossed[..., None], torch.nan))


def cell_names(joint: Tensor, differs: Tensor) -> list[Trace]:
    """What the best joint code says in each cell, where the units alone say so too."""
    found = []
    for name, colour, code in zip(CELLS, (palette.INK, *COLOURS), CODES, strict=True):
        own = ((joint == code).all(-1) & ~differs).double()
        x, y = own @ PLANE.points / own.sum()
        found.append(texts([name], x[None], y[None], colour))
    return found


def _way(name: str, x: Tensor, target: Tensor, colour: str, dash: str, width: float) -> Trace:
    return line(name, [x[0], target[0]], [x[1], target[1]], colour, dash=dash, width=width, label="")


def _index(code: Tensor) -> int:
    return int(code[0] + 2 * code[1])


def _name(code: int) -> str:
    return CELLS[code]


#: Where the units, each alone, pick nothing, one of them, both.
STOPS: dict[Value, str] = {0.4: "near 0", 0.8: "half way", 1.6: "far"}
ALONG = sliding("along", "x₁ of the marked input", 0.2, 1.6, 0.05, start=1.0, named=STOPS, say=saying("x₁"))


def two_units_figure() -> InteractiveFigure:
    """Sliders for the cosine of two filters of length 1, and for an input."""
    named: dict[Value, str] = {-0.9: "nearly opposite", 0.0: "orthogonal", 0.5: "60° apart", 0.9: "nearly alike"}
    values = tuple(step / 10 for step in range(-9, 10))
    coherence = Axis("coherence", "ρ, cosine of the filters", values, 0.5, named, say=saying("ρ"))
    caption = (
        "Colours: the best joint code; hatched where the units, each alone, pick another one. Grey: the four sums "
        "that the codes stand for. Two ways lead from the "
        "input x (square): a broken one to the sum that the units pick, a thin one to the best sum. Move x₁, and see "
        "where they part. Then set ρ to 0: the parallelogram becomes a rectangle, and the hatching vanishes. At "
        "negative ρ it is back, and in it both units should be on."
    )
    return InteractiveFigure(
        "two-units",
        lambda coherence, along: units_frame(pair(coherence), along),
        [coherence, ALONG],
        caption=caption,
        traced=True,
    )


def check_filters(filters: Sequence[Sequence[float]]) -> Tensor:
    """Two filters as a tensor ``(2, 2)``.

    Raises:
        ValueError: not two pairs of finite numbers; a filter that is 0; a sum that lies outside the drawn plane.
    """
    found = torch.as_tensor(filters, dtype=torch.float64)
    if found.shape != (2, 2) or not found.isfinite().all():
        raise ValueError(f"filters must be two pairs of finite numbers, got {filters}")
    if not found.any(-1).all():
        raise ValueError(f"filters must not be 0, got {filters}")
    low, high = torch.tensor([PLANE.x, PLANE.y], dtype=torch.float64).T
    ends = sums(found)
    if not ((ends > low) & (ends < high)).all():
        box = f"{PLANE.x[0]:g} to {PLANE.x[1]:g} across and ±{PLANE.y[1]:g} up"
        raise ValueError(f"filters and their sum must lie inside the plane, {box}, got {filters}")
    return found


def your_filters_figure(filters: Sequence[Sequence[float]]) -> InteractiveFigure:
    """The same for filters that a reader writes down, of any lengths.

    Raises:
        ValueError: as :func:`check_filters`, at once: a reader's mistake should show in the reader's own cell.
    """
    given = check_filters(filters)
    caption = "Move the input, and compare the two ways. A corner of the parallelogram that is right makes them one."
    return InteractiveFigure("your-filters", lambda along: units_frame(given, along), [ALONG], caption=caption)
