"""Numbers that are changed in place: through a view, by a layer of this library, and by ``out``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from partition_examples import box
from torch import Tensor, nn

import betavq
from betavq import geometry

X = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (6, 2)))
GRAPHS: dict[str, Callable[[nn.Module], object]] = {
    "partition": lambda model: geometry.partition(model, box(1.0)),
    "soft_partition": lambda model: geometry.soft_partition(model, box(1.0), 1.0, resolution=3),
    "distance_to_border": lambda model: geometry.distance_to_border(model, X),
    "decision_boundary": lambda model: geometry.decision_boundary(model, box(1.0)),
}
WATCHED: dict[str, Callable[[nn.Module], object]] = {
    "codes": lambda model: geometry.codes(model, X),
    "affine_map": lambda model: geometry.affine_map(model, X),
    "own soft_partition": lambda model: geometry.soft_partition(model, box(1.0), resolution=3),
}
UNITS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky": lambda: nn.LeakyReLU(0.1, inplace=True),
    "of this library": lambda: betavq.nn.BetaReLU(1.0, inplace=True).double(),
    "softened": lambda: betavq.soften(nn.ReLU(inplace=True), 1.0),
}


class Rectified(nn.Module):
    """Scores that go through units, and are used again."""

    def __init__(self, use: Callable[[Tensor, nn.Module], Tensor], act: nn.Module) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.use, self.first, self.act = use, nn.Linear(2, 4).double(), act
        self.bounds = nn.Parameter(torch.randn(4).double())

    def forward(self, x: Tensor) -> Tensor:
        return self.use(self.first(x), self.act)


def changed(h: Tensor, act: nn.Module) -> Tensor:
    act(h)
    return h - 0.3


def part_of(h: Tensor, act: nn.Module) -> Tensor:
    act(h[:, :2])
    return h - 0.3


def whole(h: Tensor, act: nn.Module) -> Tensor:
    part = h[:, :2]
    act(h)
    return part - 0.3


def reshaped(h: Tensor, act: nn.Module) -> Tensor:
    act(h.view(-1, 2, 2))
    return h - 0.3


def by_an_operator(h: Tensor, act: nn.Module) -> Tensor:
    part = h[:, :2]
    part += act(h.clone())[:, :2]
    return h - 0.3


def after_units(h: Tensor, act: nn.Module) -> Tensor:
    part, bent = h[:, :2], act(h.clone())
    part.add_(1.0)
    return h + bent


def of_two_names(h: Tensor, act: nn.Module) -> Tensor:
    before = h
    h += 1.0
    return act(h) + before


def last_seen(h: Tensor, act: nn.Module) -> Tensor:
    return act(h.view(h.size(0), 2, 2)).flatten(1) - 0.3


@pytest.mark.parametrize("use", [changed, last_seen])
@pytest.mark.parametrize("kind", UNITS)
def test_what_is_changed_in_place_is_followed(kind: str, use: Callable[[Tensor, nn.Module], Tensor]) -> None:
    model = Rectified(use, UNITS[kind]()).eval()
    regions = geometry.partition(model, box(1.0))
    soft = geometry.soft_partition(model, box(1.0), 1.0, resolution=4)
    grid = torch.from_numpy(np.stack(np.meshgrid(soft.x, soft.y), -1).reshape(-1, 2))
    values = model(grid).detach().numpy()
    found = regions.locate(grid)
    np.testing.assert_allclose(
        (regions.slopes[found] @ grid.numpy()[..., None])[..., 0] + regions.offsets[found], values
    )
    np.testing.assert_allclose(soft.logits.reshape(4, -1).T, values)
    scores = model.first(X).detach().abs() / model.first.weight.norm(dim=1)
    torch.testing.assert_close(geometry.distance_to_border(model, X), scores.min(1).values.detach())


@pytest.mark.parametrize("use", [part_of, whole, reshaped, by_an_operator, after_units])
@pytest.mark.parametrize("reader", GRAPHS)
@pytest.mark.parametrize("kind", UNITS)
def test_a_view_that_is_changed_in_place_is_refused_by_a_graph(
    kind: str, reader: str, use: Callable[[Tensor, nn.Module], Tensor]
) -> None:
    with pytest.raises(ValueError, match=r"model must not change a view in place, got .* take inplace=False"):
        GRAPHS[reader](Rectified(use, UNITS[kind]()).eval())


@pytest.mark.parametrize("use", [part_of, whole, reshaped])
def test_a_view_that_is_changed_in_place_is_watched(use: Callable[[Tensor, nn.Module], Tensor]) -> None:
    model = Rectified(use, nn.ReLU(inplace=True)).eval()
    slopes, offsets = geometry.affine_map(model, X)
    torch.testing.assert_close(torch.einsum("ncd,nd->nc", slopes, X) + offsets, model(X).detach())
    assert sum(code.shape[1] for code in geometry.codes(model, X).values()) == (2 if use is part_of else 4)


def into(function: Callable[..., Tensor], *others: float) -> Callable[[Tensor, nn.Module], Tensor]:
    def use(h: Tensor, act: nn.Module) -> Tensor:
        written = torch.empty_like(h)
        function(h, *others, out=written)
        return act(written)

    return use


@pytest.mark.parametrize("reader", [*GRAPHS, *WATCHED])
@pytest.mark.parametrize("use", [into(torch.add, 1.0), into(torch.abs), into(torch.clamp, 0.0)])
def test_what_is_written_into_another_tensor_is_refused(
    use: Callable[[Tensor, nn.Module], Tensor], reader: str
) -> None:
    read = (GRAPHS | WATCHED)[reader]
    with pytest.raises(ValueError, match="which writes into out, a tensor that is not followed"):
        read(Rectified(use, nn.ReLU()).eval())


def test_bounds_that_are_spread_over_the_batch_are_followed() -> None:
    """Their number of rows grows with the regions, once for each layer."""

    class Bounded(Rectified):
        def forward(self, x: Tensor) -> Tensor:
            h = self.first(x)
            return F.relu(torch.fmin(self.bounds.expand_as(h), h))

    model = Bounded(changed, nn.ReLU()).eval()
    regions = geometry.partition(model, box(2.0))
    slopes, _ = geometry.affine_map(model, X)
    np.testing.assert_allclose(regions.slopes[regions.locate(X)], slopes.numpy(), atol=1e-12)


def test_an_operator_in_place_changes_both_names() -> None:
    model = Rectified(of_two_names, nn.ReLU()).eval()
    soft = geometry.soft_partition(model, box(1.0), 1.0, resolution=4)
    grid = torch.from_numpy(np.stack(np.meshgrid(soft.x, soft.y), -1).reshape(-1, 2))
    np.testing.assert_allclose(soft.logits.reshape(4, -1).T, model(grid).detach().numpy())
    regions = geometry.partition(model, box(1.0))
    slopes, _ = geometry.affine_map(model, X)
    np.testing.assert_allclose(regions.slopes[regions.locate(X)], slopes.numpy(), atol=1e-12)
