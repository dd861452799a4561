"""Value, entropy and free energy of one code of three pieces, against temperature, β and a score."""

from __future__ import annotations

import torch
from torch import Tensor

import betavq

from ...interactive import palette
from ...interactive.axes import Value, beta_axis, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line
from ...interactive.names import label
from ...interactive.numbers import saying
from .simplex import HARDNESS_GRID, HARDNESSES, SCORES, entropy, scores_of

LOWEST = 0.25  # below it the temperature, and with it the free energy, runs out of the picture
HOTTEST = (1 - LOWEST) / LOWEST
LOG_2, LOG_3 = (torch.tensor([2.0, 3.0], dtype=torch.float64)).log().tolist()
TEMPERATURES = torch.linspace(0, HOTTEST, 101, dtype=torch.float64)
BETAS = 1 / (1 + TEMPERATURES)
SECOND = torch.linspace(0, 2, 161, dtype=torch.float64)
SECOND_GRID = (0.0, 0.0125)


def rival(second: float | Tensor) -> Tensor:
    """The scores (1, z₂, 0), shape ``(..., 3)``: the first two pieces tie at z₂ = 1."""
    second = torch.as_tensor(second, dtype=torch.float64)
    return torch.stack([torch.ones_like(second), second, torch.zeros_like(second)], dim=-1)


def tangent_frame(beta: float, scores: str) -> Frame:
    """The free energy against temperature, its tangent, and where the tangent meets T = 0: the value.

    Raises:
        ValueError: β = 0, where the temperature is infinite.
    """
    if beta <= 0:
        raise ValueError(f"beta must be above 0, where the temperature (1 − β)/β is finite, got {beta}")
    offered = scores_of(SCORES[scores])
    rows = offered.expand(len(TEMPERATURES), 3)
    free, values = betavq.free_energy(rows, BETAS), betavq.value(rows, BETAS)
    here, value = betavq.free_energy(offered, beta).item(), betavq.value(offered, beta).item()
    undecided, temperature = abs(entropy(betavq.code(offered, beta)).item()), (1 - beta) / beta
    largest, mean = offered.max().item(), offered.mean().item()
    ends, wide = (0.0, HOTTEST), (LOWEST, 1 - LOWEST)
    asymptote, tangent = [mean, mean + HOTTEST * LOG_3], [value, value + HOTTEST * undecided]
    rising, falling = label("free energy", x=1.6, side="nw"), label("free energy", x=0.35, side="ne")
    mixed, straight = label("mean + T·log 3", x=2.2, side="se"), label("⟨t, z⟩ + T·H(t)", at=0.9)
    top = label("largest score", at=0.9, side="s")
    heat = Panel(
        title="Free energy and its tangent",
        xlabel="temperature T = 1/η",
        alt=f"The line of the code touches the free energy at T = {temperature:.2f}. Its slope is the entropy, "
        f"{undecided:.3f}, and it meets T = 0 at the value, {value:.3f}.",
        traces=[
            line("largest score (entropy 0)", ends, [largest] * 2, palette.GREY, dash="dash", width=1.5, label=top),
            line(
                "mean score + T · log 3",
                ends,
                asymptote,
                palette.GREY,
                dash="dot",
                width=2,
                label=mixed,
            ),
            line(
                "free energy",
                (0.0, HOTTEST / 100),
                free,
                palette.INK,
                dash="dashdot",
                width=3,
                label=rising,
            ),
            line(
                "⟨t, z⟩ + T·H(t) of the code at this β",
                ends,
                tangent,
                palette.BLUE,
                label=straight,
            ),
            dots("free energy at this β", [temperature], [here], palette.INK, size=12, label=""),
            dots("value at this β", [0.0], [value], palette.BLUE, symbol="square", size=11, label="value"),
        ],
        layout=layout(axis(-0.1, HOTTEST + 0.12, (0, 1, 2, 3)), axis(0.6, 4.7, (1, 2, 3, 4))),
    )
    hardness = Panel(
        title="Both against β",
        xlabel="hardness β",
        alt="The value rises to the largest score and the free energy falls to it as β goes to 1.",
        traces=[
            line("largest score (entropy 0)", wide, [largest] * 2, palette.GREY, dash="dash", width=1.5, label=top),
            line(
                "free energy",
                BETAS,
                free,
                palette.INK,
                dash="dashdot",
                width=3,
                label=falling,
            ),
            line("value", BETAS, values, palette.BLUE, width=3, label=label("value", x=0.35, side="s")),
            line(
                "T·H(t)",
                [beta, beta],
                [value, here],
                palette.ENTROPY,
                dash="dot",
                width=4,
                label=True,
            ),
            dots("free energy at this β", [beta], [here], palette.INK, size=12, label=""),
            dots("value at this β", [beta], [value], palette.BLUE, symbol="square", size=11, label=""),
        ],
        layout=layout(axis(0.22, 1.03, (0.25, 0.5, 0.75, 1)), axis(0.6, 4.7, (1, 2, 3, 4))),
    )
    readout = (
        f"[value|value] + T·[entropy|H(t)] = free energy\nAt T = {temperature:.2f}:\n"
        f"[value|{value:.3f}] + [entropy|{temperature * undecided:.3f}] = {here:.3f}\nLargest score {largest:g}."
    )
    return Frame([heat, hardness], readout)


