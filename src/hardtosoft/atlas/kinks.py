"""Hard selection, β = 1: functions of straight lines, with corners and with jumps."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .coordinates import Coordinates, constant, constants, line
from .entry import Entry

LEAK, LEARNED, DRAWN = 0.01, 0.25, (1 / 8 + 1 / 3) / 2  # of LeakyReLU, a fresh PReLU, and RReLU once trained
TAU = 0.5  # of both shrinking functions

ZERO, U = constant(0), line(1)
SIDES = (ZERO, line(-1, -TAU), line(1, -TAU))  # |u| ≤ τ, u below −τ, u above τ


def _leaky(slope: float) -> Coordinates:
    return Coordinates((line(slope), U))


KINKS = (
    Entry("Identity", "u", lambda u: u, Coordinates((U,)), "One piece: there is nothing to select.", "Identity"),
    Entry("ReLU", "F.relu(u)", F.relu, Coordinates((ZERO, U)), "The larger of 0 and u.", "ReLU"),
    Entry(
        "Leaky ReLU",
        "F.leaky_relu(u)",
        F.leaky_relu,
        _leaky(LEAK),
        "The first piece has a slope: 0.01 by default.",
        "LeakyReLU",
    ),
    Entry(
        "PReLU",
        "F.prelu(u, 0.25)",
        lambda u: F.prelu(u, torch.full((1,), LEARNED, dtype=u.dtype)),
        _leaky(LEARNED),
        "A leaky ReLU that learns its slope ν ≤ 1, which starts at ¼. With ν > 1 it is the smaller piece, read out of "
        "the hard code of (−νu, −u).",
        "PReLU",
    ),
    Entry(
        "RReLU",
        "F.rrelu(u)",
        F.rrelu,
        _leaky(DRAWN),
        "Out of training its slope is the mean of those it draws, 11/48; in training each draw is a leaky ReLU.",
        "RReLU",
    ),
    Entry(
        "Absolute value",
        "u.abs()",
        torch.abs,
        Coordinates((line(-1), U)),
        "The larger of −u and u: a leak of slope −1.",
    ),
    Entry(
        "ReLU6",
        "F.relu6(u)",
        F.relu6,
        Coordinates((ZERO, U, line(2, -6)), readouts=((ZERO, U, constant(6)),)),
        "Three pieces that win below 0, up to 6 and beyond; beyond, a constant is read out.",
        "ReLU6",
    ),
    Entry(
        "Threshold",
        "F.threshold(u, 0.1, 20)",
        lambda u: F.threshold(u, 0.1, 20.0),
        Coordinates((ZERO, line(1, -0.1)), readouts=((constant(20), U),)),
        "Scores 0 and u − θ decide; read out are the replacement and u. A tie goes to the first piece, as in PyTorch.",
        "Threshold",
    ),
    Entry(
        "Hardshrink",
        "F.hardshrink(u)",
        F.hardshrink,
        Coordinates(SIDES, readouts=((ZERO, U, U),)),
        "The hard code of soft thresholding, τ = ½, read out as 0 and u.",
        "Hardshrink",
    ),
    Entry(
        "Softshrink",
        "F.softshrink(u)",
        F.softshrink,
        Coordinates(SIDES, readouts=((ZERO, line(1, TAU), line(1, -TAU)),)),
        "The same code, read out as 0, u + τ and u − τ. It is no maximum: below −τ it bends the other way.",
        "Softshrink",
    ),
    Entry(
        "Sign",
        "u.sign()",
        torch.sign,
        Coordinates((ZERO, line(-1), U), readouts=(constants(0, -1, 1),)),
        "The code of |u| with a piece 0 that wins the tie at 0, read out as 0, −1 and 1.",
    ),
    Entry(
        "Step",
        "torch.heaviside(u, 0)",
        lambda u: torch.heaviside(u, u.new_zeros(())),
        Coordinates((ZERO, U), readouts=(constants(0, 1),)),
        "The hard code of the ReLU: which piece wins. It is the sigmoid at β = 1.",
    ),
)
