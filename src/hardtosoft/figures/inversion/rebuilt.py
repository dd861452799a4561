"""A digit, what a network on its way through training says it saw, and what is left."""

from __future__ import annotations

from functools import cache
from math import log10

import torch
from torch import Tensor

from betavq.papers.inversion import reconstruct

from ...drawing.looks import blank
from ...drawing.sheets import sheet, size
from ...interactive import palette
from ...interactive.axes import Axis, Value, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line, picture
from ...interactive.names import label
from ...interactive.numbers import number
from ...results.few_labels import way

LABELS, BOTH = "labels alone", "labels and rebuilding"
LOSSES = {LABELS: "labels", BOTH: "reconstruction"}
LOOKS = {LABELS: (palette.ORANGE, "dash"), BOTH: (palette.BLUE, "solid")}
STEPS = (0.0, 10.0, 30.0, 80.0, 250.0)
ERRORS = (-1, 3)  # powers of ten


@cache
def rebuild(loss: str, step: int, digit: int) -> tuple[Tensor, Tensor]:
    """A digit and what is rebuilt of it, ``(64,)`` each, less the mean and in units of the pixels' deviation."""
    found = way()
    x = found.images[digit : digit + 1]
    return x.flatten(), reconstruct(found.networks[LOSSES[loss]][found.steps.index(step)], x).flatten()


def relative_error(x: Tensor, again: Tensor) -> float:
    """‖x − x̂‖²/‖x‖²."""
    return float((x - again).square().sum() / x.square().sum())


def rebuilt_frame(loss: str, digit: float, step: float) -> Frame:
    """The three pictures, and the error of test digits along the training."""
    found, place, name = way(), STEPS.index(step), int(digit)
    x, again = rebuild(loss, int(step), name)
    error = relative_error(x, again)
    pictures = torch.stack([found.size * each + found.mean.flatten() for each in (x, again)])
    rest = 0.5 + found.size * (x - again)[None]
    width, height = size(3, 3)
    seen = Panel(
        title="The digit, rebuilt, and what is left",
        xlabel="right: ink is missing, paper is too much",
        alt=f"After {step:.0f} steps with {loss}, {number(error)} of this {name} is wrong.",
        traces=[picture("digits", sheet(torch.cat([pictures, rest]).clamp(0, 1), 3), (0.0, width), (0.0, height))],
        layout=blank(width, height),
        aspect=width / height,
    )
    places = list(range(len(STEPS)))
    readout = (
        f"{name}, {step:.0f} steps with {loss}: relative error {number(error)}; of test digits "
        f"{number(found.errors[LOSSES[loss]][place])}. Right on {100 * found.accuracies[LOSSES[loss]][place]:.1f} %."
    )
    return Frame([seen, _errors_panel(loss, place, places)], readout)


def _errors_panel(loss: str, place: int, places: list[int]) -> Panel:
    found = way()
    logs = {name: [log10(each) for each in found.errors[key]] for name, key in LOSSES.items()}
    last = {name: found.errors[key][-1] for name, key in LOSSES.items()}
    return Panel(
        title="Relative error of test digits",
        xlabel="steps of training",
        alt=f"It ends at {number(last[LABELS])} with labels alone, at {number(last[BOTH])} with rebuilding too.",
        traces=[
            line("as rebuilding nothing", [0, places[-1]], [0, 0], palette.GREY, dash="dot", width=1.5, label=""),
            *(
                line(name, places, logs[name], *LOOKS[name][:1], dash=LOOKS[name][1], label=label(name, x=3))
                for name in LOSSES
            ),
            dots("now", [place], [logs[loss][place]], LOOKS[loss][0], size=12, label=""),
        ],
        layout=layout(
            axis(-0.2, places[-1] + 0.2, places, [f"{step:.0f}" for step in STEPS]),
            axis(*ERRORS, range(ERRORS[0], ERRORS[1] + 1), ["0.1", "1", "10", "100", "1000"]),
        ),
    )


def _say_step(value: Value) -> str:
    return f"{float(value):.0f} steps"


def _say_digit(value: Value) -> str:
    return f"{'an' if float(value) == 8 else 'a'} {float(value):.0f}"


def rebuilt_figure() -> InteractiveFigure:
    """Loss, digit, step."""
    axes = [
        choice("loss", "Learned from", tuple(LOSSES), start=BOTH),
        Axis("digit", "digit", tuple(float(digit) for digit in range(10)), 4.0, say=_say_digit),
        Axis("step", "steps of training", STEPS, STEPS[-1], say=_say_step),
    ]
    caption = (
        "Start at 0 steps and move right: the middle picture turns into the digit on the left. Then choose labels "
        "alone, and watch the dot: the network learns to tell digits apart, and what it says it saw drowns in noise."
    )
    return InteractiveFigure("rebuilt", rebuilt_frame, axes, caption=caption)
