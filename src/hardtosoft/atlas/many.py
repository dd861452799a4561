"""Functions of several inputs, each of them a piece: softmax and its kin, poolings, attention.

They are shown for a few inputs; with more there are more pieces of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from betavq import beta_from_eta

from .coordinates import Affine, Coordinates, constants, entry_of
from .entry import Entry

R = 4  # inputs: the entries of a vector, or a window of 2 × 2
SOFT = beta_from_eta(1.0)
XS = tuple(entry_of(r, R) for r in range(R))
MINUS_XS = tuple(entry_of(r, R, -1.0) for r in range(R))
SHARES = tuple(constants(*(float(r == s) for s in range(R)), inputs=R) for r in range(R))

# One query meets three keys and brings back a mean of their values.
KEYS = ((1.0, 0.0, -0.5, 0.25), (0.5, -1.0, 0.0, 0.5), (-0.25, 0.75, 1.0, -1.0))
VALUES = ((1.0, -2.0), (0.5, 3.0), (-1.0, 0.25))
TEMPERATURE = len(KEYS[0]) ** 0.5


def _window(pool: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A pooling of images as a function of one window, ``(N, 4)``."""
    return lambda x: pool(x.reshape(-1, 1, 2, 2)).reshape(x.shape[:-1])


def _sparsemax(x: Tensor) -> Tensor:
    """x − τ where positive, with τ the largest over k of (the sum of the k largest entries − 1)/k."""
    counts = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    tau = ((x.sort(-1, descending=True).values.cumsum(-1) - 1) / counts).amax(-1, keepdim=True)
    return (x - tau).clamp(min=0)


def _attention(query: Tensor) -> Tensor:
    keys, values = (torch.tensor(rows, dtype=query.dtype) for rows in (KEYS, VALUES))
    return F.scaled_dot_product_attention(query.unsqueeze(-2), keys, values).squeeze(-2)


def _vector(
    name: str, function: Callable[..., Tensor], coordinates: Coordinates, derivation: str, readout: str
) -> Entry:
    pieces = "−x₁, …, −x_R" if coordinates.pieces == MINUS_XS else "x₁, …, x_R"
    call = f"F.{function.__name__}(x, dim=-1)"
    return Entry(name, call, lambda x: function(x, dim=-1), coordinates, derivation, name, "", pieces, readout)


def _pooling(
    name: str, call: str, reference: Callable[[Tensor], Tensor], c: Coordinates, derivation: str, module: str = ""
) -> Entry:
    readout = "R x₁, …, R x_R" if c.readouts else ""
    return Entry(name, call, reference, c, derivation, module, "", "x₁, …, x_R", readout)


MANY = (
    _vector(
        "Softmax",
        F.softmax,
        Coordinates(XS, beta=SOFT, readouts=SHARES),
        "The soft code itself: read out are the corners of the simplex.",
        "e₁, …, e_R",
    ),
    _vector(
        "Softmin",
        F.softmin,
        Coordinates(MINUS_XS, beta=SOFT, readouts=SHARES),
        "The soft code of the negative inputs.",
        "e₁, …, e_R",
    ),
    Entry(
        "Softmax2d",
        "nn.Softmax2d()(x)",
        lambda x: torch.nn.Softmax2d()(x[..., None, None])[..., 0, 0],
        Coordinates(XS, beta=SOFT, readouts=SHARES),
        "Softmax over the channels of one pixel.",
        "Softmax2d",
        pieces="x₁, …, x_R",
        readout="e₁, …, e_R",
    ),
    _vector(
        "LogSoftmax",
        F.log_softmax,
        Coordinates(XS, beta=SOFT, readouts=tuple((x,) * R for x in XS), energy=-1),
        "An input minus the free energy of all; at β = ½ it is the logarithm of the code.",
        "x − free energy",
    ),
    Entry(
        "Sparsemax",
        "entmax.sparsemax(x, dim=-1)",
        _sparsemax,
        Coordinates(XS, "quadratic", SOFT, SHARES),
        "Softmax with the quadratic entropy: poor pieces have no share at all.",
        pieces="x₁, …, x_R",
        readout="e₁, …, e_R",
    ),
    _pooling(
        "Max-pooling",
        "F.max_pool2d(x, 2)",
        _window(lambda x: F.max_pool2d(x, 2)),
        Coordinates(XS),
        "The inputs of a window are the pieces; the largest wins.",
        "MaxPool2d",
    ),
    _pooling(
        "Average-pooling",
        "F.avg_pool2d(x, 2)",
        _window(lambda x: F.avg_pool2d(x, 2)),
        Coordinates(XS, beta=0.0),
        "Max-pooling at β = 0, where all pieces have the same share.",
        "AvgPool2d",
    ),
    _pooling(
        "SoftPool",
        "(F.softmax(x, -1) * x).sum(-1)",
        lambda x: (F.softmax(x, -1) * x).sum(-1),
        Coordinates(XS, beta=SOFT),
        "Max-pooling at β = ½.",
    ),
    _pooling(
        "Log-sum-exp pooling",
        "x.logsumexp(-1)",
        lambda x: x.logsumexp(-1),
        Coordinates(XS, beta=SOFT, readouts=(), energy=1),
        "The free energy of a window where SoftPool is its value.",
    ),
    _pooling(
        "Sum-pooling",
        "F.lp_pool2d(x, 1, 2)",
        _window(lambda x: F.lp_pool2d(x, 1.0, 2)),
        Coordinates(XS, beta=0.0, readouts=(tuple(entry_of(r, R, float(R)) for r in range(R)),)),
        "The mean of R times the inputs: power-average pooling with the power 1.",
        "LPPool2d",
    ),
    _pooling(
        "Maxout",
        "x.amax(-1)",
        lambda x: x.amax(-1),
        Coordinates(XS),
        "Max-pooling over units instead of places.",
    ),
    Entry(
        "Attention, one query",
        "F.scaled_dot_product_attention(q, K, V)",
        _attention,
        Coordinates(
            tuple(Affine(key) for key in KEYS),
            beta=beta_from_eta(1 / TEMPERATURE),
            readouts=tuple(constants(*column, inputs=len(KEYS[0])) for column in zip(*VALUES, strict=True)),
        ),
        "Soft vector quantization of the query against the keys, η = 1/√D; read out are the values. Shown: three keys "
        "of D = 4.",
        pieces="⟨k₁, q⟩, …, ⟨k_R, q⟩",
        readout="v₁, …, v_R",
    ),
)
