"""The atlas: each entry computed anew from its coordinates, its PyTorch class, gradients and the rules of the game."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from entmax import sparsemax
from torch import Tensor, nn
from torch.nn.modules import activation

import betavq
from betavq import noise
from hardtosoft.atlas import ATLAS, EXACT, SELECTIONS, Coordinates, Entry, constant, constants, line, points

SCALAR = [entry for entry in ATLAS.exact if entry.coordinates.inputs == 1]
named = pytest.mark.parametrize("entry", list(ATLAS), ids=lambda entry: entry.name)


def recompute(entry: Entry, x: Tensor) -> Tensor:
    """From the numbers of its coordinates alone, through betavq's public functions, one output at a time."""
    c = entry.coordinates
    columns = x.unsqueeze(-1) if c.inputs == 1 else x

    def affine(function) -> Tensor:  # type: ignore[no-untyped-def]
        terms = [slope * columns[..., i] for i, slope in enumerate(function.slopes)]
        return sum(terms) + torch.full_like(columns[..., 0], function.offset)

    scores = torch.stack([affine(piece) for piece in c.pieces])
    if c.selection in ("shannon", "quadratic"):
        t = betavq.code(scores, c.beta, 0, entropy=c.selection)
        energy = betavq.free_energy(scores, c.beta, 0, entropy=c.selection) if c.energy else 0.0
    else:
        scale = 1 / betavq.eta_from_beta(c.beta)
        t = noise.code(scores, c.selection, scale, 0)
        energy = noise.maximum(scores, c.selection, scale, 0) if c.energy else 0.0
    if c.readouts is None:
        outputs = [(t * scores).sum(0)]
    else:
        outputs = [sum(share * affine(f) for share, f in zip(t, row, strict=True)) for row in c.readouts] or [0.0]
    outputs = [output + c.energy * energy for output in outputs]
    return outputs[0] if len(outputs) == 1 else torch.stack(outputs, -1)


def test_there_are_many_and_most_are_exact() -> None:
    assert len(ATLAS.exact) >= 30
    assert len(ATLAS.exact) + len(ATLAS.inexact) == len(ATLAS)
    assert points(1).shape == (10_001,)
    assert points(1).abs().max() == 30
    assert points(1).dtype == points(3).dtype == torch.float64
    assert points(3).abs().max() <= 30


@named
def test_error_against_pytorch_from_the_coordinates_alone(entry: Entry) -> None:
    x = points(entry.coordinates.inputs)
    got, expected = recompute(entry, x), entry.reference(x)
    assert got.shape == expected.shape
    error = (got - expected).abs().max().item()
    assert (error <= EXACT) == entry.is_exact
    assert error == pytest.approx(entry.error, rel=1e-6, abs=1e-13)


def prelu() -> nn.Module:
    return nn.PReLU(dtype=torch.float64)


# The classes as a user would make them, where that takes more than their name.
MADE = {
    "Threshold": lambda: nn.Threshold(0.1, 20),
    "PReLU": prelu,
    "RReLU": lambda: nn.RReLU().eval(),
    "CELU": lambda: nn.CELU(0.7),
    "Softplus": lambda: nn.Softplus(beta=2, threshold=80),
    "Softmax": lambda: nn.Softmax(dim=-1),
    "Softmin": lambda: nn.Softmin(dim=-1),
    "LogSoftmax": lambda: nn.LogSoftmax(dim=-1),
}
IMAGES = {
    "Softmax2d": lambda: nn.Softmax2d(),
    "MaxPool2d": lambda: nn.MaxPool2d(2),
    "AvgPool2d": lambda: nn.AvgPool2d(2),
    "LPPool2d": lambda: nn.LPPool2d(1, 2),
}


def test_every_activation_of_torch_is_listed_and_exact() -> None:
    """All but attention with parameters."""
    listed = {entry.module for entry in ATLAS.exact}
    assert set(activation.__all__) - listed == {"MultiheadAttention"}


@pytest.mark.parametrize(
    "entry", [entry for entry in ATLAS.exact if entry.module], ids=lambda entry: f"nn.{entry.module}"
)
def test_exact_entries_are_their_modules(entry: Entry) -> None:
    x = points(entry.coordinates.inputs)[::7]
    if entry.module in IMAGES:
        shape = (-1, 4, 1, 1) if entry.module == "Softmax2d" else (-1, 1, 2, 2)
        expected = IMAGES[entry.module]()(x.reshape(shape)).reshape(entry(x).shape)
    else:
        module = MADE.get(entry.module, getattr(nn, entry.module))()
        expected = module(x)
        expected = expected.squeeze(-1) if entry.module == "GLU" else expected
    torch.testing.assert_close(entry(x), expected, rtol=0, atol=EXACT)


def test_references_that_torch_does_not_have() -> None:
    x = points(4)
    torch.testing.assert_close(ATLAS["Sparsemax"](x), sparsemax(x, dim=-1), rtol=0, atol=EXACT)
    pooled = betavq.functional.beta_max_pool2d(x.reshape(-1, 1, 2, 2), 2, beta=0.5).flatten()
    torch.testing.assert_close(ATLAS["SoftPool"](x), pooled, rtol=0, atol=EXACT)


