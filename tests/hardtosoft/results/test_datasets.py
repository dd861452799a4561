"""The data sets against scikit-learn's own."""

import pytest
import sklearn.datasets
import torch
from sklearn.model_selection import train_test_split

from hardtosoft.results import datasets, networks

DRAWS = [draw(seed) for seed in range(20) for draw in (datasets.train_draw, datasets.test_draw)]


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize(("size", "noise"), [(200, 0.15), (2000, 0.15), (7, 0.5)])
def test_moons_are_scikit_learns_to_the_last_bit(size: int, noise: float, draw: int) -> None:
    points, labels = datasets.draw_moons(size, noise, draw)
    expected_points, expected_labels = sklearn.datasets.make_moons(size, noise=noise, random_state=draw)
    assert torch.equal(points, torch.tensor(expected_points))
    assert torch.equal(labels, torch.tensor(expected_labels))


def test_no_two_seeds_share_a_draw() -> None:
    assert len(set(DRAWS)) == 40


def test_digits_are_scikit_learns_in_its_order() -> None:
    images, labels = datasets.load_digits()
    expected_images, expected_labels = sklearn.datasets.load_digits(return_X_y=True)
    assert torch.equal(images, torch.tensor(expected_images / 16))
    assert torch.equal(labels, torch.tensor(expected_labels))


def test_stored_test_digits_are_the_stratified_split_of_the_settings() -> None:
    settings = networks.results("digits").settings
    images, labels = datasets.load_digits()
    _, test_x, _, test_y = train_test_split(
        images, labels, test_size=settings["test_points"], stratify=labels, random_state=settings["split_seed"]
    )
    x, y = networks.digits_test_set()
    assert torch.equal(x, test_x)
    assert torch.equal(y, test_y)
    shares = torch.bincount(labels) * len(y) / len(labels)
    assert (torch.bincount(y) - shares).abs().max() < 1
    assert settings["train_points"] + len(y) == len(labels)
    # Left out of training: no test image is a training image as well.
    assert len(torch.unique(images, dim=0)) == len(images)


def test_missing_scikit_learn_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "find_spec", lambda name: None)  # noqa: ARG005
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-learn"):
        datasets.load_digits()
