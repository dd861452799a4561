"""Where classes meet: exact polylines, how they bend, and how far a point is from the border of its region."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from partition_examples import Convolutional, Pooled, Residual, box, outputs, random_net, seeded
from torch import Tensor, nn

from betavq.geometry import Boundary, Polyline, codes, decision_boundary, distance_to_border, nearest_border, partition


class Diamond(nn.Module):
    """The class is 1 outside of |x| + |y| = 1, which runs along and across kinks."""

    def forward(self, x: Tensor) -> Tensor:
        return x.abs().sum(1, keepdim=True) - 1


class Step(nn.Module):
    """A boundary along the kink of two units."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x[:, :1]) - torch.relu(-x[:, :1])


NETS = {
    "one logit": (random_net(16, 16, seed=5), 2.0),
    "four classes": (random_net(12, 12, seed=6, outputs=4), 5.0),
    "residual": (seeded(Residual, 0), 3.0),
    "pooled": (seeded(Pooled, 5), 3.0),
    "diamond": (Diamond().double().eval(), 3.0),
}


@pytest.fixture(scope="module", params=NETS)
def example(request: pytest.FixtureRequest) -> tuple[nn.Module, Boundary]:
    model, half = NETS[request.param]
    return model, decision_boundary(model, box(half))


def logits(model: nn.Module, points: np.ndarray) -> np.ndarray:
    found = outputs(model, torch.from_numpy(np.ascontiguousarray(points)))
    return np.concatenate([np.zeros_like(found), found], axis=1) if found.shape[1] == 1 else found


@pytest.mark.claim("H1")
def test_two_logits_tie_at_every_vertex_and_none_is_larger(example: tuple[nn.Module, Boundary]) -> None:
    """Two logits tie at every vertex of the boundary, and none is larger."""
    model, boundary = example
    assert len(boundary) > 0
    for line in boundary:
        found = logits(model, line.points)
        low, high = line.classes
        assert np.abs(found[:, low] - found[:, high]).max() <= 1e-9
        assert (found.max(1) - found[:, low]).max() <= 1e-9


def turns(line: Polyline) -> np.ndarray:
    """By how many degrees a polyline turns at its corners, from the directions of its parts."""
    along = np.diff(line.points, axis=0)
    before, after = (along, np.roll(along, -1, axis=0)) if line.is_closed else (along[:-1], along[1:])
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return np.degrees(np.arctan2(cross, (before * after).sum(1)))


def test_angles_between_normals_are_those_by_which_the_line_turns(example: tuple[nn.Module, Boundary]) -> None:
    _, boundary = example
    for line in boundary:
        assert len(line.regions) == len(line.points) - 1
        assert np.abs(line.angles - turns(line)).max(initial=0) < 1e-6


def test_the_higher_class_is_on_the_left(example: tuple[nn.Module, Boundary]) -> None:
    model, boundary = example
    for line in boundary:
        along = np.diff(line.points, axis=0)
        aside = 1e-4 * np.stack((-along[:, 1], along[:, 0]), axis=1)
        middle = (line.points[1:] + line.points[:-1]) / 2
        for side, largest in ((1, line.classes[1]), (-1, line.classes[0])):
            assert (logits(model, middle + side * aside).argmax(1) == largest).all()


def test_no_crossing_on_a_line_across_the_domain_is_missing(example: tuple[nn.Module, Boundary]) -> None:
    model, boundary = example
    half = boundary.partition.domain.max()
    along = np.linspace(-half, half, 20_001)
    for height in (-0.31 * half, 0.17 * half):
        points = np.stack((along, np.full_like(along, height)), axis=1)
        changes = np.count_nonzero(np.diff(logits(model, points).argmax(1)))
        crossings = sum(np.count_nonzero(np.diff(line.points[:, 1] > height)) for line in boundary)
        assert crossings == changes


def test_ends_are_on_the_border_of_the_domain_or_where_three_classes_meet(
    example: tuple[nn.Module, Boundary],
) -> None:
    model, boundary = example
    half = boundary.partition.domain.max()
    for line in boundary:
        for end in () if line.is_closed else (line.points[0], line.points[-1]):
            found = np.sort(logits(model, end[None])[0])
            assert abs(np.abs(end).max() - half) < 1e-9 * half or found[-1] - found[-3] < 1e-9


def test_a_closed_boundary() -> None:
    (line,) = decision_boundary(Diamond().eval(), box(3.0))
    assert line.is_closed
    assert np.array_equal(line.points[0], line.points[-1])
    assert line.length == pytest.approx(4 * np.sqrt(2))
    assert line.angles == pytest.approx([-90.0] * 4)


def test_a_boundary_along_edges() -> None:
    (line,) = decision_boundary(partition(Step().eval(), box(2.0)))
    assert line.points == pytest.approx(np.array([[0.0, 2.0], [0.0, -2.0]]))


def test_no_boundary_where_one_class_wins() -> None:
    assert len(decision_boundary(random_net(4, seed=1, outputs=2), box(1e-3))) == 0


def test_a_partition_has_its_own_domain() -> None:
    with pytest.raises(ValueError, match="domain and plane must be left out"):
        decision_boundary(partition(Step().eval(), box(1.0)), box(1.0))


DEEP = {
    "two inputs": (random_net(20, 20, seed=1, outputs=3), (2,)),
    "thirty inputs": (random_net(20, 20, seed=2, inputs=30), (30,)),
    "images": (seeded(Convolutional, 0), (1, 8, 8)),
}


@pytest.mark.parametrize("name", DEEP)
def test_distance_to_border_is_exact(name: str) -> None:
    model, shape = DEEP[name]
    points = torch.randn(100, *shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    distances = distance_to_border(model, points)
    code = torch.cat(list(codes(model, points).values()), 1)
    towards = nearest_border(model, points) - points
    lengths = towards.flatten(1).norm(dim=1)
    assert (lengths - distances).abs().max() < 1e-12
    for share, is_other in ((0.999999, False), (1.000001, True)):
        moved = torch.cat(list(codes(model, points + share * towards).values()), 1)
        assert ((moved != code).any(1) == is_other).all()


def test_nothing_changes_within_the_distance() -> None:
    model, shape = DEEP["thirty inputs"]
    draw = torch.Generator().manual_seed(4)
    point = torch.randn(1, *shape, generator=draw, dtype=torch.float64)
    directions = torch.randn(2000, *shape, generator=draw, dtype=torch.float64)
    around = point + 0.999999 * distance_to_border(model, point) * directions / directions.norm(dim=1, keepdim=True)
    for code in codes(model, torch.cat((point, around))).values():
        assert (code == code[0]).all()


def test_an_affine_network_has_no_border() -> None:
    points = torch.zeros(3, 2)
    model = nn.Linear(2, 1).eval()
    assert distance_to_border(model, points).tolist() == [torch.inf] * 3
    assert nearest_border(model, points).isnan().all()


@pytest.mark.parametrize("x", [torch.zeros(2), torch.tensor([[0.0, torch.nan]]), [[0.0, 0.0]]])
def test_inputs_that_are_no_finite_batch(x: Any) -> None:
    with pytest.raises(ValueError, match="x must be a finite tensor of inputs of shape"):
        distance_to_border(nn.Linear(2, 1).eval(), x)
