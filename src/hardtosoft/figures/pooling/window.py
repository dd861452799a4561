"""Pooling by β of one window: what it is worth, and how much each of its numbers counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import ceil, floor, isfinite
from typing import NamedTuple

import torch
from torch import Tensor

import betavq

from ...drawing.looks import even_ticks
from ...drawing.strokes import upright
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line, path
from ...interactive.names import label
from ...interactive.numbers import number, short
from ...interactive.overlays import texts, veil
from ...interactive.vectors import vector

#: What the places of a window are called.
PLACES = ("1st", "2nd", "3rd", *(f"{place}th" for place in range(4, 10)))
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


class Seen(NamedTuple):
    """What of the line of numbers is drawn: from where to where, its ticks, and the names of the window's places."""

    low: float
    high: float
    ticks: list[float]
    names: list[str]


def window_frame(window: Sequence[float], beta: float) -> Frame:
    """The window as a balance, and how much each of its numbers weighs and moves the value at this β.

    Raises:
        ValueError: as :func:`check_window`.
    """
    numbers = check_window(window)
    low, high = numbers.min().item(), numbers.max().item()
    return _frame(
        numbers, beta, Seen(low, high, _apart(numbers.tolist(), high - low), [short(each) for each in window])
    )


def _frame(numbers: Tensor, beta: float, seen: Seen) -> Frame:
    weights, slopes, value = betavq.code(numbers, beta), gradient(numbers, beta), betavq.value(numbers, beta)
    told = [short(each) for each in numbers.tolist()]
    balance = _balance_panel(numbers, weights, value, f"At β = {beta:.2f} the window ({', '.join(told)})", seen)
    factors = [f"({each})" for each in told] if seen.low < 0 else told
    terms = " + ".join(f"[t2|{number(weight)}]·{each}" for weight, each in zip(weights, factors, strict=True))
    moved = ", ".join(number(slope) for slope in slopes)
    readout = f"[value|value] = Σ [t2|t]·z\n[value|{number(value)}] = {terms}\nGradient ({moved})."
    return Frame([balance, _shares(weights, slopes, seen.names)], readout)


def _balance_panel(numbers: Tensor, weights: Tensor, value: Tensor, which: str, seen: Seen) -> Panel:
    """The numbers on a line, a disc of its weight's area on each, and where the line balances."""
    mean, span = numbers.mean(), (seen.high - seen.low) or 1.0
    # A disc of all the weight is half as high as the picture, which is ASPECT times as wide.
    wide = 1.5 * span
    tall = wide / ASPECT
    radii = 0.25 * tall * weights.sqrt()
    discs = torch.stack([numbers[:, None] + radii[:, None] * TURN.cos(), radii[:, None] * (1 + TURN.sin())], dim=-1)
    outlines = torch.nn.functional.pad(discs, (0, 0, 0, 1), value=torch.nan).flatten(0, 1)
    point, foot = 0.045 * wide, -0.14 * tall
    fulcrum = torch.stack([value, value - point, value + point, value])
    feet = torch.tensor([0.0, foot, foot, 0.0], dtype=torch.float64)
    left, right = seen.low - 0.25 * span, seen.high + 0.25 * span
    shares = [f"{100 * share:.0f} %" for share in weights.tolist()]
    return Panel(
        title="What the window is worth: where it balances",
        xlabel="the numbers; a disc’s area is its weight",
        alt=f"{which} is worth {number(value)}, between its mean {number(mean)} and its largest number "
        f"{short(numbers.max())}.",
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
        layout=layout(axis(left, right, seen.ticks), axis(-0.42 * tall, 0.58 * tall, (), grid=False)),
        aspect=ASPECT,
    )


def _apart(numbers: list[float], span: float) -> list[float]:
    """Those of the numbers that have room for a tick each."""
    found: list[float] = []
    for each in sorted(numbers):
        if not found or each - found[-1] > 0.06 * span:
            found.append(each)
    return found


def _shares(weights: Tensor, slopes: Tensor, names: Sequence[str]) -> Panel:
    """Weights and gradients as lollipops."""
    places = torch.arange(1, len(names) + 1, dtype=torch.float64)
    low, high = (upright(places + side, 0.0, parts) for side, parts in ((-0.1, weights), (0.1, slopes)))
    last = label("weight t", at=1, side="w"), label("gradient", at=1, side="nw")
    return Panel(
        title="Who counts in it",
        xlabel="the numbers of the window",
        alt="All numbers have equal weight and gradient."
        if (weights == weights[0]).all()
        else "The largest number has the largest weight and the largest gradient.",
        traces=[
            path("from 0 to the weight", low, palette.ORANGE, width=2, label=""),
            path("from 0 to the gradient", high, palette.BLUE, width=2, label=""),
            dots("weight t", places - 0.1, weights, palette.ORANGE, symbol="square", size=10, label=last[0]),
            dots("gradient", places + 0.1, slopes, palette.BLUE, size=10, label=last[1]),
        ],
        layout=layout(
            axis(0.5, len(names) + 0.5, places.tolist(), names, grid=False),
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
    numbers = check_window(window)
    lowest, largest = numbers.min().item(), numbers.max().item()
    spare = 0.2 * (largest - lowest or 1.0)
    low, high = float(floor(min(0.0, lowest))), float(ceil(largest + spare))
    seen = Seen(low, high, even_ticks(low, high), list(PLACES[: len(numbers)]))
    caption = "Move β: how far must you go until the value is close to the largest number? Then type another window."
    typed = vector("window", "The window", PLACES[: len(numbers)], low, high, start=tuple(numbers.tolist()))
    return InteractiveFigure(
        "your-window",
        lambda window, beta: _frame(window, beta, seen),
        [beta_axis(0.02), typed],
        caption=caption,
        traced=True,
    )
