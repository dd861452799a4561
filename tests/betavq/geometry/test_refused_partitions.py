"""What partitions refuse, in words that name the argument; and limits that hold before memory runs out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from partition_examples import box, random_net
from torch import Tensor, nn

import betavq
from betavq.geometry import decision_boundary, distance_to_border, partition, soft_partition
from betavq.nn import BetaMaxPool1d, BetaReLU

NET = random_net(16, 16, seed=1)
USES = {
    "partition": lambda model: partition(model, box(1.0)),
    "decision_boundary": lambda model: decision_boundary(model, box(1.0)),
    "soft_partition": lambda model: soft_partition(model, box(1.0), 0.5, resolution=3),
    "distance_to_border": lambda model: distance_to_border(model, torch.zeros(2, 2)),
}
uses = pytest.mark.parametrize("use", USES)


class Product(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1] * x[:, 1:]


class Functional(nn.Module):
    """Calls a function that the case names."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


def with_layer(layer: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(2, 4), layer, nn.Linear(4, 1)).eval()


def with_weight(value: float) -> nn.Module:
    model = with_layer(nn.ReLU())
    with torch.no_grad():
        model[2].weight[0, 1] = value  # type: ignore[index, union-attr]
    return model


REFUSED: dict[str, tuple[nn.Module, type[Exception], str]] = {
    "not a module": (torch.relu, TypeError, "model must be an nn.Module"),  # type: ignore[dict-item]
    "SiLU": (
        with_layer(nn.SiLU()),
        ValueError,
        r"piecewise affine, got silu in layer '1' \(SiLU\), .* harden it",
    ),
    "softmax": (with_layer(nn.Softmax(1)), ValueError, r"got softmax in layer '1' \(Softmax\)"),
    "layer norm": (with_layer(nn.LayerNorm(4)), ValueError, r"got layer_norm in layer '1' \(LayerNorm\)"),
    "batch statistics": (with_layer(nn.BatchNorm1d(4, track_running_stats=False)), ValueError, "BatchNorm1d"),
    "product": (Product().eval(), ValueError, "got mul"),
    "function": (Functional(torch.sin).eval(), ValueError, "got sin"),
    "quotient": (Functional(lambda x: 1 / (x + 5)).eval(), ValueError, "piecewise affine"),
    "dropout": (Functional(lambda x: nn.functional.dropout(x, 0.5)).eval(), ValueError, "got dropout"),
    "training": (with_layer(nn.Dropout()).train(), ValueError, "model must be in eval mode"),
    "NaN": (with_weight(float("nan")), ValueError, "model must have finite weights, got nan"),
    "infinity": (with_weight(float("inf")), ValueError, "model must have finite weights, got inf"),
    "branch": (Functional(lambda x: x if x.sum() > 0 else -x).eval(), ValueError, "torch.fx can trace"),
    "several outputs": (
        Functional(lambda x: (x, x)).eval(),
        ValueError,
        "return one, got one that takes x and returns a tuple",
    ),
    "other inputs": (random_net(4, inputs=3), ValueError, r"model must take inputs of shape \('N', 2\)"),
    "mixed rows": (Functional(lambda x: x.sum(0, keepdim=True)).eval(), ValueError, "model must"),
}


@uses
@pytest.mark.parametrize("case", REFUSED)
def test_models_that_are_refused(use: str, case: str) -> None:
    model, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        USES[use](model)


def test_rows_that_depend_on_the_others_are_noticed() -> None:
    with pytest.raises(ValueError, match="each row of a batch for itself"):
        partition(Functional(lambda x: x - x.flip(0)).eval(), box(1.0))


DOMAINS: dict[str, tuple[Any, str]] = {
    "two corners": ([[0, 0], [1, 1]], r"at least 3 corners of shape \(V, 2\), got shape \(2, 2\)"),
    "three coordinates": (np.zeros((4, 3)), r"got shape \(4, 3\)"),
    "on a line": ([[0, 0], [1, 1], [2, 2]], "domain must have an area"),
    "a point": ([[1, 1]] * 3, "domain must have an area"),
    "not convex": ([[0, 0], [2, 0], [0.5, 0.5], [0, 2]], "domain must be a convex polygon"),
    "crossed": ([[0, 0], [1, 1], [1, 0], [0, 2]], "domain must"),
    "twice around": ([*box(1.0), *box(0.9)], "domain must be a convex polygon"),
    "NaN": ([[0, 0], [1, 0], [0, float("nan")]], "domain must have finite corners"),
}


