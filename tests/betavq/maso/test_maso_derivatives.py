"""MASO: gradients and transforms, and learning by them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from maso_examples import betas, random, random_maso
from torch import Tensor

import betavq
from betavq import MASO

# PyTorch's own, when it first needs forward-mode derivatives.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


@betas
@pytest.mark.parametrize("padded", [False, True])
def test_value_code_and_gradients_are_those_of_the_scores(beta: float, padded: bool) -> None:
    maso, x = random_maso(padded=padded), random(50, 2).requires_grad_()
    operands = [x, maso.slopes, maso.offsets]
    scores, weight = maso.scores(x), random(50, 3, seed=7)
    torch.testing.assert_close(maso.code(x, beta), betavq.code(scores, beta), rtol=0, atol=0)
    expected = betavq.value(scores, beta)
    y = maso(x, beta)
    torch.testing.assert_close(y, expected, rtol=1e-13, atol=1e-13)
    gradients = torch.autograd.grad((y * weight).sum(), operands)
    torch.testing.assert_close(
        gradients, torch.autograd.grad((expected * weight).sum(), operands), rtol=1e-7, atol=1e-10
    )
    assert all(gradient.isfinite().all() for gradient in gradients)
    if padded:
        assert not gradients[1][1:, -1].any()
        assert not gradients[2][1:, -1].any()


def test_tensor_beta_broadcasts_against_the_units_and_learns() -> None:
    maso, x = random_maso(), random(6, 2)
    beta = torch.tensor([0.0, 0.4, 1.0], dtype=x.dtype, requires_grad=True)
    y = maso(x, beta)
    for unit, number in enumerate(beta.tolist()):
        torch.testing.assert_close(y[:, unit], maso(x, number)[:, unit], rtol=1e-13, atol=1e-13)
    y.sum().backward()
    assert beta.grad is not None
    t = maso.code(x, 0.4)[:, 1]
    z = maso.scores(x)[:, 1]
    variance = (t * z.square()).sum(-1) - (t * z).sum(-1).square()
    torch.testing.assert_close(beta.grad[1], (variance / 0.6**2).sum(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (50, 1), (50, 3)])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 200.0])
def test_a_tensor_beta_inside_is_as_right_as_the_general_form(
    shape: tuple[int, ...], scale: float, padded: bool
) -> None:
    maso, x = random_maso(padded=padded), random(50, 2).requires_grad_()
    beta = betavq.beta_from_eta(scale * random(*shape, seed=3).exp()).requires_grad_()
    operands, weight = [x, maso.slopes, maso.offsets, beta], random(50, 3, seed=7)
    found, expected = maso(x, beta), betavq.value(maso.scores(x), beta)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    slopes = [torch.autograd.grad((y * weight).sum(), operands) for y in (found, expected)]
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-8, atol=1e-10)
    assert all(gradient.isfinite().all() for gradient in slopes[0])


def function_of(maso: MASO, beta: float) -> Any:
    def call(x: Tensor, slopes: Tensor, offsets: Tensor) -> Tensor:
        return torch.func.functional_call(maso, {"slopes": slopes, "offsets": offsets}, (x, beta))

    return call


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 1.0])
def test_derivatives(beta: float) -> None:
    maso = random_maso(2, 3, 2)
    operands = [t.detach().clone().requires_grad_() for t in (random(4, 2), maso.slopes, maso.offsets)]
    call = function_of(maso, beta)
    assert torch.autograd.gradcheck(call, operands, check_forward_ad=True, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(call, operands)


@pytest.mark.parametrize("beta", [0.5, 1.0])
@pytest.mark.parametrize("needed", [0, 1, 2])
def test_derivative_in_one_operand_alone(beta: float, needed: int) -> None:
    maso = random_maso(2, 3, 2)
    operands = [random(4, 2), maso.slopes.detach(), maso.offsets.detach()]
    operands[needed] = operands[needed].clone().requires_grad_()
    assert torch.autograd.gradcheck(function_of(maso, beta), operands)


@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_transforms(beta: float) -> None:
    maso, x = random_maso(), random(5, 2)
    torch.testing.assert_close(torch.vmap(lambda row: maso(row, beta))(x), maso(x, beta))
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row: maso(row, beta)))(x)
    torch.testing.assert_close(torch.func.vmap(torch.func.jacfwd(lambda row: maso(row, beta)))(x), jacobian)
    if beta == 1:
        chosen = maso.slopes[torch.arange(3), maso.selection(x)]
        torch.testing.assert_close(jacobian, chosen)


@pytest.mark.parametrize("count", [0, 1, 3, 50])
def test_few_units_of_many_inputs(count: int) -> None:
    maso, x = random_maso(2, 5, 40, padded=True), random(count, 40).requires_grad_()
    operands = [x, maso.slopes, maso.offsets]
    expected = betavq.value(maso.scores(x), 1.0)
    torch.testing.assert_close(maso(x), expected, rtol=1e-13, atol=1e-13)
    assert torch.equal(maso.selection(x), maso.scores(x).argmax(-1))
    gradients = torch.autograd.grad(maso(x).square().sum(), operands)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected.square().sum(), operands))


def test_a_unit_learns_a_convex_function() -> None:
    torch.manual_seed(0)
    x = torch.linspace(-2, 2, 101, dtype=torch.float64)[:, None]
    target = x.square()
    maso = MASO(random(1, 6, 1), random(1, 6, seed=1))
    optimiser = torch.optim.Adam(maso.parameters(), lr=0.05)
    for _ in range(300):
        optimiser.zero_grad()
        (maso(x) - target).square().mean().backward()
        optimiser.step()
    assert (maso(x) - target).square().mean().item() < 0.01
