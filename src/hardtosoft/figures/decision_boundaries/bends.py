"""The decision boundary of the two-moons network: its bends when hard, its curve when soft."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from betavq.geometry import Polyline, soft_partition

from ...drawing.edges import level_line
from ...drawing.moons import BOX, LAYOUT, moons, moons_boundary, moons_partition
from ...drawing.regions import joined, rectangle, regions
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, array, axis, dots, layout, line, path
from ...results.networks import load_two_moons, module_of, two_moons_training_set

POINTS = 160  # of the curve
RASTER = (240, 166)


def bent_line() -> Polyline:
    """The longest part of the hard network's boundary."""
    return moons_boundary()[0]


@cache
def boundary_at(beta: float) -> tuple[Array, Array]:
    """The longest part of the boundary at β < 1 and which way it runs: points ``(P, 2)``, degrees ``(P,)``.

    It is found on a raster, then moved onto the boundary; its direction is at right angles to the logit's gradient.
    """
    network = load_two_moons()
    soft = soft_partition(module_of(network), rectangle(BOX.x, BOX.y), beta, resolution=RASTER)
    found = level_line(soft.x, soft.y, soft.logits[0], 0.0, POINTS)
    parts = np.split(found, np.flatnonzero(np.isnan(found[:, 0])))
    longest = max((part[np.isfinite(part[:, 0])] for part in parts), key=len)
    points = torch.from_numpy(longest).requires_grad_()
    for _ in range(4):  # Newton's steps along the gradient
        logits = network.logits(points, beta)[:, 0]
        (gradient,) = torch.autograd.grad(logits.sum(), points)
        step = logits[:, None] * gradient / gradient.square().sum(1, keepdim=True)
        points = (points - step).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(network.logits(points, beta).sum(), points)
    curve, (right, up) = array(points), array(gradient).T
    along = np.degrees(np.unwrap(np.arctan2(right, -up)))
    # From left to right, as the hard one is told.
    return (curve, along) if curve[0, 0] <= curve[-1, 0] else (curve[::-1], along[::-1])


def course(beta: float) -> tuple[Array, Array, Array]:
    """Points of the boundary from left to right, the share of the length up to each, and its turn since the start."""
    if beta < 1:
        points, along = boundary_at(beta)
        turned = along - along[0]
    else:
        hard = bent_line()
        corners, angles = hard.points, hard.angles
        if corners[0, 0] > corners[-1, 0]:
            corners, angles = corners[::-1], -angles[::-1]
        points = np.repeat(corners, 2, axis=0)[1:-1]  # each straight part by its ends, so that a bend is a jump
        turned = np.repeat(np.concatenate([[0.0], angles.cumsum()]), 2)
    lengths = np.concatenate([[0.0], np.hypot(*np.diff(points, axis=0).T).cumsum()])
    return points, lengths / lengths[-1], turned


def bends_frame(beta: float) -> Frame:
    """The boundary at β over the hard network's edges, and how far it has turned along its way."""
    points, share, turned = course(beta)
    total = float(np.abs(np.diff(turned)).sum())
    _, hard_share, hard_turned = course(1.0)
    x, y = joined([bent_line()])[:-1].T
    edges = regions(moons_partition(), 2, None, opacity=0.3)
    bends = [
        line("hard, for comparison", hard_share, hard_turned, palette.GREY, width=1.5, label="hard"),
        line("turned so far", share, turned, palette.INK, width=3.5, label="this β"),
    ]
    above = Panel(
        title="The boundary, and the edges of the hard network",
        xlabel="input x₁ across, x₂ up",
        alt=f"At β = {beta:.3g} {_words(beta, total)}.",
        traces=[
            edges,
            *moons(size=3),
            line("hard, for comparison", x, y, palette.GREY, width=1.5, label=""),
            path("boundary at this β", points, palette.INK, width=3.5, label="boundary"),
            dots("bends", x[1:-1], y[1:-1], palette.INK, size=7 if beta == 1 else 4, label="bends"),
        ],
        layout=LAYOUT,
        aspect=BOX.aspect,
    )
    turning = Panel(
        title="How far it has turned, in degrees",
        xlabel="share of its length, from left to right",
        alt=f"At β = {beta:.3g} the boundary turns by {total:.0f} degrees in all, "
        f"{'in jumps' if beta == 1 else 'smoothly' if beta > 0 else 'that is, not at all'}.",
        traces=bends,
        layout=layout(axis(0, 1, (0, 0.5, 1), ("0", "½", "1")), axis(-130, 40, (-90, -45, 0))),
        aspect=BOX.aspect,
    )
    return Frame([above, turning], f"Turns added up, left and right alike: {total:.0f}°. {_accuracy(beta)}")


def _accuracy(beta: float) -> str:
    right = load_two_moons().accuracy(*two_moons_training_set(), beta)
    return f"Right on the training points: {100 * right:.1f} %."


def _words(beta: float, total: float) -> str:
    if beta == 1:
        return f"the boundary is a line of straight parts that bends at edges alone, by {total:.0f} degrees in all"
    if beta == 0:
        return "the boundary is one straight line"
    return f"the boundary is a smooth curve that turns by {total:.0f} degrees in all"


def bends_figure() -> InteractiveFigure:
    """One slider for the β of all units."""
    caption = (
        "At β = 1 the boundary is straight within each region and bends at edges: on the right its direction is a "
        "staircase, one step a bend. Move β down: the steps become slopes that overshoot, so that at first the turns "
        "add up to more. Then they fade, and at β = 0 the boundary is straight. The grey lines stay with the hard one."
    )
    return InteractiveFigure("bends", bends_frame, [beta_axis(0.025, start=1.0, plays=True)], caption=caption)
