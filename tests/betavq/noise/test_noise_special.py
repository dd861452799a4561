"""Selection under noise at the ends: no noise, infinite scales, scores and gaps; NaN; and their gradients."""

from __future__ import annotations

import math

import pytest
import torch
from noise_examples import relu_pieces

from betavq import noise

FUNCTIONS = (noise.code, noise.value, noise.maximum)
names = pytest.mark.parametrize("name", noise.NOISES)
functions = pytest.mark.parametrize("function", FUNCTIONS)


@names
def test_without_noise_the_first_largest_score_is_selected(name: noise.Noise) -> None:
    z = torch.tensor([[1.0, 2.0], [2.0, 1.0], [3.0, 3.0], [0.0, -0.0]])
    for scale in (0.0, torch.tensor(0.0)):
        assert noise.code(z, name, scale).tolist() == [[0, 1], [1, 0], [1, 0], [1, 0]]
        assert torch.equal(noise.value(z, name, scale), z.amax(-1))
        assert torch.equal(noise.maximum(z, name, scale), z.amax(-1))


@names
def test_little_noise_comes_close(name: noise.Noise) -> None:
    z = torch.tensor([[1.0, 2.0], [2.0, 1.0]], dtype=torch.float64)
    hard = noise.code(z, name, 0.0)
    errors = [(noise.code(z, name, scale) - hard).abs().max().item() for scale in (0.1, 0.01, 0.001)]
    assert errors[-1] <= 1e-3 * 0.5
    assert sorted(errors, reverse=True) == errors


@names
def test_endless_noise_does_not_see_the_scores(name: noise.Noise) -> None:
    z = torch.tensor([[1.0, 2.0], [-3e38, 3e38]], requires_grad=True)
    share = 1.0 if name == "exponential" else 0.5  # its noise always lifts the second piece
    code = noise.code(z, name, math.inf)
    assert code[0].tolist() == pytest.approx([1 - share, share])
    assert noise.maximum(z[:1], name, math.inf).item() == math.inf
    # From a leading first piece, exponential noise takes all too.
    assert noise.code(z.detach().flip(-1)[:1], name, math.inf)[0].tolist() == pytest.approx([1 - share, share])
    (slope,) = torch.autograd.grad(code[:, 1].sum(), z)
    assert torch.equal(slope, torch.zeros(2, 2))


@names
@pytest.mark.parametrize("scale", [0.0, 1e-30, 1.0, 1e30, math.inf])
def test_infinite_scores(name: noise.Noise, scale: float) -> None:
    inf = math.inf
    one_sided = torch.tensor([[0.0, inf], [inf, 0.0], [-inf, 0.0], [0.0, -inf], [-inf, inf], [-inf, -inf]])
    assert noise.code(one_sided, name, scale).tolist() == [[0, 1], [1, 0], [0, 1], [1, 0], [0, 1], [0, 0]]
    assert noise.value(one_sided, name, scale).tolist() == [inf, inf, 0, 0, inf, -inf]
    lifted = scale if name == "exponential" else 0.0  # a second piece left alone keeps the mean of its noise
    maxima = noise.maximum(one_sided, name, scale).tolist()
    assert maxima == pytest.approx([inf, inf, lifted, 0, inf, -inf])
    tie = torch.full((1, 2), inf)
    finite_tie = noise.code(torch.zeros(1, 2), name, scale)
    assert torch.equal(noise.code(tie, name, scale), finite_tie)
    assert noise.value(tie, name, scale).item() == noise.maximum(tie, name, scale).item() == inf


@names
@functions
def test_gradients_at_the_ends_are_no_nan(function, name: noise.Noise) -> None:  # type: ignore[no-untyped-def]
    inf, huge = math.inf, torch.finfo(torch.float32).max
    ends = [0.0, 1.0, -1.0, huge, -huge, inf, -inf]
    scales = [0.0, 1e-44, 1e-30, 1.0, 1e30, huge, inf]
    z = torch.tensor([[a, b] for a in ends for b in ends for _ in scales], requires_grad=True)
    scale = torch.tensor([s for _ in ends for _ in ends for s in scales], requires_grad=True)
    result = function(z, name, scale)
    weights = torch.tensor([-1.0, 2.0]) if function is noise.code else 1.0
    assert not result.isnan().any()
    for slope in torch.autograd.grad((result * weights).sum(), (z, scale)):
        assert not slope.isnan().any()


@names
@functions
def test_nan_scores_give_nan(function, name: noise.Noise) -> None:  # type: ignore[no-untyped-def]
    z = torch.tensor([[math.nan, 0.0], [0.0, math.nan], [math.nan, math.inf], [-math.inf, math.nan]])
    for scale in (0.5, torch.tensor(0.5)):
        assert function(z, name, scale).isnan().all()


def test_a_gap_beyond_the_largest_float_is_a_gap() -> None:
    huge = torch.finfo(torch.float32).max
    z = torch.tensor([-huge, huge], requires_grad=True)
    code = noise.code(z, "logistic", huge)  # the gap is 2 scales
    assert code[1].item() == pytest.approx(1 / (1 + math.exp(-2)))
    (slope,) = torch.autograd.grad(noise.maximum(z, "gaussian", huge / 4), z)
    assert slope.tolist() == pytest.approx([1 - 1.0, 1.0])


@names
def test_slope_in_the_scale_where_there_is_no_noise(name: noise.Noise) -> None:
    """One-sided: of the maximum 0 but at ties, where it is N(0); of Lomax noise's code 1/(2 gap)."""
    z = torch.tensor([[0.0, 1.0], [2.0, 0.0], [3.0, 3.0]], dtype=torch.float64)
    scale = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    step = 1e-6
    if name != "lomax":
        (slope,) = torch.autograd.grad(noise.maximum(z, name, scale).sum(), scale)
        difference = (noise.maximum(z, name, step) - noise.maximum(z, name, 0.0)) / step
        torch.testing.assert_close(slope, difference, rtol=0, atol=1e-8)
    (slope,) = torch.autograd.grad(noise.code(z, name, scale)[:, 1].sum(), scale)
    difference = (noise.code(z, name, step) - noise.code(z, name, 0.0))[:2, 1] / step
    torch.testing.assert_close(slope[:2], difference, rtol=0, atol=1e-5)
    assert slope[2] == 0


def test_slopes_at_kinks_are_those_of_pytorch() -> None:
    u = torch.tensor([-3.0, 0.0, 3.0], requires_grad=True)
    for function, ours in (
        (torch.nn.functional.hardsigmoid, lambda u: noise.code(relu_pieces(u), "uniform", 3)[:, 1]),
        (torch.nn.functional.elu, lambda u: noise.maximum(relu_pieces(u), "exponential") - 1),
    ):
        expected = torch.autograd.grad(function(u).sum(), u)
        torch.testing.assert_close(torch.autograd.grad(ours(u).sum(), u), expected)


@names
def test_read_outs_that_are_no_number(name: noise.Noise) -> None:
    inf, nan = math.inf, math.nan
    z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.3], [-inf, -inf]], requires_grad=True)
    readout = torch.tensor([[2.0, nan], [inf, 3.0], [-inf, 1.0], [nan, nan]])
    hard = noise.value(z, name, 0.0, readout=readout)
    assert hard.tolist() == [2, 3, 1, 0]
    soft = noise.value(z[2], name, 0.5, readout=readout[2])
    assert soft.item() == (1.0 if name == "exponential" else -inf)
    (slope,) = torch.autograd.grad(soft, z)
    assert not slope.isnan().any()
    assert noise.value(z[0], name, 2.0, readout=readout[0]).isnan()
