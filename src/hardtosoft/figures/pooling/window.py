"""Pooling by β of one window: what it is worth, and how much each of its numbers counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isfinite

import numpy as np
import torch
from torch import Tensor

import betavq

from ...drawing.looks import ACROSS_TO_1, even_ticks
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line
from ...interactive.numbers import factor, number, short

WINDOW = (0.0, 1.0, 2.0, 5.0)
BETAS = torch.linspace(0, 1, 101, dtype=torch.float64)


def gradient(window: Tensor, beta: float) -> Tensor:
    """How much each number of a window moves what the window is worth: its gradient, ``(R,)``."""
    numbers = window.clone().requires_grad_()
    return torch.autograd.grad(betavq.value(numbers, beta), numbers)[0]


def check_window(window: Sequence[float]) -> Tensor:
    """The numbers of a window as a tensor.

    Raises:
        ValueError: not a list of two to nine finite numbers.
    """
    if not isinstance(window, list | tuple) or not 2 <= len(window) <= 9:
        found = len(window) if isinstance(window, list | tuple) else f"a {type(window).__name__}"
        raise ValueError(f"window must be a list of 2 to 9 numbers, got {found}")
    if not all(isinstance(number, int | float) and isfinite(number) for number in window):
        raise ValueError(f"window must hold finite numbers, got {window!r}")
    return torch.tensor(window, dtype=torch.float64)


def window_frame(window: Sequence[float], beta: float) -> Frame:
    """What a window is worth at every β, and how much each of its numbers weighs and moves at this one."""
    numbers = check_window(window)
    value = betavq.value(numbers, beta).item()
    over_beta = betavq.value(numbers.expand(len(BETAS), -1), BETAS)
    largest, mean = numbers.max().item(), numbers.mean().item()
    low, high = numbers.min().item(), largest
    room = 0.08 * (high - low or 1.0)
    labels = [short(each) for each in window]
    shown = ", ".join(labels)
    worth = Panel(
        title="What the window is worth",
        xlabel="β",
        alt=f"At β = {beta:.2f} the window ({shown}) is worth {number(value)}, "
        f"between its mean {number(mean)} and its largest number {short(largest)}.",
        traces=[
            line("largest", (0.0, 1.0), [largest] * 2, palette.GREY, dash="dash", width=1.5),
            line("mean", (0.0, 1.0), [mean] * 2, palette.GREY, dash="dot", width=1.5),
            line("value over β", (0.0, 0.01), over_beta, palette.BLUE, width=3),
            dots("value at this β", [beta], [value], palette.BLUE, size=13),
        ],
        layout=layout(ACROSS_TO_1, axis(low - room, high + room, even_ticks(low, high))),
    )
    places = np.arange(1, len(window) + 1)
    weights, slopes = betavq.code(numbers, beta), gradient(numbers, beta)
    shares = Panel(
        title="Who counts in it",
        xlabel="the numbers of the window",
        alt="All numbers have equal weight and gradient."
        if beta == 0
        else "The largest number has the largest weight and the largest gradient.",
        traces=[
            dots("weight t", places, weights, palette.ORANGE, symbol="square", size=14),
            dots("gradient", places, slopes, palette.PURPLE, size=8),
        ],
        layout=layout(
            axis(0.5, len(window) + 0.5, places.tolist(), labels, grid=False),
            axis(-0.4, 1.4, (0, 0.5, 1), ("0", "½", "1")),
        ),
    )
    terms = " + ".join(f"[t2|{number(weight)}]·{factor(each)}" for weight, each in zip(weights, window, strict=True))
    moved = ", ".join(number(slope) for slope in slopes)
    readout = f"[value|value] = Σ [t2|t]·z\n[value|{number(value)}] = {terms}\nGradient ({moved})."
    return Frame([worth, shares], readout)


def window_figure() -> InteractiveFigure:
    """The first window of the chapter."""
    caption = (
        "Move β from 0 to 1: the value climbs from the mean to the largest number. A weight stays between 0 and 1, a "
        "gradient does not: look at the numbers 2 and 5 halfway."
    )
    return InteractiveFigure("window", partial(window_frame, WINDOW), [beta_axis(0.02, plays=True)], caption=caption)


def your_window_figure(window: Sequence[float] = WINDOW) -> InteractiveFigure:
    """The figure of a window that a reader writes down.

    Raises:
        ValueError: as :func:`check_window`, at once: a reader's mistake should show in the reader's own cell.
    """
    check_window(window)
    caption = "Move β: how far must you go until the value is close to the largest number?"
    return InteractiveFigure("your-window", partial(window_frame, window), [beta_axis(0.02)], caption=caption)