@pytest.mark.parametrize("entry", [e for e in SCALAR if e.name != "Step"], ids=lambda entry: entry.name)
def test_slopes_are_those_of_pytorch(entry: Entry) -> None:
    """Derivatives go through the coordinates; away from jumps and corners they are those of the counterpart.

    PyTorch has none of its step, and works those of hardsigmoid and CELU out with constants of single precision.
    """
    u = (torch.rand(500, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 20 - 10).requires_grad_()
    ours, theirs = (torch.autograd.grad(f(u).sum(), u)[0] for f in (entry, entry.reference))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7 if entry.name in ("Hardsigmoid", "CELU") else 1e-11)


@pytest.mark.parametrize("entry", SCALAR, ids=lambda entry: entry.name)
def test_single_precision_and_any_shape(entry: Entry) -> None:
    u = torch.linspace(-5, 5, 60).reshape(3, 4, 5)
    got = entry(u)
    assert got.shape == u.shape
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, entry.reference(u), rtol=1e-5, atol=2e-6)


def test_codes_sum_to_one() -> None:
    for entry in ATLAS:
        t = entry.coordinates.code(points(entry.coordinates.inputs)[::50])
        assert t.shape[-1] == len(entry.coordinates.pieces)
        torch.testing.assert_close(t.sum(-1), torch.ones_like(t[..., 0]))


def test_one_slot_for_the_selection() -> None:
    """The same pieces and read-out under every noise: swish, hard-swish, GELU and two that have no name."""
    u = points(1)
    silu = ATLAS["SiLU"].coordinates
    curves = {name: dataclasses.replace(silu, selection=name)(u) for name in SELECTIONS}
    torch.testing.assert_close(curves["gaussian"], F.gelu(u), rtol=0, atol=EXACT)
    torch.testing.assert_close(curves["quadratic"], u * ((1 + u) / 2).clamp(0, 1), rtol=0, atol=EXACT)
    torch.testing.assert_close(curves["exponential"], u * u.clamp(max=0).exp(), rtol=0, atol=EXACT)
    torch.testing.assert_close(curves["lomax"], u * (1 + F.softsign(u)) / 2, rtol=0, atol=EXACT)
    for name in SELECTIONS:
        assert torch.equal(dataclasses.replace(silu, selection=name, beta=1.0)(u), F.relu(u))
    softplus = dataclasses.replace(ATLAS["Softplus"].coordinates, selection="exponential", beta=0.5)
    torch.testing.assert_close(softplus(u), F.elu(u) + 1, rtol=0, atol=EXACT)
    endless = dataclasses.replace(silu, selection="gaussian", beta=0.0)
    torch.testing.assert_close(endless(u), u / 2)


def test_what_the_derivations_say_besides() -> None:
    u = points(1)
    steep = Coordinates((line(-2), line(-1)), readouts=((line(2), line(1)),))
    torch.testing.assert_close(steep(u), F.prelu(u, torch.tensor([2.0], dtype=torch.float64)), rtol=0, atol=0)
    elu = Coordinates((constant(-1), line(1, -1)), "exponential", 0.5, (constants(-2, 0),), 1.0)
    torch.testing.assert_close(elu(u), F.elu(u, alpha=3.0), rtol=0, atol=EXACT)
    away = (F.softplus(u, beta=2) - ATLAS["Softplus"](u)).abs().max().item()
    assert EXACT < away < 2.1e-9 / 2


def test_distances() -> None:
    gelu, silu, relu = ATLAS["GELU"], ATLAS["SiLU"], ATLAS["ReLU"]
    assert gelu.distance(gelu) == 0
    assert gelu.distance(silu) == silu.distance(gelu)
    assert silu.distance(relu) == pytest.approx(0.278465, abs=1e-5)
    assert ATLAS["Tanh"].distance(ATLAS["Hardtanh"]) == pytest.approx(
        1 - torch.tanh(torch.tensor(1.0)).item(), abs=1e-3
    )
    with pytest.raises(
        ValueError, match="other must take 1 and give 1 numbers as GELU does, Softmax takes 4 and gives 4"
    ):
        gelu.distance(ATLAS["Softmax"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"selection": "normal"}, "selection must be one of shannon, .*, got 'normal'"),
        ({"beta": 1.5}, r"beta must be in \[0, 1\], got 1.5"),
        ({"pieces": ()}, "pieces must be at least one, got 0"),
        ({"pieces": (line(1),) * 3, "selection": "gaussian"}, "pieces must be two, got 3"),
        ({"readouts": (constants(1, 2, 3),)}, "readouts must hold one function for each of the 2 pieces"),
        ({"readouts": (constants(1, 2, inputs=3),)}, "functions of the same number of inputs"),
        ({"selection": "lomax", "energy": 1.0}, "energy must be 0 under lomax noise"),
        ({"readouts": ()}, "energy must not be 0 where nothing else is read out"),
    ],
)
def test_coordinates_outside_the_rules_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Coordinates(**{"pieces": (constant(0), line(1)), **arguments})  # type: ignore[arg-type]


def test_inputs_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x must end in 4 numbers, got shape \(3, 2\)"):
        ATLAS["Softmax"](torch.ones(3, 2))
