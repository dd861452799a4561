"""One linear step towards the other class from a point that a reader chooses, and the logit along it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...drawing.linearised import linearised
from ...drawing.moons import BOX, LAYOUT, moons_boundary, moons_partition
from ...drawing.regions import joined, regions
from ...interactive import palette
from ...interactive.axes import Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, array, axis, dots, layout, line, path
from ...interactive.numbers import number, short
from ...results.networks import load_two_moons, module_of

MOST = 2.0  # steps
PLACES = 161


def leaves_at(start: Tensor, step: Tensor) -> float:
    """After how many steps from ``start``, at most two, the way leaves the region: to a thousandth."""
    shares = torch.linspace(0, MOST, int(1000 * MOST) + 1, dtype=torch.float64)[:, None]
    scores = load_two_moons().preactivations(start + shares * step, 1.0)
    outside = torch.cat([(score > 0) != (score[:1] > 0) for score in scores], dim=1).any(1)
    return float(shares[int(outside.long().argmax())]) if outside.any() else MOST


def step_frame(point: Sequence[float], times: float) -> Frame:
    """The place after ``times`` a linear step from ``point``, and the logit on the way."""
    network = module_of(load_two_moons())
    start = torch.tensor([point], dtype=torch.float64)
    found = linearised(network, start)
    stays, border = bool(found.stays[0]), leaves_at(start, found.step)
    shares = torch.linspace(0, MOST, PLACES, dtype=torch.float64)
    logits = array(network(start + shares[:, None] * found.step))[:, 0]
    here = array(start + times * found.step)[0]
    reached = array(network(start + times * found.step)).item()
    way = array(torch.cat([start, start + MOST * found.step]))
    edge = joined(moons_boundary())
    fate = "stays in its region and ends on the boundary" if stays else "leaves its region"
    high = 1.15 * max(np.abs(logits).max(), 1e-6)
    above = Panel(
        title="Along the step",
        xlabel="input x₁ across, x₂ up",
        alt=f"The step {fate}.",
        traces=[
            regions(moons_partition(), 2, None, opacity=0.45),
            path("decision boundary", edge, palette.INK, width=3, label=True),
            path("the way", way, palette.ORANGE, dash="dash", width=2, label=True),
            dots("the point", way[:1, 0], way[:1, 1], palette.INK, size=8, label=True),
            dots("where you are", here[:1], here[1:], palette.ORANGE, symbol="square", size=9, label=""),
        ],
        layout=LAYOUT,
        aspect=BOX.aspect,
    )
    along = Panel(
        title="The logit on the way",
        xlabel="steps; dotted: where the way leaves the region",
        alt="Within its region the logit is the straight line that the step trusts; beyond it bends away.",
        traces=[
            line(
                "as the point’s own map says",
                [0, MOST],
                logits[0] * np.array([1, 1 - MOST]),
                palette.GREY,
                width=2,
                label="the point’s own map",
            ),
            line("border", [border, border], [-high, high], palette.PURPLE, dash="dot", width=2, label=True),
            line("the network’s logit", (0.0, MOST / (PLACES - 1)), logits, palette.BLUE, width=4, label="logit"),
            dots("where you are", [times], [reached], palette.ORANGE, symbol="square", size=9, label="here"),
        ],
        layout=layout(axis(0, MOST, (0, 1, 2)), axis(-high, high, (0,), ("0",))),
        aspect=BOX.aspect,
    )
    place = ", ".join(short(part) for part in point)
    return Frame([above, along], f"From ({place}) the step {fate}. The logit here is {number(reached)}.")


def your_step_figure(point: Sequence[float]) -> InteractiveFigure:
    """A slider along the step from a point of the reader's.

    Raises:
        ValueError: a point outside the drawn box.
    """
    given = tuple(float(number) for number in point)
    inside = len(given) == 2 and BOX.x[0] < given[0] < BOX.x[1] and BOX.y[0] < given[1] < BOX.y[1]
    if not inside:
        raise ValueError(f"point must be two numbers in the box {BOX.x} × {BOX.y}, got {list(given)}")
    named: dict[Value, str] = {0.0: "the point", 1.0: "one step", 2.0: "twice"}

    def frame(times: float) -> Frame:
        return step_frame(given, times)

    def say(value: Value) -> str:
        return f"{float(value):.2f} steps"

    times = sliding("times", "Along the step", 0, 2, 0.05, start=1.0, named=named, say=say)
    caption = (
        "Walk along the step. Where does the logit leave the grey line, and what is it at one step, where the point’s "
        "own map says 0?"
    )
    return InteractiveFigure("your-step", frame, [times], caption=caption)
