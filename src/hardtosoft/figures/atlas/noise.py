"""One slot for the noise: the ReLU's two pieces, selected under any of five disturbances of any scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from betavq import noise

from ...drawing.looks import UP_TO_1
from ...interactive import palette
from ...interactive.axes import Value, check_option, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, heatmap, layout, line
from ...interactive.numbers import number, saying, short

REACH, STEP = 5.0, 0.1
INPUTS = torch.linspace(-REACH, REACH, 101, dtype=torch.float64)
GRID = (-REACH, STEP)
# The area under the density is drawn in cells; every input on the slider lies on an edge between two of them.
COLUMNS, ROWS, TOP = 80, 48, 1.05
CENTRES = torch.linspace(-REACH, REACH, 2 * COLUMNS + 1, dtype=torch.float64)[1::2]
NOISES: dict[str, noise.Noise] = {  # as they are written, and as the library calls them
    "logistic": "logistic",
    "uniform": "uniform",
    "Gaussian": "gaussian",
    "exponential": "exponential",
    "Lomax": "lomax",
}
Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Own:
    """What PyTorch has of one noise: the scale at which it does, and each function with the call that says it."""

    scale: float
    share: tuple[str, Function] | None = None
    value: tuple[str, Function] | None = None
    maximum: tuple[str, Function] | None = None

    @property
    def calls(self) -> str:
        """Their names, one after the other."""
        return ", ".join(found[0] for found in (self.share, self.value, self.maximum) if found)


OWN = {
    "logistic": Own(1.0, ("torch.sigmoid(u)", torch.sigmoid), ("F.silu(u)", F.silu), ("F.softplus(u)", F.softplus)),
    "uniform": Own(3.0, ("F.hardsigmoid(u)", F.hardsigmoid), ("F.hardswish(u)", F.hardswish)),
    "Gaussian": Own(1.0, ("torch.special.ndtr(u)", torch.special.ndtr), ("F.gelu(u)", F.gelu)),
    "exponential": Own(1.0, maximum=("F.elu(u) + 1", lambda u: F.elu(u) + 1)),
    "Lomax": Own(1.0, ("(1 + F.softsign(u)) / 2", lambda u: (1 + F.softsign(u)) / 2)),
}


def scores(inputs: Tensor) -> Tensor:
    """The two piece values of a ReLU at each input, ``(N, 2)``."""
    return torch.stack([torch.zeros_like(inputs), inputs], dim=-1)


def density(name: str, scale: float, places: Tensor) -> Tensor:
    """The density of the noise: its chance to be above −u grows with u at this rate, so it is a slope of the code."""
    inputs = (-places).clone().requires_grad_()
    share = noise.code(scores(inputs), _noise(name), scale)[:, 1]
    return torch.autograd.grad(share.sum(), inputs)[0]


def outputs(name: str, scale: float, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Share of the second piece, value and expected maximum at each input; NaN where that has no finite value."""
    pieces, kind = scores(inputs), _noise(name)
    maximum = noise.maximum(pieces, kind, scale)
    share = noise.code(pieces, kind, scale)[:, 1]
    return share, noise.value(pieces, kind, scale), torch.where(maximum.isfinite(), maximum, math.nan)


def slot_frame(disturbance: str, scale: float, u: float) -> Frame:
    """The noise with the part of it that lets the second piece win, and the three read-outs over the input.

    Raises:
        ValueError: a ``disturbance`` that is not one of the five.
    """
    share, value, maximum = outputs(disturbance, scale, INPUTS)
    own = OWN[disturbance]
    here = torch.tensor([u], dtype=torch.float64)
    share_here, value_here, maximum_here = outputs(disturbance, scale, here)
    chance = share_here.item()
    what = f"s = {scale:g}: at u = {short(u)}"
    gate = Panel(
        title="Code: the chance of the second piece",
        xlabel="input u",
        alt=_of_gate(disturbance, scale),
        traces=[
            _pytorch(own.share, INPUTS[::5], "PyTorch’s own"),
            line("its chance, t₂", GRID, share, palette.ORANGE, width=4, label="t₂"),
            dots("at this u", [u], share_here, palette.ORANGE, size=13, label=""),
        ],
        layout=layout(axis(-REACH, REACH, (-4, -2, 0, 2, 4)), UP_TO_1),
    )
    output = Panel(
        title="Value and expected maximum",
        xlabel="input u",
        alt=_of_output(disturbance, scale),
        traces=[
            _pytorch(own.value, INPUTS[::5]),
            _pytorch(own.maximum, INPUTS[::5]),
            line("value", GRID, value, palette.BLUE, width=4, label=True),
            line("expected maximum", GRID, maximum, palette.INK, dash="dash", label=True),
            dots("value at this u", [u], value_here, palette.BLUE, size=13, label=""),
            dots("maximum at this u", [u], maximum_here, palette.INK, size=10, symbol="square", label=""),
        ],
        layout=layout(axis(-REACH, REACH, (-4, -2, 0, 2, 4)), axis(-1.3, 5.2, (-1, 0, 1, 2, 3, 4, 5))),
    )
    is_finite = bool(maximum_here.isfinite())
    most = f"expected maximum {number(maximum_here.item(), 3)}" if is_finite else "no finite expected maximum"
    numbers = (
        f"\n[t2|t₂], the chance of u: [t2|{chance:.3f}]\n[value|value] = [t2|t₂]·u = [value|{number(value_here, 3)}]"
    )
    known = f"PyTorch's, at s = {own.scale:g}: {own.calls}."
    readout = f"{_noise(disturbance).capitalize()} noise, {what}:{numbers}\n{most}\n{known}"
    return Frame([_noise_panel(disturbance, scale, u, chance), gate, output], readout)


