"""One unit: its value and its code as β runs from 0 to 1, and the problem that the code solves."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

import betavq

from ...drawing.looks import ACROSS_TO_1, GRID, INPUT_AXIS, INPUTS, UP_TO_1, WEIGHTS, piece_lines
from ...interactive import palette
from ...interactive.axes import Handle, Value, beta_axis, check_option, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line
from ...interactive.names import label
from ...interactive.numbers import factor, number, saying
from ...interactive.overlays import area

LEAKY_SLOPE = 0.25
#: Slope of the first piece of each unit; the second piece is u itself.
FIRST_SLOPES = {"ReLU": 0.0, "leaky ReLU": LEAKY_SLOPE, "absolute value": -1.0}
FIRST_PIECES = {"ReLU": "0", "leaky ReLU": f"{LEAKY_SLOPE:g}·u", "absolute value": "−u"}
CODE_NAMES = {
    unit: (label(f"t₁, on {piece}", x=-3.4, side="sw"), label("t₂, on u", x=3.4, side="se"))
    for unit, piece in FIRST_PIECES.items()
}
REFERENCES = ((0.0, "dot"), (0.5, "dashdot"), (1.0, "dash"))
GENERAL_NAMES = ("β = 0, linear", "β = ½, soft", "β = 1, hard")
RELU_NAMES = ("u/2 (β = 0)", "SiLU (β = ½)", "ReLU (β = 1)")
#: What is told in the picture, on the left, where the three are apart.
SHORT = {"ReLU": ("u/2", "SiLU", "ReLU")}
PLACES: tuple[dict[str, Any], ...] = ({"x": -3.4, "side": "se"}, {"x": -1.4, "side": "s"}, {"x": -4.2, "side": "n"})


def scores(unit: str, inputs: Tensor) -> Tensor:
    """The two piece values of a unit at each input, shape (N, 2).

    Raises:
        ValueError: a unit that is not one of the three.
    """
    check_option("unit", unit, FIRST_SLOPES)
    return torch.stack([FIRST_SLOPES[unit] * inputs, inputs], dim=-1)


def value_panel(beta: float, unit: str = "ReLU", *, title: str, names: tuple[str, ...] = GENERAL_NAMES) -> Panel:
    """The output of a unit at β, and drawn faintly what it is at β = 0, ½ and 1, under the given names."""
    pieces = scores(unit, INPUTS)
    told = SHORT.get(unit, ("β = 0", "β = ½", "β = 1"))
    references = [
        line(name, GRID, betavq.value(pieces, stop), palette.GREY, dash=dash, width=1.5, label=label(short, **place))
        for name, short, (stop, dash), place in zip(names, told, REFERENCES, PLACES, strict=True)
    ]
    value = label("value", x=2.6, side="nw")
    curve = line("value at this β", GRID, betavq.value(pieces, beta), palette.BLUE, width=4.5, label=value)
    return Panel(
        title=title,
        xlabel="input u",
        alt=f"The {unit} unit at β = {beta:.2f}: {_shape(beta)}.",
        traces=[*references, curve],
        layout=layout(INPUT_AXIS, axis(-3.4, 5, (-2, 0, 2, 4))),
    )


def _shape(beta: float) -> str:
    return "a straight line" if beta == 0 else "a kink at u = 0" if beta == 1 else "a smooth bend around u = 0"


def unit_frame(beta: float, unit: str) -> Frame:
    """Value and code of one unit side by side."""
    pieces = scores(unit, INPUTS)
    code = betavq.code(pieces, beta)
    here = scores(unit, -torch.ones(1, dtype=torch.float64))
    (first, second), value = betavq.code(here, beta)[0].tolist(), betavq.value(here, beta).item()
    shares = Panel(
        title="Code: how it weighs its two pieces",
        xlabel="input u",
        alt=f"The two weights always add to one. At β = {beta:.2f} they "
        + ("do not depend on u." if beta == 0 else "swap where the pieces cross, at u = 0."),
        traces=piece_lines((f"{WEIGHTS[0]} piece", f"{WEIGHTS[1]} piece, u"), GRID, code, labels=CODE_NAMES[unit]),
        layout=layout(INPUT_AXIS, UP_TO_1),
    )
    times = f"({FIRST_PIECES[unit]})" if unit == "absolute value" else FIRST_PIECES[unit]
    readout = (
        f"[value|value] = [t1|t₁]·{times} + [t2|t₂]·u\nAt u = −1:\n"
        f"[value|{number(value)}] = [t1|{number(first)}]·{factor(here[0, 0])} + [t2|{number(second)}]·(−1)"
    )
    return Frame([value_panel(beta, unit, title="Value: what the unit puts out"), shares], readout)


def objective_frame(beta: float, u: float) -> Frame:
    """The entropy-regularised problem of a ReLU unit at input u, and the code that solves it."""
    weight = torch.linspace(0, 1, 101, dtype=torch.float64)
    entropy = torch.special.entr(weight) + torch.special.entr(1 - weight)
    wish = (1 - beta) * entropy
    goal = beta * weight * u + wish
    pieces = torch.tensor([0.0, u], dtype=torch.float64)
    best = betavq.code(pieces, beta)
    undecided = torch.special.entr(best).sum()
    height = beta * (best * pieces).sum() + (1 - beta) * undecided
    score = label("score", at=0.8)
    problem = Panel(
        title="The problem: β·⟨t, z⟩ + (1 − β)·H(t)",
        xlabel="weight t₂ on the piece u",
        alt=f"At β = {beta:.2f} and u = {number(u)} the best weight is {best[1]:.2f}.",
        traces=[
            area("below the sum", weight, 0, goal, palette.INK, opacity=0.1),
            line("their sum", weight, goal, palette.INK, width=4.5, label=label("their sum", at=0.3)),
            line("β·⟨t, z⟩: take the larger score", weight, beta * weight * u, palette.INK, dash="dash", label=score),
            line("(1 − β)·H(t): stay undecided", weight, wish, palette.ENTROPY, dash="dot", label="entropy"),
            line("down to the weight", best[[1, 1]], [0, height], palette.GREY, dash="dot", width=1.5, label=""),
            dots(
                "the code: the best weight t₂",
                best[1:],
                height.reshape(1),
                palette.ORANGE,
                size=13,
                label="best weight",
            ),
        ],
        layout=layout(ACROSS_TO_1, axis(-1.03, 1.03, (-1, 0, 1))),
    )
    inputs = torch.linspace(-4, 4, 161, dtype=torch.float64)
    weights = betavq.code(scores("ReLU", inputs), beta)
    first, second = label("t₁, on 0", x=-2.6, side="sw"), label("t₂, on u", x=2.6, side="se")
    answer = Panel(
        title="The answer at every input",
        xlabel="input u",
        alt="The best weight on the piece u grows with u: a step at β = 1, a sigmoid below, constant at β = 0.",
        traces=[
            line("weight t₁ at this β", (-4.0, 0.05), weights[:, 0], palette.GREEN, dash="dash", label=first),
            line("weight t₂ at this β", (-4.0, 0.05), weights[:, 1], palette.ORANGE, width=4.5, label=second),
            dots("the code: the best weight t₂", [u], best[1:], palette.ORANGE, size=13, label=""),
        ],
        layout=layout(axis(-4, 4, (-4, -2, 0, 2, 4)), UP_TO_1),
    )
    tie = " Every t is as good as any other here; the rule is to take the first piece." if beta == 1 and u == 0 else ""
    readout = (
        f"Code ([t1|{best[0]:.3f}], [t2|{best[1]:.3f}]).{tie}\nβ·[t2|t₂]·u + (1 − β)·[entropy|H(t)]\n"
        f"= {beta:.2f}·[t2|{best[1]:.2f}]·{factor(u)} + {1 - beta:.2f}·[entropy|{undecided:.2f}]\n= {number(height)}"
    )
    return Frame([problem, answer], readout)


def unit_figure() -> InteractiveFigure:
    """One slider from linear over soft to hard, for ReLU, leaky ReLU and the absolute value."""
    units = choice("unit", "Unit", tuple(FIRST_SLOPES), start="ReLU")
    caption = (
        "Move β from 0 to 1: the straight line bends until it is the kink of the hard unit, and the two weights swap "
        "over a shorter and shorter stretch. Then choose another unit: only the first piece has changed (ν = ¼)."
    )
    return InteractiveFigure("relu-to-swish", unit_frame, [units, beta_axis(0.02, plays=True)], caption=caption)


def objective_figure() -> InteractiveFigure:
    """The problem behind the code, with sliders for β and for the input."""
    named: dict[Value, str] = {-1.0: "first wins", 0.0: "tie", 1.0: "second wins"}
    dot = Handle(1, "x", "the code: the best weight t₂")
    inputs = sliding("u", "u, the input", -1, 1, 0.05, start=1.0, named=named, say=saying("u"), handle=dot)
    caption = (
        "The dot is the best weight: at an end at β = 1, where only the dashed score counts, in the middle at β = 0, "
        "where only the dotted entropy does. Move u, and in <em>The answer</em> it slides along the curve."
    )
    return InteractiveFigure("beta-code", objective_frame, [beta_axis(0.02), inputs], caption=caption, traced=True)
