"""What orthogonal filters are for (units that are right alone), and that the tools work where the rest does."""

from __future__ import annotations

import pytest
import torch
from mixture_examples import away_from_ties
from torch import nn

from betavq import MASO, mixture
from betavq.orthogonal import coherence, orthogonal_filters, orthogonality_penalty

usual = pytest.mark.usefixtures("float64_and_a_seed")


@usual
@pytest.mark.claim("C9")
@pytest.mark.parametrize(
    ("layer", "input_size"),
    [(lambda: nn.Linear(9, 6), None), (lambda: nn.Conv2d(1, 6, 3), (1, 3, 3))],
    ids=["linear", "convolution at one place"],
)
def test_units_with_orthogonal_filters_are_right_alone(layer, input_size) -> None:
    """A layer's units each select alone what is best for the layer together, once its filters are orthogonal."""
    x, free = 3 * torch.randn(500, 9), layer()
    plain, orthogonal = (
        MASO.from_layers(made, activation=nn.ReLU(), input_size=input_size)
        for made in (free, orthogonal_filters(layer()))
    )
    x = x[away_from_ties(orthogonal.scores(x)).all(1)]
    assert len(x) > 490
    assert mixture.disagreement(orthogonal.to_mixture(), x) == 0
    assert coherence(free) > 0.1
    assert mixture.disagreement(plain.to_mixture(), x) > 0.02


@usual
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # forward mode's own
def test_compiled_exported_and_transformed() -> None:
    model, x = orthogonal_filters(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())), torch.randn(2, 3, 6, 6)
    expected = model(x)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), expected)
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), expected)
    weights = torch.randn(5, 4, 6)
    gradients = torch.func.vmap(torch.func.grad(orthogonality_penalty))(weights)
    for weight, gradient in zip(weights, gradients, strict=True):
        torch.testing.assert_close(torch.func.jacfwd(orthogonality_penalty)(weight), gradient)
        # Of the sum over i ≠ j of ⟨w_i, w_j⟩²: four times the off-diagonal Gram matrix times the filters.
        gram = weight @ weight.mT
        torch.testing.assert_close(gradient, 4 * (gram - gram.diagonal().diag()) @ weight)
    penalty = torch.compile(orthogonality_penalty, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(penalty(weights[0]), orthogonality_penalty(weights[0]))
