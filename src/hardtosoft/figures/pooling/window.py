"""Pooling by β of one window: what it is worth, and how much each of its numbers counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isfinite

import numpy as np
import torch
from torch import Tensor

import betavq

from ...drawing.strokes import upright
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, array, axis, dots, layout, line, path
from ...interactive.names import label
from ...interactive.numbers import factor, number, short
from ...interactive.overlays import texts, veil

WINDOW = (0.0, 1.0, 2.0, 5.0)
ASPECT = 1.5  # of the picture of the balance
TURN = torch.linspace(0, 2 * torch.pi, 41, dtype=torch.float64)
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
    """The window as a balance, and how much each of its numbers weighs and moves the value at this β."""
    numbers = check_window(window)
    weights, slopes, value = betavq.code(numbers, beta), gradient(numbers, beta), betavq.value(numbers, beta)
    shown = ", ".join(short(each) for each in window)
    balance = _balance_panel(numbers, weights, value, f"At β = {beta:.2f} the window ({shown})")
    terms = " + ".join(f"[t2|{number(weight)}]·{factor(each)}" for weight, each in zip(weights, window, strict=True))
    moved = ", ".join(number(slope) for slope in slopes)
    readout = f"[value|value] = Σ [t2|t]·z\n[value|{number(value)}] = {terms}\nGradient ({moved})."
    return Frame([balance, _shares(weights, slopes, window)], readout)


def _balance_panel(numbers: Tensor, weights: Tensor, value: Tensor, which: str) -> Panel:
    """The numbers on a line, a disc of its weight's area on each, and where the line balances."""
    low, high = numbers.min().item(), numbers.max().item()
    mean, span = numbers.mean().item(), (high - low) or 1.0
    # A disc of all the weight is half as high as the picture, which is ASPECT times as wide.
    wide = 1.5 * span
    tall = wide / ASPECT
    radii = 0.25 * tall * weights.sqrt()
    discs = torch.stack([numbers[:, None] + radii[:, None] * TURN.cos(), radii[:, None] * (1 + TURN.sin())], dim=-1)
    outlines = torch.nn.functional.pad(discs, (0, 0, 0, 1), value=torch.nan).flatten(0, 1)
    point, foot = 0.045 * wide, -0.14 * tall
    fulcrum = torch.stack([value, value - point, value + point, value])
    feet = torch.tensor([0.0, foot, foot, 0.0], dtype=torch.float64)
    left, right = low - 0.25 * span, high + 0.25 * span
    shares = [f"{100 * share:.0f} %" for share in weights.tolist()]
    return Panel(
        title="What the window is worth: where it balances",
        xlabel="the numbers; a disc’s area is its weight",
        alt=f"{which} is worth {number(value)}, between its mean {number(mean)} and its largest number {short(high)}.",
        traces=[
            veil("discs", outlines, palette.ORANGE),
            veil("fulcrum", torch.stack([fulcrum, feet], -1), palette.BLUE, opacity=1.0),
            line("the line", [left, right], [0.0, 0.0], palette.GREY, width=2, label=""),
            path("weight t", outlines, palette.ORANGE, width=2, label=""),
            line("value", fulcrum, feet, palette.BLUE, width=1.5, label=""),
            texts(shares, numbers, 2 * radii, palette.ORANGE, side="n"),
            texts([f"value {number(value)}"], [value], [foot], palette.BLUE, side="s"),
            texts([f"mean {number(mean)}"], [mean], [-0.42 * tall], palette.GREY, side="n"),
        ],
        layout=layout(
            axis(left, right, _apart(numbers.tolist(), span)), axis(-0.42 * tall, 0.58 * tall, (), grid=False)
        ),
        aspect=ASPECT,
    )


def _apart(numbers: list[float], span: float) -> list[float]:
    """Those of the numbers that have room for a tick each."""
    found: list[float] = []
    for each in sorted(numbers):
        if not found or each - found[-1] > 0.06 * span:
            found.append(each)
    return found


def _shares(weights: Tensor, slopes: Tensor, window: Sequence[float]) -> Panel:
    """Weights and gradients as lollipops."""
    places = np.arange(1, len(window) + 1)
    low, high = (upright(places, 0, parts) for parts in (array(weights), array(slopes)))
    last = label("weight t", at=1, side="w"), label("gradient", at=1, side="nw")
    equal = bool((weights == weights[0]).all())
    return Panel(
        title="Who counts in it",
        xlabel="the numbers of the window",
        alt="All numbers have equal weight and gradient."
        if equal
        else "The largest number has the largest weight and the largest gradient.",
        traces=[
            path("from 0 to the weight", low + np.array([-0.1, 0]), palette.ORANGE, width=2, label=""),
            path("from 0 to the gradient", high + np.array([0.1, 0]), palette.BLUE, width=2, label=""),
            dots("weight t", places - 0.1, weights, palette.ORANGE, symbol="square", size=10, label=last[0]),
            dots("gradient", places + 0.1, slopes, palette.BLUE, size=10, label=last[1]),
        ],
        layout=layout(
            axis(0.5, len(window) + 0.5, places.tolist(), [short(each) for each in window], grid=False),
            axis(-0.4, 1.4, (0, 0.5, 1), ("0", "½", "1")),
        ),
    )


def window_figure() -> InteractiveFigure:
    """The first window of the chapter."""
    caption = (
        "Move β from 0 to 1: the discs shrink but for the largest number’s, and the point of balance, the value, "
        "climbs from the mean to that number. A weight stays between 0 and 1, a gradient does not: look at 2 "
        "and 5 halfway."
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
