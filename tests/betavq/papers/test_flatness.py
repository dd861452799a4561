"""Flatness is the squared gradient of the outputs in the weights, and what that has to do with slopes."""

import pytest
import torch
from torch import nn

from betavq import geometry
from betavq.papers.inversion import flatness


def network(*, bias=True, seed=0):
    torch.manual_seed(seed)
    layers = [nn.Linear(6, 9, bias=bias), nn.ReLU(), nn.Linear(9, 7), nn.ReLU(), nn.Linear(7, 4)]
    return nn.Sequential(*layers).double()


def points(count, seed=0):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradients(model, x, c):
    """Of one output at one point, in all weights."""
    return torch.autograd.grad(model(x[None])[0, c], list(model.parameters()))


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_squared_gradient_of_all_outputs(bias):
    model, x = network(bias=bias), points(5)
    squares = [sum(g.square().sum() for g in gradients(model, each, c)) for each in x for c in range(4)]
    torch.testing.assert_close(flatness(model, x).detach(), torch.stack(squares).sum() / 5, rtol=0, atol=1e-12)


def test_it_can_be_learned_from():
    model, x = network(), points(5)
    with torch.no_grad():
        found = flatness(model, x)
    found.backward()
    assert all(bool(layer.weight.grad.any()) for layer in (model[0], model[2], model[4]))
    assert not any(layer._forward_hooks for layer in model)


@pytest.mark.claim("R2")
def test_the_first_layer_s_gradient_is_the_slope_after_it_times_the_input():
    """‖∂f_c/∂W₁‖ = ‖∂f_c/∂z₁‖ ‖x‖: an identity."""
    model, x = network(), points(50)
    for each in x:
        z = model[0](each)
        for c in range(4):
            (delta,) = torch.autograd.grad(model[1:](z)[c], z, retain_graph=True)
            found = gradients(model, each, c)[0].norm()
            torch.testing.assert_close(found, delta.norm() * each.norm(), rtol=1e-12, atol=1e-12)


@pytest.mark.claim("R2")
def test_a_flat_first_layer_bounds_every_template():
    """‖A_c‖ ≤ ‖W₁‖₂ ‖∂f_c/∂W₁‖ / ‖x‖, at a thousand points."""
    for seed in range(4):
        model, x = network(seed=seed), points(250, seed=seed)
        largest = torch.linalg.matrix_norm(model[0].weight, 2)
        slopes = geometry.templates(model, x).norm(dim=2)
        z = model[0](x)
        logits = model[1:](z)
        deltas = [torch.autograd.grad(logits[:, c].sum(), z, retain_graph=True)[0] for c in range(4)]
        gradient = torch.stack([delta.norm(dim=1) for delta in deltas], 1) * x.norm(dim=1, keepdim=True)
        bound = largest * gradient / x.norm(dim=1, keepdim=True)
        assert bool((slopes <= bound * (1 + 1e-12)).all())
        assert (slopes / bound)[bound > 0].max() > 0.5


X = torch.ones(2, 6)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x):
        return self.layer(self.layer(x))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: flatness(torch.relu, X), TypeError, "model must be a module, got builtin_function_or_method"),
        (lambda: flatness(nn.ReLU(), X), ValueError, "must have a linear layer, got none"),
        (
            lambda: flatness(nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3)), X),
            ValueError,
            r"weights in linear layers alone, got layer '1' \(BatchNorm1d\)",
        ),
        (lambda: flatness(Twice(), X), ValueError, r"called once with one row a point, got \[\(2, 6\), \(2, 6\)\]"),
        (lambda: flatness(nn.Linear(6, 3), torch.ones(2, 5, 6)), ValueError, r"one row a point, got \[\(2, 5, 3\)\]"),
        (lambda: flatness(nn.Linear(6, 3), X[:0]), ValueError, "at least one point"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
