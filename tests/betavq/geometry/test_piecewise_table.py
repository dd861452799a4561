"""Every row of the table of piecewise affine functions goes through all that reads it: taken rightly, or by none.

What is right is read from the network itself, by autograd and by its values.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from partition_examples import box, outputs, random_points
from torch import Tensor, nn

import betavq
from betavq import MASO, geometry
from betavq import functional as B
from betavq._torch.pieces import LAYERS, PIECES
from betavq.nn import BetaAbs, BetaLeakyReLU, BetaMaxout, BetaMaxPool1d, BetaMaxPool2d, BetaReLU


class Units(nn.Module):
    """A unit, layer or function, between two linear layers, on an input of a shape."""

    def __init__(self, unit: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.unit, self.shape = copy.deepcopy(unit), shape
        count = int(np.prod(shape))
        self.first = nn.Linear(2, count)
        outs = unit(torch.zeros(2, *shape)).flatten(1).shape[1]
        self.last = nn.Linear(outs, 3)

    def scores(self, x: Tensor) -> Tensor:
        return self.first(x).unflatten(1, self.shape)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.unit(self.scores(x)).flatten(1))


def prelu(*slopes: float) -> nn.PReLU:
    layer = nn.PReLU(len(slopes))
    layer.weight.data = torch.tensor(slopes)
    return layer


LINE, PLANE, SPACE, FLAT, CHANNELS = (2, 6), (2, 4, 5), (2, 3, 4, 2), (8,), (3, 2)
SLOPES = torch.tensor([0.1, -0.5, 1.7])

#: By row of the table: units, by the shape of what they are given.
TAKEN: dict[str, dict[tuple[int, ...], list[Any]]] = {
    "relu": {
        FLAT: [nn.ReLU(), nn.ReLU(inplace=True), lambda x: (2 * x).relu_(), BetaReLU(1.0)],
        PLANE: [torch.relu, lambda x: B.beta_relu(x, beta=1.0)],
    },
    "leaky_relu": {
        FLAT: [nn.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 1.5), lambda x: B.beta_leaky_relu(x, 0.3, beta=1)],
        CHANNELS: [BetaLeakyReLU(1.0, negative_slope=SLOPES)],
    },
    "prelu": {FLAT: [nn.PReLU()], CHANNELS: [prelu(0.1, -0.5, 1.7)], (3,): [prelu(0.1, -0.5, 1.7)]},
    "rrelu": {FLAT: [nn.RReLU(), lambda x: F.rrelu(x, 0.2, 0.6)]},
    "abs": {FLAT: [torch.abs, abs, BetaAbs(1.0), lambda x: B.beta_abs(x, beta=1.0)]},
    "absolute": {FLAT: [lambda x: x.absolute()]},
    "relu6": {FLAT: [nn.ReLU6(), lambda x: F.relu6(4 * x)]},
    "hardtanh": {FLAT: [nn.Hardtanh(), nn.Hardtanh(-0.3, 0.7), lambda x: F.hardtanh(x, 0.0, 0.5)]},
    "hardsigmoid": {FLAT: [nn.Hardsigmoid(), lambda x: F.hardsigmoid(4 * x)]},
    "softshrink": {FLAT: [nn.Softshrink(), lambda x: F.softshrink(x, 0.2)]},
    "hardshrink": {FLAT: [nn.Hardshrink(0.0)]},
    "threshold": {FLAT: [nn.Threshold(0.5, 0.5), lambda x: F.threshold(x, 0.0, 0.0)]},
    "clamp": {
        FLAT: [
            *(lambda x: x.clamp(min=0.2), lambda x: x.clamp(max=0.5), lambda x: x.clamp(torch.tensor(0.1))),
            *(lambda x: x.clamp(-torch.inf, 0.1), lambda x: x.clamp(0.5, 0.2) + x),
        ]
    },
    "clip": {FLAT: [lambda x: x.clip(-1.0, 0.5), lambda x: torch.clip(x, max=0.5)]},
    "clamp_min": {FLAT: [lambda x: x.clamp_min(0.1), lambda x: torch.clamp_min(x, min=0.1)]},
    "clamp_max": {FLAT: [lambda x: x.clamp_max(0.1)]},
    "maxout": {
        PLANE: [
            *(BetaMaxout(beta=1.0), BetaMaxout(1, beta=1.0), lambda x: B.beta_maxout(x, 2, beta=1.0)),
            *(lambda x: betavq.value(x, 1.0, 1), lambda x: betavq.free_energy(x, beta=1.0)),
        ]
    },
    "amax": {PLANE: [lambda x: x.amax(1), lambda x: torch.amax(x, dim=(-1, 2), keepdim=True)]},
    "amin": {PLANE: [lambda x: x.amin(-1), lambda x: torch.amin(x, (1, 3))]},
    "max": {
        PLANE: [lambda x: x.max(1)[0], lambda x: torch.max(x, dim=2, keepdim=True).values],
        FLAT: [lambda x: torch.max(x, 1 - 2 * x), lambda x: torch.max(x, other=x.flip(1))],
    },
    "min": {PLANE: [lambda x: x.min(-1).values], FLAT: [lambda x: torch.min(x, 1 - 2 * x)]},
    "maximum": {
        FLAT: [
            *(lambda x: torch.maximum(x, -0.5 * x), lambda x: torch.maximum(torch.ones(8).to(x), x)),
            *(lambda x: torch.maximum(x.relu(), x.roll(1, 1)), lambda x: torch.maximum(x[:, :1], x)),
        ]
    },
    "minimum": {FLAT: [lambda x: torch.minimum(x, 1 - x), lambda x: x.minimum(other=-x)]},
    "fmax": {FLAT: [lambda x: torch.fmax(x, -x)]},
    "fmin": {FLAT: [lambda x: torch.fmin(x, 0.3 * x.abs())]},
    "max_pool1d": {
        LINE: [
            *(nn.MaxPool1d(2), nn.MaxPool1d(3, 2, 1), BetaMaxPool1d(2, beta=1.0)),
            lambda x: B.beta_max_pool1d(x, 3, 1, padding=1, beta=torch.tensor(1.0)),
        ],
        FLAT: [nn.MaxPool1d(2)],
    },
    "max_pool2d": {
        PLANE: [
            *(nn.MaxPool2d(2, ceil_mode=True), lambda x: F.max_pool2d(x, (3, 2), 1, (1, 0))),
            *(BetaMaxPool2d(2, 1, beta=1.0), lambda x: F.max_pool2d(x, 2, return_indices=True)[0]),
            nn.MaxPool2d(2, dilation=2),
        ]
    },
    "max_pool3d": {SPACE: [nn.MaxPool3d(2), lambda x: F.max_pool3d(x, (2, 3, 1))]},
    "adaptive_max_pool1d": {LINE: [nn.AdaptiveMaxPool1d(4), lambda x: F.adaptive_max_pool1d(x, 1)]},
    "adaptive_max_pool2d": {PLANE: [nn.AdaptiveMaxPool2d((3, 2)), nn.AdaptiveMaxPool2d((None, 3))]},
    "adaptive_max_pool3d": {SPACE: [nn.AdaptiveMaxPool3d((2, 3, 1))]},
}
CASES = {
    f"{name}-{'x'.join(map(str, shape))}-{i}": (name, unit, shape)
    for name, units in TAKEN.items()
    for shape, each in units.items()
    for i, unit in enumerate(each)
}
cases = pytest.mark.parametrize("case", CASES)
#: What soft_partition has no code for: units that are neither the largest nor the smallest of their pieces.
WITHOUT_CODE = ("relu6", "hardtanh", "hardsigmoid", "softshrink", "clip-8-0")


def example(case: str) -> Units:
    torch.manual_seed(3)
    _, unit, shape = CASES[case]
    return Units(unit, shape).double().eval()


def read_code(model: nn.Module, x: Tensor) -> Any:
    return torch.cat(list(geometry.codes(model, x).values()), 1).numpy()


def test_every_row_of_the_table_has_a_case() -> None:
    assert set(TAKEN) == set(PIECES)


@cases
def test_all_take_it_and_agree_with_the_network(case: str) -> None:
    model = example(case)
    regions = geometry.partition(model, box(2.0))
    points = random_points(regions, 400)
    x, where = torch.from_numpy(points), regions.locate(points)
    assert regions.areas.sum() == pytest.approx(16)
    assert np.abs(regions.logits(points) - outputs(model, x)).max() < 1e-10

    rows = torch.stack([torch.autograd.functional.jacobian(lambda z: model(z[None])[0], each) for each in x])
    slopes, offsets = geometry.affine_map(model, x)
    np.testing.assert_allclose(regions.slopes[where], rows.numpy(), atol=1e-9)
    torch.testing.assert_close(slopes, rows, rtol=0, atol=1e-12)
    torch.testing.assert_close(geometry.templates(model, x, [1])[:, 0], rows[:, 1], rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.einsum("ncd,nd->nc", slopes, x) + offsets, model(x).detach())

    _, by_code = np.unique(read_code(model, x), axis=0, return_inverse=True)
    pairs = np.unique(np.stack((by_code.ravel(), where)), axis=1)
    assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]
    same = geometry.vq_distance(model, x[:50], x[50:100]).mean == 0
    assert np.array_equal(same.numpy(), where[:50] == where[50:100])
    assert len(geometry.decision_boundary(regions)) == len(geometry.decision_boundary(model, box(2.0)))


@cases
def test_the_code_changes_at_the_border_and_not_before(case: str) -> None:
    model = example(case)
    x = torch.from_numpy(np.random.default_rng(1).uniform(-2, 2, (60, 2)))
    distance, border = geometry.distance_to_border(model, x), geometry.nearest_border(model, x)
    code = read_code(model, x)
    for angle in torch.linspace(0, 6.2, 9):
        step = (1 - 1e-9) * distance[:, None] * torch.stack((angle.cos(), angle.sin()))
        assert np.array_equal(read_code(model, x + step), code)
    assert (read_code(model, x + (1 + 1e-6) * (border - x)) != code).any(1).all()


@cases
def test_at_beta_1_the_soft_partition_is_the_network(case: str) -> None:
    model = example(case)
    if case.startswith(WITHOUT_CODE):
        with pytest.raises(ValueError, match="units that are the largest of their pieces"):
            geometry.soft_partition(model, box(1.0), 0.5, resolution=3)
        return
    found = geometry.soft_partition(model, box(1.0), 1.0, resolution=5)
    grid = torch.from_numpy(np.stack(np.meshgrid(found.x, found.y), -1)).reshape(-1, 2)
    assert (found.entropy == 0).all()
    np.testing.assert_allclose(found.logits.reshape(3, -1).T, outputs(model, grid), atol=1e-12)
    soft = geometry.soft_partition(model, box(1.0), 0.0, resolution=5)
    assert soft.entropy.max() == pytest.approx(1.0)


@cases
def test_convexity_and_masos_of_it(case: str) -> None:
    model = example(case)
    (name, *_), unit, layer = CASES[case], model.unit, model.first
    x, y = (torch.from_numpy(np.random.default_rng(seed).uniform(-20, 20, (3000, 2))) for seed in (1, 2))
    last = model.last
    last.weight.data.abs_()

    def rise(z: Tensor) -> Tensor:
        return model(z).detach()

    worst = float((rise((x + y) / 2) - (rise(x) + rise(y)) / 2).max())
    found = geometry.convexity(model, x[:2])
    if found.convex:
        assert worst < 1e-10
    else:
        assert worst > 1e-4
        assert found.reason.split()[0] in (name, LAYERS.get(name, name)) or "largest" in found.reason
    if PIECES[name].layer and isinstance(unit, nn.Module) and "ax" not in name:
        shaped = nn.Sequential(layer, nn.Unflatten(1, model.shape), unit, nn.Flatten()).double()
        if len(model.shape) == 1 and found.convex:
            maso = MASO.from_layers(layer, activation=unit)
            torch.testing.assert_close(maso(x), shaped(x))
        elif len(model.shape) == 1:
            with pytest.raises(ValueError, match="no MASO"):
                MASO.from_layers(layer, activation=unit)


@cases
@pytest.mark.filterwarnings("ignore:model has nothing to soften")
def test_soften_replaces_what_the_table_marks(case: str) -> None:
    name, unit, _ = CASES[case]
    replaced = {site.what for site in betavq.report(betavq.soften(example(case))).replaced}
    if PIECES[name].softened and "Beta" not in repr(unit) and "lambda" not in repr(unit):
        assert replaced == {name}
    elif not PIECES[name].softened:
        assert name not in replaced


class Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


BOUNDS = torch.tensor([0.1, 0.2]).double()
REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "hardshrink": (F.hardshrink, "got hardshrink in .*, which jumps at −0.5 and 0.5"),
    "threshold": (lambda x: F.threshold(x, 0.5, 0.0), "got threshold in .*, which jumps at 0.5, from 0"),
    "random slopes": (lambda x: F.rrelu(x, training=True), "got rrelu in .*, which has a random slope"),
    "tensors for bounds": (lambda x: x.clamp(BOUNDS), "got clamp in .*, which has tensors for bounds"),
    "over the batch": (lambda x: x.amax(0, keepdim=True) + x, "got amax in .* beyond the batch, got dim=0"),
    "over all": (lambda x: x.max() + x, "got max in .* beyond the batch, got dim=None"),
    "over all by amin": (lambda x: x.amin() + x, r"got amin in .* beyond the batch, got dim=\(\)"),
    "slopes that depend on x": (
        lambda x: F.prelu(x, x[:1, 0]),
        "(got prelu by a function of x|each row of a batch)",
    ),
    "hardswish": (F.hardswish, "got hardswish in"),
    "indices": (lambda x: x.max(1, keepdim=True)[1] * 0.5 + x, "which takes the indices of a maximum"),
    "rounded": (lambda x: x.long() + x, "got long in"),
    "rounded by to": (lambda x: x.to(torch.int64) + x, "got to in .*, which must put out floating numbers"),
    "rounded quotient": (lambda x: torch.div(x, 2, rounding_mode="floor"), "got div in"),
    "detached": (lambda x: x.data * 2, "got data in"),
}
READERS: dict[str, Callable[[nn.Module, Tensor], Any]] = {
    "partition": lambda model, _: geometry.partition(model, box(1.0)),
    "decision_boundary": lambda model, _: geometry.decision_boundary(model, box(1.0)),
    "soft_partition": lambda model, _: geometry.soft_partition(model, box(1.0), 0.5, resolution=3),
    "distance_to_border": geometry.distance_to_border,
    "nearest_border": geometry.nearest_border,
    "codes": geometry.codes,
    "vq_distance": lambda model, x: geometry.vq_distance(model, x, x),
    "affine_map": geometry.affine_map,
    "templates": geometry.templates,
    "convexity": geometry.convexity,
    "centroid": geometry.centroid,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", REFUSED)
def test_all_refuse_it_in_the_same_words(name: str, reader: str) -> None:
    function, words = REFUSED[name]
    x = torch.tensor([[0.3, -1.2], [0.7, 0.1]], dtype=torch.float64)
    with pytest.raises(ValueError, match="model must .*" + words):
        READERS[reader](Function(function).eval(), x)


def test_the_layer_is_named_alike() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Hardshrink(), nn.Linear(3, 1)).double().eval()
    words = re.escape("got hardshrink in layer '1' (Hardshrink), which jumps")
    for read in READERS.values():
        with pytest.raises(ValueError, match=words):
            read(model, torch.zeros(1, 2, dtype=torch.float64))
