"""What looks affine and is not: a tensor times itself, rows of a batch that are mixed, and a map that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from partition_examples import box, random_net
from torch import Tensor, nn

from betavq import geometry
from betavq.geometry import partitions

X = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (5, 2)))
READERS: dict[str, Callable[[nn.Module], Any]] = {
    "partition": lambda model: geometry.partition(model, box(1.0)),
    "soft_partition": lambda model: geometry.soft_partition(model, box(1.0), 0.5, resolution=3),
    "own soft_partition": lambda model: geometry.soft_partition(model, box(1.0), resolution=3),
    "distance_to_border": lambda model: geometry.distance_to_border(model, X),
    "codes": lambda model: geometry.codes(model, X),
    "codes of one": lambda model: geometry.codes(model, X[:1]),
    "vq_distance": lambda model: geometry.vq_distance(model, X, X),
    "affine_map": lambda model: geometry.affine_map(model, X),
    "templates": lambda model: geometry.templates(model, X[:1]),
    "convexity": lambda model: geometry.convexity(model, X),
    "centroid": lambda model: geometry.centroid(model, X),
}


@torch.fx.wrap
def add(x: Tensor, y: Tensor) -> Tensor:
    """No sum."""
    return x * y


class Function(nn.Module):
    """A function between a linear layer and a ReLU."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.function, self.first = function, nn.Linear(2, 4).double()
        self.kernel = nn.Parameter(torch.ones(4, 4, 1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.function(self.first(x)))


NOT_AFFINE: dict[str, Callable[[Tensor], Tensor]] = {
    "h * h": lambda h: h * h,
    "multiply": lambda h: torch.multiply(h, h),
    "h * its neighbour": lambda h: h[:, :2] * h[:, 2:],
    "square": lambda h: h.square(),
    "pow": lambda h: h**2,
    "einsum": lambda h: torch.einsum("nk,nk->nk", h, h),
    "einsum with a list": lambda h: torch.einsum("nk,nk->nk", [h, h]),
    "bmm": lambda h: torch.bmm(h.unsqueeze(2), h.unsqueeze(1)).flatten(1),
    "matmul": lambda h: (h.unsqueeze(1) @ h.unsqueeze(2)).flatten(1) + h,
    "linear with weights of x": lambda h: F.linear(h, h[:4]),
    "conv with weights of x": lambda h: F.conv1d(h[:, None], h[:4, None, :1]).flatten(1),
    "quotient": lambda h: h / (h + 10),
    "of a constant": lambda h: 1 / (h + 10),
    "addcmul": lambda h: torch.addcmul(h, h, h),
    "norm": lambda h: h / h.norm(dim=1, keepdim=True),
    "softmax": lambda h: h.softmax(1),
}
MIXED: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda h: h - h.mean(0),
    "mean, kept": lambda h: h - torch.mean(h, 0, keepdim=True),
    "flip": lambda h: h + h.flip(0),
    "roll": lambda h: h - h.roll(1, 0),
    "cumsum": lambda h: h.cumsum(0),
    "cumsum from the back": lambda h: h.flip(0).cumsum(0).flip(0),
    "reshape": lambda h: h.reshape(4, -1).t(),
    "view": lambda h: h.t().reshape(-1, 4),
    "the first row": lambda h: h + h[:1],
    "the last row, by a slice": lambda h: h - h[-1:],
    "the number of rows": lambda h: h / h.shape[0],
    "their product": lambda h: h @ (h.t() @ h.new_ones(h.shape[0], 4)),
    "matrix of all pairs": lambda h: (h @ h.t())[:, :1] + h,
    "units of other rows": lambda h: h.t().relu().t() + 1,
    "units of a row and the batch": lambda h: h.flatten().abs().view(-1, 4),
    "a maximum after a transpose": lambda h: h.t().amax(1, keepdim=True).t() + h,
    "the place of a row": lambda h: h * torch.arange(1, len_of(h) + 1).double()[:, None],
    "two rows": lambda h: h[torch.tensor([1, 0])],
    "batch norm": lambda h: F.batch_norm(h, None, None, training=True),
}
each_reader = pytest.mark.parametrize("reader", READERS)


@each_reader
@pytest.mark.parametrize("name", NOT_AFFINE)
def test_a_product_of_two_functions_of_x_is_refused(name: str, reader: str) -> None:
    with pytest.raises(ValueError, match=r"model must (be piecewise affine|compute each row)"):
        READERS[reader](Function(NOT_AFFINE[name]).eval())


@each_reader
@pytest.mark.parametrize("name", MIXED)
def test_rows_that_are_mixed_are_refused(name: str, reader: str) -> None:
    words = "model must (compute each row|keep the batch|be piecewise|be in eval|return one row)|x must fit"
    with pytest.raises(ValueError, match=words):
        READERS[reader](Function(MIXED[name]).eval())


def test_the_unit_circle_is_no_straight_border() -> None:
    """The kink of relu(1 − |x|²): distances from it would be wrong."""

    class Circle(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(1 - (x * x).sum(1, keepdim=True))

    with pytest.raises(ValueError, match="mul by a function of x in the model"):
        geometry.distance_to_border(Circle().eval(), torch.tensor([[0.5, 0.0], [0.0, 0.0], [3.0, 0.0]]))


def test_what_keeps_rows_apart_is_taken_all_the_same() -> None:
    for function in (
        lambda h: h - h.mean(1, keepdim=True),
        lambda h: h.flip(1).cumsum(1).roll(1, 1),
        lambda h: h.view(h.size(0), 2, 2).transpose(1, 2).reshape(len_of(h), -1),
        lambda h: h * torch.ones_like(h) + torch.zeros_like(h),
        lambda h: torch.cat((h, h.new_zeros(h.shape[0], 1)), 1),
    ):
        model = Function(function).eval()
        regions = geometry.partition(model, box(1.0))
        slopes, _ = geometry.affine_map(model, X)
        np.testing.assert_allclose(regions.slopes[regions.locate(X)], slopes.numpy(), atol=1e-12)


def len_of(h: Tensor) -> int:
    return h.shape[0]


@pytest.mark.parametrize("share", [1.0, 0.05])
def test_a_wrong_map_that_agrees_at_the_centre_is_found(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    right = partitions._assemble

    def wrong(*args: Any) -> Any:
        regions = right(*args)
        planted = np.random.default_rng(0).random(len(regions)) < share
        tilt = np.array([0.1, -0.2]) * planted[:, None]
        regions.slopes = regions.slopes + tilt[:, None]
        regions.offsets = regions.offsets - (tilt * regions.centres).sum(1)[:, None]
        return regions

    model = random_net(12, 12, seed=1)
    assert len(geometry.partition(model, box(2.0))) > 100
    monkeypatch.setattr(partitions, "_assemble", wrong)
    with pytest.raises(ValueError, match="model must compute in the precision of its input"):
        geometry.partition(model, box(2.0))


def test_a_step_that_is_not_what_its_name_says_is_found() -> None:
    """Numbers are asked too, and not names alone."""

    class Strange(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return add(x, x)

    with pytest.raises(ValueError, match="model must be piecewise affine"):
        geometry.distance_to_border(Strange().eval(), X)