def entropy_frame(beta: float, second: float) -> Frame:
    """The entropy of the code of (1, z₂, 0) against β and against z₂."""
    offered = rival(second)
    undecided = abs(entropy(betavq.code(offered, beta)).item())
    along_beta = entropy(betavq.code(offered.expand(len(HARDNESSES), 3), HARDNESSES)).abs()
    along_score = entropy(betavq.code(rival(SECOND), beta)).abs()
    heights = axis(-0.05, 1.17, (0, LOG_2, LOG_3), ("0", "log 2", "log 3"))
    limit = "log 2, since two pieces tie" if second == 1 else "0, since one piece is the best"
    tie, clear = (
        entropy(betavq.code(rival(stop).expand(len(HARDNESSES), 3), HARDNESSES)).abs() for stop in (1.0, 2.0)
    )
    hardness = Panel(
        title="Entropy against β",
        xlabel="hardness β",
        alt=f"With the scores 1, {second:.2f} and 0 the entropy falls from log 3 at β = 0; as β goes to 1 it goes to "
        f"{limit}.",
        traces=[
            line(
                "z₂ = 1, a tie",
                HARDNESS_GRID,
                tie,
                palette.GREY,
                dash="dash",
                width=1.5,
                label=label("z₂ = 1, a tie", x=0.72),
            ),
            line(
                "z₂ = 2, a clear winner",
                HARDNESS_GRID,
                clear,
                palette.GREY,
                dash="dashdot",
                width=1.5,
                label=label("z₂ = 2", x=0.45, side="sw"),
            ),
            line(
                "H(t) at this z₂",
                HARDNESS_GRID,
                along_beta,
                palette.ENTROPY,
                dash="dot",
                width=4,
                label=label("H(t) at this z₂", x=0.25),
            ),
            dots("at this β and z₂", [beta], [undecided], palette.ENTROPY, size=12, label=""),
        ],
        layout=layout(axis(-0.03, 1.03, (0, 0.5, 1), ("0", "½", "1")), heights),
    )
    soft, firm = (entropy(betavq.code(rival(SECOND), stop)).abs() for stop in (0.5, 0.95))
    across = Panel(
        title="Entropy against the second score",
        xlabel="score z₂ (the others are 1 and 0)",
        alt="At β = 1 the code is one corner, and its entropy 0, at every z₂."
        if beta == 1
        else "At β = 0 the entropy is log 3 whatever the scores are."
        if beta == 0
        else f"At β = {beta:.2f} the entropy at the tie, z₂ = 1, is above log 2.",
        traces=[
            line("β = ½", SECOND_GRID, soft, palette.GREY, dash="dashdot", width=1.5, label=label("β = ½", x=0.3)),
            line("β = 0.95", SECOND_GRID, firm, palette.GREY, dash="dash", width=1.5, label=label("β = 0.95", x=1.55)),
            line(
                "H(t) at this β",
                SECOND_GRID,
                along_score,
                palette.ENTROPY,
                dash="dot",
                width=4,
                label=label("H(t) at this β", x=0.65),
            ),
            dots("at this β and z₂", [second], [undecided], palette.ENTROPY, size=12, label=""),
        ],
        layout=layout(axis(-0.05, 2.05, (0, 1, 2)), heights),
    )
    rule = " At β = 1 the rule for ties takes the first piece." if beta == 1 and second == 1 else ""
    share = 100 * undecided / LOG_3
    return Frame([hardness, across], f"[entropy|H(t)] = [entropy|{undecided:.3f}], {share:.0f} % of log 3.{rule}")


def tangent_figure() -> InteractiveFigure:
    """Free energy, value and entropy of one code in one picture, for β from ¼ on."""
    sets = choice("scores", "Scores", tuple(SCORES), start="clear winner")
    caption = (
        "The straight line belongs to one code: it starts at the code's score and rises with the code's entropy. "
        "Move β: the line rolls along the free energy and never crosses it. Where it starts, at T = 0, is the "
        "value. In <em>Both against β</em> the dotted piece is what the free energy has on top. The "
        "slider starts at ¼, where T = 3: at β = 0 the free energy is infinite."
    )
    axes = [sets, beta_axis(0.025, low=LOWEST)]
    return InteractiveFigure("tangent", tangent_frame, axes, caption=caption, traced=True)


def entropy_figure() -> InteractiveFigure:
    """How undecided the code is, with sliders for β and for the second score."""
    named: dict[Value, str] = {0.0: "loser", 1.0: "tie", 2.0: "winner"}
    second = sliding(
        "second",
        "z₂, the second score",
        0,
        2,
        0.05,
        start=1.2,
        named=named,
        say=saying("z₂"),
    )
    caption = (
        "Move β towards 1 and watch <em>Entropy against the second score</em>: a ridge is left around the tie, "
        "narrower and narrower, but at the tie itself never lower than log 2. Then move z₂ to the tie and past it: "
        "near the tie the curve in <em>Entropy against β</em> falls to 0 only at its right end."
    )
    return InteractiveFigure(
        "undecided", entropy_frame, [beta_axis(0.025, start=0.9), second], caption=caption, traced=True
    )
