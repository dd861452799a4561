"""What geometry says: of domains that are none, of planes that are missing, while it works, and when printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from partition_examples import Convolutional, box, random_net, seeded
from torch import nn

import betavq
from betavq import geometry

NET = random_net(8, 8, seed=1, outputs=2)
DOMAINS: dict[str, tuple[Any, str]] = {
    "a corner twice": ([[0, 0], [1, 0], [1, 0], [1, 1]], r"each of its corners once, got \[1\.0, 0\.0\] twice"),
    "a corner twice, apart": ([[0, 0], [1, 0], [1, 1], [0, 0], [0, 1]], r"once, got \[0\.0, 0\.0\] twice"),
    "nearly twice": ([[0, 0], [1, 0], [1, 1e-15], [0, 1]], "each of its corners once"),
    "bow-tie": ([[0, 0], [1, 1], [1, 0], [0, 1]], "sides that cross"),
    "lopsided bow-tie": ([[0, 0], [2, 2], [2, 0], [0, 1]], "sides that cross"),
    "pentagram": ([[np.cos(4 * np.pi * k / 5), np.sin(4 * np.pi * k / 5)] for k in range(5)], "sides that cross"),
    "on a line": ([[0, 0], [1, 1], [3, 3], [2, 2]], "have an area, got corners on a line"),
    "on a line, one twice": ([[0, 0], [1, 1], [1, 1], [3, 3]], "have an area, got corners on a line"),
    "one point": ([[1, 2]] * 4, "have an area"),
    "a dart": ([[0, 0], [2, 0], [0.5, 0.5], [0, 2]], "corners that turn both ways"),
    "two": ([[0, 0], [1, 0]], r"at least 3 corners of shape \(V, 2\), got shape \(2, 2\)"),
    "none": ([], r"at least 3 corners of shape \(V, 2\), got shape \(0,\)"),
    "two and back": ([[0, 0], [1, 0], [0, 0]], "have an area, got corners on a line"),
    "NaN": ([[0, 0], [1, 0], [np.nan, 1]], "finite corners, got NaN or infinity"),
    "too small": ([[0, 0], [1e-310, 0], [0, 1e-310]], r"from 1e-75 to 1e\+75 wide, got 1.00e-310"),
    "too large": ([[0, 0], [1.5e308, 0], [0, -1.5e308]], r"from 1e-75 to 1e\+75 wide, got 1.50e\+308"),
    "infinite": ([[0, 0], [np.inf, 0], [1, 1]], "finite corners, got NaN or infinity"),
}


@pytest.mark.parametrize("case", DOMAINS)
def test_the_fault_of_a_domain_is_named(case: str) -> None:
    domain, words = DOMAINS[case]
    for use in (geometry.partition, geometry.soft_partition, geometry.decision_boundary):
        with pytest.raises(ValueError, match=f"domain must .*{words}"):
            use(NET, domain)


@pytest.mark.parametrize("size", [1e-70, 1e70])
def test_a_domain_of_any_other_size_is_taken(size: float) -> None:
    regions = geometry.partition(NET, np.multiply(box(1.0), size))
    assert regions.areas.sum() == pytest.approx(4 * size**2)


@pytest.mark.parametrize(
    ("resolution", "error", "words"),
    [
        (2.5, TypeError, "must be an integer, got 2.5"),
        (None, TypeError, "must be an integer, got None"),
        ((3, 2.0), TypeError, "must be an integer, got 2.0"),
        ((3, 0), ValueError, "must be at least 1, got 0"),
        ((3, 3, 3), ValueError, r"one for columns and one for rows, got \(3, 3, 3\)"),
    ],
)
def test_the_fault_of_a_resolution_is_named(resolution: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"resolution .*{words}"):
        geometry.soft_partition(NET, box(1.0), 0.5, resolution=resolution)
    assert geometry.soft_partition(NET, box(1.0), 0.5, resolution=np.int64(3)).entropy.shape[1:] == (3, 3)


def test_a_tensor_is_a_domain_with_gradient_and_far_away() -> None:
    corners = torch.tensor(box(1.0)) + 1e6
    regions = geometry.partition(NET, corners.double().requires_grad_())
    assert regions.areas.sum() == pytest.approx(4)


@pytest.mark.parametrize("model", [random_net(4, inputs=3), seeded(Convolutional, 0)], ids=["three inputs", "images"])
def test_a_missing_plane_is_named(model: nn.Module) -> None:
    for use in (geometry.partition, geometry.decision_boundary, geometry.soft_partition):
        with pytest.raises(ValueError, match="plane must be given: an origin and two directions of the shape of one"):
            use(model, box(1.0))
    with pytest.raises(ValueError, match="plane must be given"):
        geometry.soft_partition(model, box(1.0), 0.5)
    with pytest.raises(ValueError, match=r"must take inputs of shape \('N', 5\); it said"):
        geometry.partition(model, box(1.0), plane=torch.randn(3, 5))


def test_a_mode_that_changes_nothing_is_no_reason_to_refuse() -> None:
    """Neither do dropout of nothing, nor what the mode was of layers that have none."""
    layers = (nn.Linear(2, 6), nn.ReLU(), nn.Dropout(0.0), nn.Linear(6, 2))
    model, x = nn.Sequential(*layers).double().train(), torch.randn(5, 2).double()
    plain = geometry.partition(model.eval(), box(1.0))
    found = geometry.partition(model.train(), box(1.0))
    assert np.array_equal(found.vertices, plain.vertices)
    assert geometry.affine_map(model, x).slopes.shape == (5, 2, 2)
    for use in (lambda m: geometry.partition(m, box(1.0)), lambda m: geometry.codes(m, x)):
        for layer in (nn.Dropout(0.2), nn.BatchNorm1d(6), nn.RReLU(), nn.AlphaDropout(0.1)):
            with pytest.raises(ValueError, match=r"model must be in eval mode, got layer '2' .*call model.eval"):
                use(nn.Sequential(*layers[:2], layer, layers[3]).double().train())


def test_results_are_printed_in_a_line() -> None:
    x = torch.randn(4, 2).double()
    regions = geometry.partition(NET, box(20.0))
    boundary = geometry.decision_boundary(nn.Linear(2, 3).double(), box(9.0))
    maso = betavq.MASO(torch.randn(5, 3, 2), torch.randn(5, 3))
    results = [
        *(regions, regions[0], regions[0:2], regions.neighbours, regions.layers[0], boundary, boundary[0]),
        *(geometry.soft_partition(NET, box(2.0), 0.9), geometry.soft_partition(NET, box(2.0), 0.9, resolution=3)),
        *(
            geometry.affine_map(NET, x),
            geometry.vq_distance(NET, x, x),
            geometry.convexity(NET, x),
            geometry.power_diagram(maso),
        ),
    ]
    for result in results:
        assert "\n" not in repr(result)
        assert len(repr(result)) < 200
    assert repr(regions[0]).startswith(f"Region({len(regions[0].polygon)} corners, 2 outputs, area ")


def test_distances_tell_how_far_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    images = torch.randn(9, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    model = seeded(Convolutional, 0)
    for use in (geometry.distance_to_border, geometry.nearest_border):
        told: list[tuple[float, int]] = []
        found = use(model, images, progress=lambda *reached, told=told: told.append(reached))
        shares, numbers = zip(*told, strict=True)
        assert list(shares) == sorted(shares)
        assert list(numbers) == sorted(numbers)
        assert told[-1] == (1.0, 9)
        assert len(told) >= 5
        torch.testing.assert_close(found, use(model, images), rtol=0, atol=0)
    assert capsys.readouterr().err == ""
    geometry.distance_to_border(model, images, progress=True)
    assert capsys.readouterr().err.startswith("distance_to_border: ")
    with pytest.raises(TypeError, match="progress must be True, False, None or callable, got 3"):
        geometry.distance_to_border(model, images, progress=3)  # type: ignore[arg-type]
