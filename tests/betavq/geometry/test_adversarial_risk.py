"""What slopes say about attacks: the slope, the margin, a radius that holds and one that is a guess."""

import math

import pytest
import torch
from piecewise_examples import everything, images, maso, mlp, points
from torch import nn

from betavq import geometry
from betavq.geometry._lipschitz import lipschitz_bound


def two_sided():
    """f = (|x₁|, |x₂|): all that there is to know about it can be written down."""
    return torch.abs


def test_a_network_that_can_be_worked_out():
    x = torch.tensor([[3.0, 1.0], [-2.0, 2.5], [1.0, 2.0]], dtype=torch.float64)
    risk = geometry.adversarial_risk(two_sided(), x, torch.tensor([0, 1, 0]))
    assert risk.slope.tolist() == pytest.approx([1, 1, 1], abs=1e-12)
    assert risk.margin.tolist() == [2.0, 0.5, -1.0]
    assert risk.certified.tolist() == pytest.approx([2**0.5, 0.5 / 2**0.5, 0], abs=1e-12)
    assert risk.linearised.tolist() == pytest.approx([2**0.5, 0.5 / 2**0.5, 0], abs=1e-12)


def test_the_formulas_on_a_network_with_layers_of_all_kinds():
    model, x = everything(), images(6)
    y = model(x).argmax(1)
    risk = geometry.adversarial_risk(model, x, y)
    slopes = geometry.affine_map(model, x).slopes.flatten(2)
    logits = model(x).detach()
    for n, own in enumerate(y.tolist()):
        others = [c for c in range(4) if c != own]
        gaps = [(logits[n, own] - logits[n, c]).item() for c in others]
        ways = [gap / (slopes[n, own] - slopes[n, c]).norm().item() for gap, c in zip(gaps, others, strict=True)]
        assert risk.margin[n].item() == pytest.approx(min(gaps), abs=1e-12)
        assert risk.linearised[n].item() == pytest.approx(min(ways), rel=1e-12)
        assert risk.slope[n].item() == pytest.approx(torch.linalg.svdvals(slopes[n])[0].item(), rel=1e-12)
    _, bound = lipschitz_bound(model, x)
    torch.testing.assert_close(risk.certified, risk.margin / (math.sqrt(2) * bound))
    assert bool((risk.certified <= risk.linearised).all())
    assert not risk.slope.requires_grad


def test_the_bound_of_a_stack_is_the_product_of_its_norms():
    model = mlp(6, 9, 7, 4)
    product = math.prod(torch.linalg.matrix_norm(model[i].weight, 2).item() for i in (0, 2, 4))
    assert lipschitz_bound(model, points(3, 6))[1] == pytest.approx(product, rel=1e-12)


def test_the_norm_of_a_convolution_is_that_of_its_matrix():
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 3, 3, padding=1, stride=2).double()
    zero = torch.zeros(2, 5, 5, dtype=torch.float64)
    matrix = torch.autograd.functional.jacobian(lambda z: layer(z[None])[0], zero).reshape(-1, 50)
    expected = torch.linalg.matrix_norm(matrix, 2).item()
    assert lipschitz_bound(layer, zero[None])[1] == pytest.approx(expected, rel=1e-12)


STEPS = {
    "identity": (lambda x: x.reshape(-1, 6).clone(), 1.0),
    "leaky": (lambda x: torch.nn.functional.leaky_relu(x, -2.0), 2.0),
    "scaled": (lambda x: 3 * x + 1, 3.0),
    "skip": (lambda x: x + torch.relu(x), 2.0),
    "both": (lambda x: torch.cat((x, 2 * x), 1), 5**0.5),
    "copies": (lambda x: x[:, [0, 0, 0]], 3**0.5),
    "largest of two": (lambda x: torch.maximum(x, -x), 2**0.5),
    "windows": (lambda x: torch.nn.functional.max_pool1d(x, 2), 1.0),
    "windows that overlap": (lambda x: torch.nn.functional.max_pool1d(x, 3, 1), 3**0.5),
    "mean": (lambda x: x.mean(1, keepdim=True), 1 / 6**0.5),
}


@pytest.mark.parametrize("name", STEPS)
def test_the_stretch_of_a_step(name):
    function, expected = STEPS[name]
    assert lipschitz_bound(function, points(4, 6))[1] == pytest.approx(expected, rel=1e-12)


