"""MASO: what it holds and how it is copied, and what it refuses."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any

import pytest
import torch
from maso_examples import random, random_maso
from torch import nn

from betavq import MASO


def test_parameters_and_sizes() -> None:
    slopes, offsets = random(3, 4, 2), random(3, 4)
    maso = MASO(slopes, offsets)
    assert [name for name, _ in maso.named_parameters()] == ["slopes", "offsets"]
    assert (maso.num_units, maso.num_pieces, maso.num_inputs) == (3, 4, 2)
    assert repr(maso) == "MASO(num_units=3, num_pieces=4, num_inputs=2)"
    slopes.zero_()
    assert maso.slopes.all()  # a copy
    kept = nn.Parameter(random(3, 4, 2), requires_grad=False)
    assert MASO(kept, offsets).slopes is kept
    assert MASO(slopes.half(), offsets.half()).slopes.dtype == torch.float16
    assert MASO(slopes.to("meta"), offsets.to("meta")).slopes.is_meta


def test_state_and_copies() -> None:
    maso, other = random_maso(padded=True), MASO(random(3, 4, 2, seed=8), random(3, 4, seed=9))
    x = random(10, 2)
    copied = copy.deepcopy(maso)
    assert copied.slopes is not maso.slopes
    assert torch.equal(copied(x), maso(x))
    assert list(maso.state_dict()) == ["slopes", "offsets"]
    other.load_state_dict(maso.state_dict())
    assert torch.equal(other(x), maso(x))


A, B = torch.zeros(2, 3, 4), torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("slopes", "offsets", "error", "message"),
    [
        ([[1.0]], B, TypeError, "slopes must be a tensor, got list"),
        (A.int(), B, TypeError, "slopes must be float16, bfloat16, float32 or float64, got torch.int32"),
        (A, B.long(), TypeError, "offsets must be float16"),
        (B, B, ValueError, r"slopes must be of shape \(K, R, D\) with K, R, D at least 1, got \(2, 3\)"),
        (A[:0], B[:0], ValueError, r"at least 1, got \(0, 3, 4\)"),
        (A[:, :0], B[:, :0], ValueError, r"at least 1, got \(2, 0, 4\)"),
        (A[..., :0], B, ValueError, r"at least 1, got \(2, 3, 0\)"),
        (A, B.t(), ValueError, r"offsets must be of shape \(K, R\) = \(2, 3\), that of .*, got \(3, 2\)"),
        (A, B.double(), TypeError, "offsets must have the dtype of slopes, torch.float32, got torch.float64"),
        (A, B.to("meta"), ValueError, "offsets must be on the device of slopes, cpu, got meta"),
        (A * math.nan, B, ValueError, "slopes must be finite, got nan"),
        (A - math.inf, B, ValueError, "slopes must be finite, got -inf"),
        (A, B + math.inf, ValueError, "offsets must be finite or -inf, got inf"),
        (A, B * math.nan, ValueError, "offsets must be finite or -inf, got nan"),
        (A, B - math.inf, ValueError, "offsets must leave a piece to every unit, got only -inf for unit 0"),
    ],
)
def test_bad_pieces_are_named(slopes: Any, offsets: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MASO(slopes, offsets)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (3.0, TypeError, "x must be a tensor, got float"),
        (torch.zeros(2, dtype=torch.long), TypeError, "x must be float16"),
        (torch.zeros(5, 3), ValueError, r"x must be of shape \(..., D\) with D = 2, got \(5, 3\)"),
        (torch.tensor(1.0), ValueError, r"with D = 2, got \(\)"),
        (torch.zeros(2), TypeError, "x must have the dtype of the slopes, torch.float64, got torch.float32"),
    ],
)
def test_bad_inputs_are_named(x: Any, error: type[Exception], message: str) -> None:
    maso = random_maso()
    for call, beta in itertools.product((maso.forward, maso.code), (0.0, 0.5, 1.0)):
        with pytest.raises(error, match=message):
            call(x, beta)
    for method in (maso.scores, maso.selection):
        with pytest.raises(error, match=message):
            method(x)


@pytest.mark.parametrize("beta", [1.2, -0.1, math.nan])
def test_bad_beta_is_named(beta: float) -> None:
    with pytest.raises(ValueError, match=r"beta must be in \[0, 1\], got"):
        random_maso()(random(3, 2), beta)
    with pytest.raises(ValueError, match="beta of shape"):
        random_maso()(random(3, 2), torch.tensor([0.1, 0.2]))
