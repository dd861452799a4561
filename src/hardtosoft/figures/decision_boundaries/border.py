"""Two distances at points of two moons: to the border of their region, and one linear step to the other class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from torch import Tensor

from betavq.geometry import decision_boundary

from ...drawing.linearised import Linearised, linearised
from ...drawing.moons import BOX, LAYOUT, moons_boundary, moons_partition
from ...drawing.regions import joined, rectangle, regions
from ...interactive import palette
from ...interactive.axes import Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, axis, dots, layout, line, path
from ...results.networks import load_two_moons, module_of, two_moons_test_set

POINTS = 60
FAR = 12.0  # of a box around the moons in which every point's nearest boundary lies
RATIOS = (-2.2, 4.0)  # powers of ten
HEIGHTS = tuple(np.log10((1, 2, 4)).tolist())
CIRCLE = np.linspace(0, 2 * np.pi, 73)


@dataclass(frozen=True)
class Distances:
    """Test points, sorted from those whose step stays within their region to those whose step leaves it far behind."""

    points: Tensor
    linear: Linearised
    nearest: Array
    """The nearest place on the boundary, ``(N, 2)``."""

    @property
    def true(self) -> Array:
        """The distance to it, ``(N,)``."""
        found: Array = np.hypot(*(self.nearest - self.points.numpy()).T)
        return found

    @property
    def ratio(self) -> Array:
        """Length of the step over the distance to the border of the region."""
        found: Array = (self.linear.distance / self.linear.border).numpy()
        return found


def nearest_on(lines: Array, points: Array) -> Array:
    """The nearest place on polylines, ``(M, 2)`` with gaps, to each of the points, ``(N, 2)``."""
    starts, sides = lines[:-1], np.diff(lines, axis=0)
    real = np.isfinite(sides).all(1) & (np.abs(sides).sum(1) > 0)
    starts, sides = starts[real], sides[real]
    share = ((points[:, None] - starts) * sides).sum(-1) / (sides**2).sum(-1)
    places = starts + np.clip(share, 0, 1)[..., None] * sides
    best = ((places - points[:, None]) ** 2).sum(-1).argmin(1)
    found: Array = places[np.arange(len(points)), best]
    return found


@cache
def distances(count: int = POINTS) -> Distances:
    """The distances of the first ``count`` test points."""
    network = module_of(load_two_moons())
    points = two_moons_test_set()[0][:count]
    found = linearised(network, points)
    order = (found.distance / found.border).argsort()
    points = points[order]
    sorted_ = Linearised(found.distance[order], found.step[order], found.border[order], found.stays[order])
    everywhere = decision_boundary(network, rectangle((-FAR, FAR), (-FAR, FAR)))
    return Distances(points, sorted_, nearest_on(joined(everywhere), points.numpy()))


def border_frame(point: float) -> Frame:
    """One of the points with its disc and its step, and both distances of all of them."""
    found = distances()
    i = min(max(round(point), 1), POINTS) - 1
    border = float(found.linear.border[i])
    step, stays = float(found.linear.distance[i]), bool(found.linear.stays[i])
    true, within = float(found.true[i]), bool(found.linear.is_nearest[i])
    verdict = "within the disc" if within else "within the region" if stays else "out of the region"
    return Frame(
        [_plane(found, i), _ratios(found, i)],
        f"Border of the region: {border:.3f}. One linear step: {step:.3f}, {verdict}. To the boundary: {true:.3f}.",
    )


def _plane(found: Distances, i: int) -> Panel:
    point, radius = found.points[i].numpy(), float(found.linear.border[i])
    disc = point + radius * np.column_stack([np.cos(CIRCLE), np.sin(CIRCLE)])
    end = point + found.linear.step[i].numpy()
    way, near = np.stack([point, end]), found.nearest[i]
    edge = joined(moons_boundary())
    stays = bool(found.linear.stays[i])
    return Panel(
        title="A point, its disc, and its step",
        xlabel="input x₁ across, x₂ up",
        alt=f"The disc touches the nearest edge of the point's region; the linear step "
        f"{'ends on the boundary within it' if stays else 'leaves the region, and misses the boundary'}.",
        traces=[
            regions(moons_partition(), 2, None, opacity=0.45),
            path("decision boundary", edge, palette.INK, width=3, label=""),
            path("disc up to the region’s border", disc, palette.PURPLE, width=2, label="disc"),
            path("one linear step", way, palette.ORANGE, dash="dash", width=3.5, label="one linear step"),
            dots("its end", end[:1], end[1:], palette.ORANGE, symbol="square", size=6, label=""),
            dots(
                "nearest place of the other class",
                near[:1],
                near[1:],
                palette.GREEN,
                size=7,
                label="nearest of the other class",
            ),
            dots("the point", point[:1], point[1:], palette.INK, size=6, label=True),
        ],
        layout=LAYOUT,
        aspect=BOX.aspect,
    )


def _ratios(found: Distances, i: int) -> Panel:
    across, up = np.log10(found.ratio), np.log10(found.linear.distance.numpy() / found.true)
    stays = found.linear.stays.numpy()
    ticks = ("1/100", "1", "100", "10⁴")
    return Panel(
        title="Step over the true distance to the other class",
        xlabel="step over the distance to the region’s border",
        alt="A step within the disc is the true distance; a longer one is mostly too long, up to threefold.",
        traces=[
            line("exact", list(RATIOS), [0, 0], palette.GREEN, width=2, label=True),
            line("as far as the disc", [0, 0], [-0.2, 0.7], palette.PURPLE, width=1.5, label=True),
            dots("step stays in its region", across[stays], up[stays], palette.BLUE, size=7, label=True),
            dots("step leaves it", across[~stays], up[~stays], palette.ORANGE, symbol="square", size=6, label=True),
            dots("the point", across[i : i + 1], up[i : i + 1], palette.INK, size=11, label=""),
        ],
        layout=layout(axis(*RATIOS, (-2, 0, 2, 4), ticks), axis(-0.2, 0.7, HEIGHTS, ("1", "2", "4"))),
        aspect=BOX.aspect,
    )


def border_figure() -> InteractiveFigure:
    """A slider over test points, from small steps to large ones."""
    caption = (
        "The disc reaches to the nearest edge of the point’s region; this distance is exact. The dashed step goes to "
        "where the point’s own affine map changes class. Go to the shortest step and move on: as long as the step "
        "ends in the disc it is the distance to the other class. Once it leaves the region it may end anywhere."
    )
    named: dict[Value, str] = {1.0: "shortest", float(POINTS): "longest"}
    order = sliding("point", "Point, by its step", 1, POINTS, 1, start=30.0, named=named, say=_say)
    return InteractiveFigure("border", border_frame, [order], caption=caption)


def _say(value: Value) -> str:
    return f"{round(float(value))} of {POINTS}"