@pytest.mark.parametrize("case", DOMAINS)
def test_domains_that_are_refused(case: str) -> None:
    domain, words = DOMAINS[case]
    with pytest.raises(ValueError, match=words):
        partition(NET, domain)
    with pytest.raises(ValueError, match=words):
        soft_partition(NET, domain, 0.5)


def test_a_domain_may_be_clockwise_have_corners_on_its_sides_and_end_where_it_starts() -> None:
    plain = partition(NET, box(1.0))
    other = partition(NET, [[-1, -1], [-1, 1], [0, 1], [1, 1], [1, -1], [-1, -1]])
    assert len(other) == len(plain)
    assert len(other.domain) == 4
    assert other.areas.sum() == pytest.approx(4)


PLANES: dict[str, tuple[Any, str]] = {
    "shapes": ((torch.zeros(2), torch.zeros(2), torch.zeros(3)), "of one shape, got"),
    "parallel": ((torch.zeros(2), torch.tensor([1.0, 2]), torch.tensor([2.0, 4])), "not parallel"),
    "not finite": ((torch.zeros(2), torch.tensor([1.0, torch.nan]), torch.ones(2)), "plane must be finite"),
    "two": ((torch.zeros(2), torch.ones(2)), "plane must be an origin and two directions"),
}


@pytest.mark.parametrize("case", PLANES)
def test_planes_that_are_refused(case: str) -> None:
    plane, words = PLANES[case]
    with pytest.raises(ValueError, match=words):
        partition(NET, box(1.0), plane=plane)


def test_more_regions_than_the_limit() -> None:
    number = len(partition(NET, box(3.0)))
    assert len(partition(NET, box(3.0), max_regions=number)) == number
    with pytest.raises(ValueError, match=f"max_regions must be at least the number of regions, got {number - 1}"):
        partition(NET, box(3.0), max_regions=number - 1)
    with pytest.raises(ValueError, match="max_bytes must allow for all regions"):
        partition(NET, box(3.0), max_bytes=10_000)
    for wrong, error in ((0, ValueError), (2.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="max_regions must be"):
            partition(NET, box(1.0), max_regions=wrong)


def test_a_wide_first_layer_meets_the_limit_before_its_scores_fill_memory() -> None:
    # 4096 lines cut a box into millions of pieces, of 100 kB of scores each.
    model = nn.Sequential(nn.Linear(2, 4096), nn.ReLU(), nn.Linear(4096, 1)).eval()
    with pytest.raises(ValueError, match="max_regions must be at least the number of regions, got 20,000"):
        partition(model, box(1.0), max_regions=20_000)


def test_progress_tells_the_share_of_the_area_and_the_number_of_regions(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[float, int]] = []
    regions = partition(NET, box(3.0), progress=lambda share, number: told.append((share, number)))
    shares, numbers = zip(*told, strict=True)
    assert list(shares) == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert numbers[-1] == len(regions)
    with pytest.raises(TypeError, match="progress must be True, False, None or callable, got 3"):
        partition(NET, box(1.0), progress=3)  # type: ignore[arg-type]
    partition(NET, box(1.0))
    assert capsys.readouterr().err == ""


def test_a_model_is_not_changed() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(inplace=True), nn.Linear(4, 1)).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    regions = partition(model, box(1.0))
    assert regions.slopes.dtype == np.float64
    for name, value in model.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, before[name])


def test_hard_units_of_ours() -> None:
    layers = [nn.Linear(2, 6), BetaReLU(1.0), nn.Unflatten(1, (1, 6)), BetaMaxPool1d(2, beta=1.0), nn.Flatten()]
    ours = nn.Sequential(*layers, nn.Linear(3, 1)).eval()
    plain = nn.Sequential(layers[0], nn.ReLU(), layers[2], nn.MaxPool1d(2), layers[4], ours[-1]).eval()
    first, second = partition(ours, box(2.0)), partition(plain, box(2.0))
    assert np.array_equal(first.codes, second.codes)
    assert np.array_equal(first.vertices, second.vertices)


def test_a_maso_is_a_layer_of_maxima() -> None:
    maso = betavq.MASO(torch.randn(5, 3, 2), torch.randn(5, 3))
    maso.offsets.data[0, 2] = -torch.inf
    model = nn.Sequential(maso, nn.Linear(5, 1)).double().eval()
    regions = partition(model, box(2.0))
    assert np.array_equal(regions.codes, maso.selection(torch.from_numpy(regions.centres)).numpy())
    assert 2 not in regions.codes[:, 0]
    assert regions.areas.sum() == pytest.approx(16)
