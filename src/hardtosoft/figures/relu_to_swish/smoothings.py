"""Two ways to smooth a maximum: how far each is from the hard unit."""

from __future__ import annotations

from math import e, exp, log

import torch

import betavq

from ...drawing.looks import GRID, INPUT_AXIS, INPUTS
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line
from ...interactive.names import label
from ...interactive.numbers import number
from .units import scores

PIECES = scores("ReLU", INPUTS)
HARD = betavq.value(PIECES, 1.0)


def gap_constant(pieces: int) -> float:
    """The largest (maximum − value)·η for so many pieces: Lambert's W((R − 1)/e), by Newton's method."""
    goal, w = (pieces - 1) / e, log(pieces) / 2
    for _ in range(50):
        w -= (w * exp(w) - goal) / (exp(w) * (1 + w))
    return w


def gap_bound(beta: float, pieces: int = 2) -> float:
    """The largest possible gap between the hard unit and its β-VQ value: for two pieces 0.2785/η."""
    return gap_constant(pieces) / betavq.eta_from_beta(beta)


def largest_gap(beta: float) -> float:
    """The largest gap on a grid of inputs that shrinks with the bumps: fine enough for six digits at every β."""
    if beta == 1:
        return 0.0
    pieces = scores("ReLU", torch.linspace(-3, 3, 6001, dtype=torch.float64) / betavq.eta_from_beta(beta))
    return (betavq.value(pieces, 1.0) - betavq.value(pieces, beta)).max().item()


def gap_frame(beta: float) -> Frame:
    """The gap between ReLU and its β-VQ value over the input, and its height against β."""
    gap = HARD - betavq.value(PIECES, beta)
    bound, largest = gap_bound(beta), largest_gap(beta)
    told = label("bound 0.2785/η", at=0.9, side="n")
    over_input = Panel(
        title="ReLU minus its soft version",
        xlabel="input u",
        alt="At β = 1 there is no gap."
        if beta == 1
        else f"Two equal bumps left and right of the kink; at β = {beta:.2f} none is higher than {bound:.3f}.",
        traces=[
            line("the gap at this β", GRID, gap, palette.BLUE, width=4.5, label="gap"),
            line("the bound 0.2785/η", (-5.0, 10.0), [bound, bound], palette.GREY, dash="dash", width=2, label=told),
        ],
        layout=layout(INPUT_AXIS, axis(-0.06, 0.95, (0, 0.2, 0.4, 0.6, 0.8))),
    )
    bounds = gap_constant(2) / betavq.eta_from_beta(torch.linspace(0.25, 1, 76, dtype=torch.float64))
    over_beta = Panel(
        title="The bound against β",
        xlabel="hardness β",
        alt="The largest gap falls to zero as β goes to 1.",
        traces=[
            line("the bound 0.2785/η", (0.25, 0.01), bounds, palette.GREY, dash="dash", label=label("bound", x=0.45)),
            dots("largest gap found", [beta], [largest], palette.BLUE, size=12, label="largest gap"),
        ],
        layout=layout(axis(0.2, 1.05, (0.25, 0.5, 0.75, 1)), axis(-0.06, 0.95, (0, 0.2, 0.4, 0.6, 0.8))),
    )
    if beta == 1:
        return Frame([over_input, over_beta], "η = ∞: no gap.")
    readout = f"η = {betavq.eta_from_beta(beta):.2f}: largest gap {largest:.4f}, bound {bound:.4f}."
    return Frame([over_input, over_beta], readout)


def softplus_frame(beta: float) -> Frame:
    """Softplus beside swish: the free energy and the value of the same code, and the entropy between them."""
    free = betavq.free_energy(PIECES, beta)
    value = betavq.value(PIECES, beta)
    code = betavq.code(PIECES, beta)
    entropy = torch.special.entr(code).sum(-1)
    eta = betavq.eta_from_beta(beta)
    softplus = label("softplus", x=-0.4, side="nw")
    curves = Panel(
        title="One code, two outputs",
        xlabel="input u",
        alt="At β = 1 softplus and swish are both ReLU."
        if beta == 1
        else "Softplus stays above ReLU and is convex; swish stays below it and dips under zero.",
        traces=[
            line("ReLU", GRID, HARD, palette.GREY, dash="dash", width=1.5, label=label("ReLU", x=-4.2)),
            line("value: swish", GRID, value, palette.BLUE, width=4.5, label=label("swish", x=-1.6, side="s")),
            line("free energy: softplus(ηu)/η", GRID, free, palette.INK, dash="dashdot", width=2, label=softplus),
        ],
        layout=layout(INPUT_AXIS, axis(-1.5, 5, (0, 2, 4))),
    )
    entropy_name = label("entropy ÷ η", x=1.2)
    between = Panel(
        title="What lies between them",
        xlabel="input u",
        alt="The difference of the two outputs is the entropy of the code divided by η, at every input.",
        traces=[
            line("free energy − value", GRID, free - value, palette.GREY, width=6, label=label("difference", x=-1.5)),
            line("entropy of the code ÷ η", GRID, entropy / eta, palette.ENTROPY, dash="dot", label=entropy_name),
        ],
        layout=layout(INPUT_AXIS, axis(-0.05, 2.2, (0, 0.5, 1, 1.5, 2))),
    )
    middle = len(INPUTS) // 2
    at_zero = (number(found[middle], 3) for found in (free, value, entropy / eta))
    readout = ("free energy = [value|value] + [entropy|H(t)] ÷ η\nAt u = 0:\n{} = [value|{}] + [entropy|{}]").format(
        *at_zero
    )
    return Frame([curves, between], readout)


def gap_figure() -> InteractiveFigure:
    """How far the soft unit is from the hard one, and the bound that it meets."""
    caption = (
        "Move β towards 1: the two bumps shrink and move together, and their height follows the dashed bound exactly. "
        "The slider starts at ¼: at β = 0 the gap has no largest value."
    )
    return InteractiveFigure("hard-soft-gap", gap_frame, [beta_axis(low=0.25)], caption=caption)


def softplus_figure() -> InteractiveFigure:
    """Softplus beside swish for β from ¼ to 1: at β = 0 the free energy is infinite."""
    caption = (
        "Move β to 1: both curves close in on ReLU, softplus from above, swish from below. Their difference and the "
        "entropy of the code divided by η never part. The slider starts at ¼: at β = 0 the free energy is infinite."
    )
    return InteractiveFigure("softplus-swish", softplus_frame, [beta_axis(low=0.25)], caption=caption, traced=True)
