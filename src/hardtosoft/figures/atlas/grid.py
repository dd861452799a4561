"""The atlas as a grid of live curves: a row a noise, a column a read-out, and one β for all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from betavq import eta_from_beta, noise

from ...interactive import palette
from ...interactive.axes import Value, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, array, axis, layout, line
from ...interactive.overlays import texts, veil
from .noise import NOISES, OWN, Own, scores

REACH = 4.0
INPUTS = torch.linspace(-REACH, REACH, 65, dtype=torch.float64)
#: The read-outs: heading, the name of PyTorch's own, the curve, its colour, and heights at the cell's foot and top.
READOUTS: tuple[tuple[str, str, Callable[..., Tensor], str, tuple[float, float]], ...] = (
    ("code t₂", "share", lambda *given: noise.code(*given)[:, 1], palette.ORANGE, (-0.1, 1.9)),
    ("value", "value", noise.value, palette.BLUE, (-0.9, 5.9)),
    ("maximum", "maximum", noise.maximum, palette.INK, (-0.9, 5.9)),
)
WIDE, TALL = 0.94, 0.76  # of a cell, in columns and rows
SHORT = {
    "torch.sigmoid(u)": "sigmoid",
    "F.silu(u)": "SiLU",
    "F.softplus(u)": "softplus",
    "F.hardsigmoid(u)": "hardsigmoid",
    "F.hardswish(u)": "Hardswish",
    "torch.special.ndtr(u)": "Φ",
    "F.gelu(u)": "GELU",
    "F.elu(u) + 1": "ELU + 1",
    "(1 + F.softsign(u)) / 2": "½ + softsign/2",
}
LOWEST = 0.2


def own_name(own: Own, readout: str) -> str:
    """What PyTorch calls the read-out of a noise at the scale that ``own`` states; empty where it has none."""
    found = getattr(own, readout)
    return SHORT[found[0]] if found else ""


def placed(curve: Tensor, row: int, column: int) -> Array:
    """A curve over INPUTS as points in the cell of a row and a column, with a gap after it; NaN outside the cell."""
    low, high = READOUTS[column][4]
    up = torch.where(curve.isfinite() & (curve <= high) & (curve >= low), (curve - low) / (high - low), torch.nan)
    across = column + WIDE * (INPUTS + REACH) / (2 * REACH)
    points = np.stack([array(across), array(len(NOISES) - 1 - row + TALL * up)], -1)
    return np.concatenate([points, np.full((1, 2), np.nan)])


def grid_frame(beta: float) -> Frame:
    """Every read-out of every noise at β, over what it is at β = 1."""
    scale = 0.0 if beta == 1 else 1 / eta_from_beta(beta)
    pieces = scores(INPUTS)
    cells = [(row, column) for row in range(len(NOISES)) for column in range(len(READOUTS))]
    boxes = [[(0, 0), (WIDE, 0), (WIDE, TALL), (0, TALL), (np.nan, np.nan)]]
    ground = np.concatenate([boxes[0] + np.array([column, len(NOISES) - 1 - row]) for row, column in cells])
    traces = [veil("cells", ground, palette.GREY, opacity=0.1)]
    for column, (heading, _, readout, colour, _) in enumerate(READOUTS):
        for name, at, look in ((f"{heading} at β = 1", 0.0, palette.GREY), (heading, scale, colour)):
            drawn = [placed(readout(pieces, kind, at), row, column) for row, kind in enumerate(NOISES.values())]
            x, y = np.concatenate(drawn).T
            traces.append(line(name, x, y, look, width=1.2 if look == palette.GREY else 3, label=""))
    told = [own_name(OWN[kind], readout) for kind in NOISES for _, readout, *_ in READOUTS]
    lit = [abs(OWN[kind].scale - scale) < 1e-6 for kind in NOISES for _ in READOUTS]
    x, y = np.array([(column + 0.04, len(NOISES) - 1 - row + TALL - 0.05) for row, column in cells]).T
    for colour, shown in ((palette.GREY, False), (palette.INK, True)):
        said = [text if is_lit == shown else "" for text, is_lit in zip(told, lit, strict=True)]
        traces.append(texts(said, x, y, colour, side="se"))
    left = [(0, len(NOISES) - 1 - row + TALL + 0.03) for row in range(len(NOISES))]
    x, y = np.array(left).T
    traces.append(texts([f"{kind} noise" for kind in NOISES], x, y, side="ne"))
    heads = [heading for heading, *_ in READOUTS]
    traces.append(texts(heads, WIDE / 2 + np.arange(len(heads)), [len(NOISES) + 0.17] * len(heads), palette.GREY))
    met = [text for text, is_lit in zip(told, lit, strict=True) if is_lit and text]
    panel = Panel(
        title="A row a noise, a column a read-out",
        xlabel=f"in every cell the input u, from −{REACH:g} to {REACH:g}",
        alt="Every curve is a ReLU at β = 1 and grows softer as β falls, each noise in its own way."
        if beta == 1
        else f"At β = {beta:.2f} the curves are soft; "
        + (f"they are {', '.join(met)}." if met else "none has a name."),
        traces=traces,
        layout=layout(
            axis(-0.01, len(heads) - 0.05, (), grid=False),
            axis(
                -0.02,
                len(NOISES) + 0.35,
                (),
                grid=False,
            ),
        ),
        aspect=0.85,
        large=True,
    )
    return Frame([panel], f"s = {scale:.2f}: {', '.join(met) or 'no name of PyTorch’s here'}.")


def grid_figure() -> InteractiveFigure:
    """One slider for the scale of every noise."""
    named: dict[Value, str] = {0.25: "s = 3", 0.5: "s = 1", 1.0: "hard"}
    label = "β, of all of them"
    beta = sliding("beta", label, LOWEST, 1.0, 0.01, start=0.5, named=named, say=lambda v: f"β = {float(v):.2f}")
    caption = (
        "Thin: the hard one. Move β from 1 to ½ and to ¼: a name turns dark where its curve is PyTorch’s own. A cell "
        "without a name has none in PyTorch; the expected maximum under Lomax noise is infinite."
    )
    return InteractiveFigure("atlas-grid", grid_frame, [beta], caption=caption)
