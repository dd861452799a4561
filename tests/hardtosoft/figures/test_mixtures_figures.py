"""The mixture that learns the digits: pictures of its means, and a log-likelihood that never falls."""

import numpy as np
import pytest
import torch

from hardtosoft.figures.gaussian_mixtures import digits
from hardtosoft.results.datasets import load_digits


@pytest.mark.parametrize("shared", [True, False])
def test_the_log_likelihood_never_falls(shared):
    steps = digits.fit_digits(shared)
    assert len(steps) == digits.ITERATIONS + 1
    assert (np.diff([step.log_likelihood for step in steps]) > -1e-9).all()


def test_it_starts_from_images_and_a_shared_variance_is_one_number():
    images, _ = load_digits()
    start, *_, end = digits.fit_digits(True)
    assert torch.cdist(start.means, images).amin(1).max() < 1e-9
    assert end.variance.dim() == 0
    assert digits.fit_digits(False)[-1].variance.shape == (digits.COMPONENTS,)


def test_a_mean_is_the_average_of_the_images_that_it_is_responsible_for():
    images, _ = load_digits()
    before, after = digits.fit_digits(True)[:2]
    # All weights of the start are equal, and so is the variance.
    shares = torch.softmax(-torch.cdist(images, before.means).square() / (2 * before.variance), 1)
    torch.testing.assert_close(after.means, shares.T @ images / shares.sum(0)[:, None], rtol=0, atol=1e-9)


def test_the_tile_shows_every_mean_upright():
    images = torch.zeros(digits.COMPONENTS, digits.SIDE**2)
    images[5, 0] = 1.0  # upper left pixel of the second picture in the second row
    assert np.argwhere(digits.tile(images)).tolist() == [[10, 10]]
    frame = digits.digits_frame("one for all", 3)
    (picture,) = frame.panels[0].traces
    expected = digits.tile(digits.fit_digits(True)[3].means)
    np.testing.assert_array_equal(picture["z"][::-1], expected)


def test_the_dot_lies_on_its_curve():
    for variance in digits.VARIANCES:
        *curves, dot = digits.digits_frame(variance, 7).panels[1].traces
        (curve,) = [each for each in curves if each["name"] == f"variance {variance}"]
        assert dot["y"][0] == curve["y"][7]


def test_unknown_variances_are_refused():
    with pytest.raises(ValueError, match="variance must be one of 'one for all', 'one for each', got 'full'"):
        digits.digits_frame("full", 0)