def test_the_bound_holds_between_any_two_points():
    for model, x in ((everything(), images(200)), (maso(5, 3, 4), points(200, 4)), (mlp(4, 8, 3), points(200, 4))):
        _, bound = lipschitz_bound(model, x[:1])
        with torch.no_grad():
            ratio = (model(x[:100]) - model(x[100:])).norm(dim=1) / (x[:100] - x[100:]).flatten(1).norm(dim=1)
        assert ratio.max() <= bound
        assert torch.linalg.matrix_norm(geometry.affine_map(model, x).slopes.flatten(2), 2).max() <= bound


@pytest.mark.claim("R1")
def test_no_step_inside_the_certificate_changes_the_class():
    """Along the worst direction of the local map, at .999 of the radius, and along random ones."""
    model, x = everything(), images(100)
    y = model(x).argmax(1)
    risk = geometry.adversarial_risk(model, x, y)
    slopes = geometry.affine_map(model, x).slopes.flatten(2)
    own = slopes[torch.arange(100), y]
    for c in range(4):
        for way in (slopes[:, c] - own, images(100, seed=c + 1).flatten(1)):
            unit = way / way.norm(dim=1, keepdim=True).clamp(min=1e-12)
            moved = x + (0.999 * risk.certified[:, None] * unit).view_as(x)
            assert bool((model(moved).argmax(1) == y).all())


@pytest.mark.claim("R1")
def test_the_linearised_distance_is_exact_while_the_way_stays_in_the_region():
    """There it is where the class changes, neither before nor after."""
    model, x = mlp(4, 8, 3), points(400, 4)
    y = model(x).argmax(1)
    risk = geometry.adversarial_risk(model, x, y)
    slopes = geometry.affine_map(model, x).slopes
    logits = model(x).detach()
    ways = slopes - slopes[torch.arange(400), y][:, None]
    gaps = logits[torch.arange(400), y][:, None] - logits
    reach = (gaps / ways.norm(dim=2)).masked_fill(ways.norm(dim=2) == 0, math.inf)
    nearest = reach.argmin(1)
    way = ways[torch.arange(400), nearest]
    unit = way / way.norm(dim=1, keepdim=True)
    past, before = (x + share * risk.linearised[:, None] * unit for share in (1.0001, 0.9999))
    code = torch.cat(list(geometry.codes(model, x).values()), 1)
    stays = (torch.cat(list(geometry.codes(model, past).values()), 1) == code).all(1)
    assert stays.sum() > 20
    assert bool((model(past).argmax(1) != y)[stays].all())
    assert bool((model(before).argmax(1) == y)[stays].all())
    assert not bool((model(past).argmax(1) != y)[~stays].all())


def test_classes_with_equal_templates_are_never_reached():
    layer = nn.Linear(3, 2).double()
    with torch.no_grad():
        layer.weight[1] = layer.weight[0]
        layer.bias.copy_(torch.tensor([1.0, 0.0]))
    assert geometry.adversarial_risk(layer, points(1, 3), torch.tensor([0])).linearised.item() == math.inf


def test_no_points_have_no_risks():
    found = geometry.adversarial_risk(mlp(4, 8, 3), points(0, 4), torch.zeros(0, dtype=torch.long))
    assert [len(each) for each in found] == [0, 0, 0, 0]


NET, X, Y = mlp(4, 8, 3), points(2, 4), torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: geometry.adversarial_risk(mlp(4, 1), X, Y), ValueError, r"\(N, C\) with C at least 2, got \(2, 1\)"),
        (lambda: geometry.adversarial_risk(NET, X, Y.double()), TypeError, "whole numbers, got torch.float64"),
        (lambda: geometry.adversarial_risk(NET, X, [0, 1]), TypeError, "whole numbers, got list"),
        (
            lambda: geometry.adversarial_risk(NET, X, Y[:1]),
            ValueError,
            r"\(2,\), a label a point, got \(1,\)",
        ),
        (lambda: geometry.adversarial_risk(NET, X, Y + 2), ValueError, "labels from 0 to 2, got 3"),
        (lambda: geometry.adversarial_risk(torch.sigmoid, X, Y), ValueError, "must be piecewise affine, got sigmoid"),
        (
            lambda: geometry.adversarial_risk(lambda x: x[:, :9000].cumsum(1), points(1, 9000), Y[:1]),
            ValueError,
            "on 9000 numbers, too many for the norm of its matrix",
        ),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
