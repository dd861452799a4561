"""Soft selection by an entropy: Shannon's, as under logistic noise, or the quadratic one, as under uniform noise."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from betavq import beta_from_eta

from .coordinates import Affine, Coordinates, constant, constants, line
from .entry import Entry

ZERO, U, MINUS_U = constant(0), line(1), line(-1)
RELU, ABS = (ZERO, U), (MINUS_U, U)
SOFT = beta_from_eta(1.0)
QUICK = 1.702  # the η of what is called QuickGELU
BEND = 2.0  # a softplus with a corner twice as sharp
LOG_2 = math.log(2)

GATES = (
    Entry(
        "Sigmoid",
        "torch.sigmoid(u)",
        torch.sigmoid,
        Coordinates(RELU, beta=SOFT, readouts=(constants(0, 1),)),
        "The soft code of the ReLU's pieces: softmax of (0, u).",
        "Sigmoid",
    ),
    Entry(
        "Tanh",
        "torch.tanh(u)",
        torch.tanh,
        Coordinates(ABS, beta=SOFT, readouts=(constants(-1, 1),)),
        "The soft code of |u|, read out as the slopes −1 and 1 of its pieces.",
        "Tanh",
    ),
    Entry(
        "SiLU",
        "F.silu(u)",
        F.silu,
        Coordinates(RELU, beta=SOFT),
        "The soft value of the ReLU's pieces, u σ(u).",
        "SiLU",
    ),
    Entry(
        "Swish",
        "u * torch.sigmoid(1.702 * u)",
        lambda u: u * torch.sigmoid(QUICK * u),
        Coordinates(RELU, beta=beta_from_eta(QUICK)),
        "The ReLU's value u σ(ηu) at any β; at η = 1.702 it is known as QuickGELU.",
    ),
    Entry(
        "Soft absolute value",
        "u * torch.tanh(u)",
        lambda u: u * torch.tanh(u),
        Coordinates(ABS, beta=SOFT),
        "The soft value of |u|: (σ(2u) − σ(−2u)) u.",
    ),
    Entry(
        "Tanhshrink",
        "F.tanhshrink(u)",
        F.tanhshrink,
        Coordinates(ABS, beta=SOFT, readouts=((line(1, 1), line(1, -1)),)),
        "The code of tanh, read out as u + 1 and u − 1.",
        "Tanhshrink",
    ),
    Entry(
        "Softplus",
        "F.softplus(u, beta=2, threshold=80)",
        lambda u: F.softplus(u, beta=BEND, threshold=80),
        Coordinates(RELU, beta=beta_from_eta(BEND), readouts=(), energy=1),
        "The ReLU's free energy log(1 + exp ηu)/η. PyTorch calls η beta; its default, 1, is β = ½. Where ηu is above "
        "its threshold, 20 by default, PyTorch returns u, which is up to exp(−20)/η away.",
        "Softplus",
    ),
    Entry(
        "LogSigmoid",
        "F.logsigmoid(u)",
        F.logsigmoid,
        Coordinates((ZERO, MINUS_U), beta=SOFT, readouts=(), energy=-1),
        "Minus the free energy of (0, −u): the soft minimum of 0 and u.",
        "LogSigmoid",
    ),
    Entry(
        "Mish",
        "F.mish(u)",
        F.mish,
        Coordinates((constant(LOG_2), line(1, LOG_2), line(2)), beta=SOFT, readouts=((ZERO, U, U),)),
        "tanh(softplus u) = (2e^u + e^2u)/(2 + 2e^u + e^2u): three pieces, the last two read out as u.",
        "Mish",
        pieces="log 2, u + log 2, 2u",
    ),
    Entry(
        "GLU",
        "F.glu((a, b))",
        lambda x: F.glu(x).squeeze(-1),
        Coordinates((constant(0, 2), Affine((0.0, 1.0))), beta=SOFT, readouts=((constant(0, 2), Affine((1.0, 0.0))),)),
        "One half b of the inputs selects, the other half a is read out: a σ(b).",
        "GLU",
    ),
    Entry(
        "Hardsigmoid",
        "F.hardsigmoid(u)",
        F.hardsigmoid,
        Coordinates(RELU, "quadratic", beta_from_eta(1 / 3), (constants(0, 1),)),
        "The ReLU's code clip(½ + ηu/2, 0, 1) at η = ⅓; noise that is uniform on [−3, 3].",
        "Hardsigmoid",
    ),
    Entry(
        "Hardswish",
        "F.hardswish(u)",
        F.hardswish,
        Coordinates(RELU, "quadratic", beta_from_eta(1 / 3)),
        "The ReLU's value with that code: swish with another entropy.",
        "Hardswish",
    ),
    Entry(
        "Hardtanh",
        "F.hardtanh(u)",
        F.hardtanh,
        Coordinates(ABS, "quadratic", beta_from_eta(1 / 2), (constants(-1, 1),)),
        "The code of |u|, read out as −1 and 1: clip(2ηu, −1, 1) at η = ½.",
        "Hardtanh",
    ),
)