def _noise_panel(name: str, scale: float, u: float, chance: float) -> Panel:
    """The density, and tinted the area of it that lies to the right of −u."""
    curve = density(name, scale, INPUTS)
    heights = density(name, scale, CENTRES)
    if scale == 0:  # all of it at 0: a spike
        curve = torch.where(INPUTS.abs() < STEP / 2, 2 * TOP, 0.0)
    edges = torch.linspace(0, TOP, ROWS + 1, dtype=torch.float64)[:-1, None]
    filled = ((heights - edges) / (TOP / ROWS)).clamp(0, 1) * (-u < CENTRES)
    return Panel(
        title="Noise: tinted, the second piece wins",
        xlabel="disturbance ε",
        alt=f"At u = {short(u)} the second piece wins with the chance {chance:.2f}, the area right of −u.",
        traces=[
            heatmap("the second piece wins", filled, (-REACH, REACH), (0.0, TOP), palette.ORANGE),
            line("density of the noise", GRID, curve, palette.INK, width=2, label="density"),
            line("ε = −u: the pieces tie", [-u, -u], [0.0, TOP], palette.ORANGE, dash="dash", width=2, label="ε = −u"),
        ],
        layout=layout(axis(-REACH, REACH, (-4, -2, 0, 2, 4), grid=False), axis(0, TOP, (0, 0.5, 1), ("0", "½", "1"))),
    )


def _pytorch(own: tuple[str, Function] | None, inputs: Tensor, label: str = "") -> dict[str, object]:
    """PyTorch's own function as dots for a curve to pass through; absent where there is none."""
    heights = own[1](inputs) if own else torch.full_like(inputs, math.nan)
    return dots("PyTorch's own", inputs, heights, palette.GREY, size=9, label=label)


def _of_gate(name: str, scale: float) -> str:
    own = OWN[name]
    if scale == 0:
        return "Without noise the chance is a step at u = 0."
    if own.share and scale == own.scale:
        return f"The chance is {own.share[0]} at every u."
    return "The chance climbs from 0 to 1 with u, the more slowly the larger the scale."


def _of_output(name: str, scale: float) -> str:
    own = OWN[name]
    if scale == 0:
        return "Without noise the value and the maximum are both the ReLU."
    met = [found[0] for found in (own.value, own.maximum) if found and scale == own.scale]
    if met:
        return f"The curves are {' and '.join(met)} at every u."
    beyond = "the expected maximum has no finite value" if name == "Lomax" else "the expected maximum never below it"
    return f"The value is never above the ReLU, {beyond}."


def _noise(name: str) -> noise.Noise:
    """The library's name of it."""
    check_option("noise", name, NOISES)
    return NOISES[name]


def slot_figure() -> InteractiveFigure:
    """One choice for the noise, a slider for its scale, a slider for the input."""
    named: dict[Value, str] = {0.0: "hard", 1.0: "one", 3.0: "three"}
    axes = [
        choice("disturbance", "Noise", tuple(NOISES), start="logistic"),
        sliding("scale", "s, the scale of the noise", 0, 4, 0.25, start=1.0, named=named, say=saying("s")),
        sliding("u", "u, the input", -3, 3, 0.5, start=1.0, say=saying("u", 1)),
    ]
    caption = (
        "The grey dots are PyTorch's own. Choose a noise, and move s until the curves pass through them: at s = 1 for "
        "all but uniform noise, which runs from −s to s and needs s = 3. Then move u, and compare the tinted area "
        "of the first picture with the height of the dot in the second. At s = 0 nothing is left of the noise, and "
        "all five give the ReLU."
    )
    return InteractiveFigure("noise-slot", slot_frame, axes, caption=caption, traced=True)
