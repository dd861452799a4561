"""Selection under Gaussian, exponential and Lomax noise; the functions that are no entropy's."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from betavq import beta_from_eta

from .coordinates import Coordinates, constant, constants, line
from .entry import Entry

ZERO, U = constant(0), line(1)
RELU = (ZERO, U)
UNIT = beta_from_eta(1.0)  # scale 1
WIDTH = 0.7  # of the CELU that is shown
LAMBDA, ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717  # of SELU

NOISES = (
    Entry(
        "GELU",
        "F.gelu(u)",
        F.gelu,
        Coordinates(RELU, "gaussian", UNIT),
        "The ReLU's value u Φ(u) if standard normal noise selects.",
        "GELU",
    ),
    Entry(
        "Probit",
        "torch.special.ndtr(u)",
        torch.special.ndtr,
        Coordinates(RELU, "gaussian", UNIT, (constants(0, 1),)),
        "The gate of GELU: the probability Φ(u) that the second piece wins.",
    ),
    Entry(
        "ELU",
        "F.elu(u)",
        F.elu,
        Coordinates((constant(-1), line(1, -1)), "exponential", UNIT, (), 1),
        "The expected maximum of −1 and u + ε − 1 with ε exponential of mean 1.",
        "ELU",
    ),
    Entry(
        "CELU",
        "F.celu(u, 0.7)",
        lambda u: F.celu(u, WIDTH),
        Coordinates((constant(-WIDTH), line(1, -WIDTH)), "exponential", beta_from_eta(1 / WIDTH), (), 1),
        "ELU with noise of mean α: α ELU(u/α).",
        "CELU",
    ),
    Entry(
        "SELU",
        "F.selu(u)",
        F.selu,
        Coordinates((constant(-1), line(1, -1)), "exponential", UNIT, (constants(-LAMBDA * (ALPHA - 1), 0),), LAMBDA),
        "λ times ELU, plus the code of the same noise read out as −λ(α − 1) and 0. That code stops to rise at 0, "
        "which makes the slope drop there. An ELU with α ≠ 1 is the same with λ = 1.",
        "SELU",
    ),
    Entry(
        "Softsign",
        "F.softsign(u)",
        F.softsign,
        Coordinates(RELU, "lomax", UNIT, (constants(-1, 1),)),
        "The ReLU's code under noise of density 1/(2(1 + |ε|)²), read out as −1 and 1.",
        "Softsign",
    ),
)
