"""What the landing page draws, against betavq: values, classes, gradients, facets and the boundary."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import betavq
from betavq.functional import beta_relu
from hardtosoft.drawing.moons import BOX, moons_boundary
from hardtosoft.hero import picture
from hardtosoft.hero.markup import facets
from hardtosoft.interactive import palette
from hardtosoft.results.networks import Network, load_two_moons

NETWORK = load_two_moons()
PLANE = picture.plane_program(NETWORK)


def points(count, seed=0):
    low, high = (torch.tensor([BOX.x[end], BOX.y[end]], dtype=torch.float64) for end in (0, 1))
    return low + (high - low) * torch.rand(
        count, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )


def run(names, x, beta, **inputs):
    return PLANE.run(names, x=x[:, 0].numpy(), y=x[:, 1].numpy(), **picture.resting(beta, **inputs))


@given(st.floats(0, 1), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_the_network_is_betavqs_at_every_beta(beta, seed):
    x = points(50, seed)
    (logit,) = run(["logit"], x, beta)
    known = NETWORK.logits(x, beta)[:, 0].numpy()
    # Weights have 7 digits in the page; η ends at a million.
    np.testing.assert_allclose(logit, known, rtol=0, atol=2e-5)


@pytest.mark.parametrize("beta", [0.0, 0.2, 0.5, 0.8, 0.95, 1.0])
def test_its_gradient_is_autograds(beta):
    x = points(200).requires_grad_()
    (known,) = torch.autograd.grad(NETWORK.logits(x, beta).sum(), x)
    across, up = run(["across", "up"], x.detach(), beta)
    np.testing.assert_allclose(np.stack([across, up], -1), known.numpy(), rtol=1e-4, atol=1e-4)


@given(st.floats(-4, 4), st.floats(0, 1))
@settings(deadline=None)
def test_one_unit_is_the_beta_relu(u, beta):
    eta = picture.resting(beta)["eta"]
    (value,) = picture.unit_program().run(["value"], u=u, eta=eta)
    assert float(value) == pytest.approx(float(beta_relu(torch.tensor(u, dtype=torch.float64), beta=beta)), abs=2e-6)


@pytest.mark.parametrize("beta", [0.0, 0.25, 0.5, 0.9])
def test_eta_is_betavqs(beta):
    assert picture.resting(beta)["eta"] == pytest.approx(betavq.eta_from_beta(beta))


def test_facets_of_the_hard_network_have_one_colour_each():
    """Within a region and a class nothing but the line and the edges changes a pixel."""
    for facet in facets():
        inside = torch.from_numpy(facet.mean(0) + 0.6 * (facet - facet.mean(0)))
        pixels = np.stack(run(["red", "green", "blue"], inside, 1.0, edge=0.0, width=-1.0, pixel=1e-5), -1)
        assert np.ptp(pixels, axis=0).max() < 0.5


@pytest.mark.parametrize("dark", [False, True])
def test_classes_are_blue_and_orange(dark):
    x = points(400)
    red, _, blue = run(["red", "green", "blue"], x, 0.5, **{**picture.look(dark), "edge": 0.0, "width": -1.0})
    (logit,) = run(["logit"], x, 0.5)
    np.testing.assert_array_equal(red > blue, logit > 0)


def test_every_bend_of_the_exact_boundary_lies_on_the_line():
    line = np.array(palette.channels(palette.COLOURS["plane-line"][0])) * 255
    bends = np.concatenate([part.points[1:-1] for part in moons_boundary()])
    pixels = np.stack(run(["red", "green", "blue"], torch.from_numpy(bends), 1.0), -1)
    assert len(bends) == 9
    np.testing.assert_allclose(pixels, np.broadcast_to(line, pixels.shape), atol=40)


def test_a_network_of_other_shape_is_refused():
    three = Network((torch.ones(1, 3, dtype=torch.float64),), (torch.zeros(1, dtype=torch.float64),))
    with pytest.raises(ValueError, match="network must have two inputs and one logit"):
        picture.plane_program(three)
