"""Every public operator and module under torch.compile without a graph break, and under autocast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from operator_examples import EXAMPLES, Example, every_layer, every_operator, layer_input, slopes
from torch import nn

# What torch warns itself of: while it traces an autograd.Function, and while it sets its compiler up.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script.*` is deprecated:DeprecationWarning"),
]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Captured whole, forward and backward; run by PyTorch's own operators, so that no C++ compiler is needed."""
    return torch.compile(function, backend="aot_eager", fullgraph=True)


@every_operator
def test_compiles_without_a_break_forward_and_backward(example: Example) -> None:
    x, betas = example.inputs()
    captured = compiled(example.call)
    for beta in (0.4, 1.0, 0.0):
        expected, found = example.call(x, beta), captured(x, beta)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
        if not expected.isinf().any():
            torch.testing.assert_close(slopes(found, x), slopes(expected, x), rtol=1e-5, atol=1e-6)
    expected, found = example.call(x, betas), captured(x, betas)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(slopes(found, x, betas), slopes(expected, x, betas), rtol=1e-5, atol=1e-6)


@every_layer
def test_modules_compile_without_a_break_forward_and_backward(make: Callable[[], nn.Module]) -> None:
    layer, x = make(), layer_input(make).requires_grad_()
    parameters = tuple(layer.parameters())
    assert parameters
    expected, found = layer(x), compiled(layer)(x)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(slopes(found, x, *parameters), slopes(expected, x, *parameters), rtol=1e-5, atol=1e-6)


def test_the_default_compiler_gives_the_same_numbers() -> None:
    """One graph of all operators through the compiler that users get; it writes C++ and needs a compiler for it."""
    inputs = [example.inputs() for example in EXAMPLES.values()]

    def all_of_them(inputs: list[Any]) -> list[torch.Tensor]:
        return [example.call(x, 0.4) for example, (x, _) in zip(EXAMPLES.values(), inputs, strict=True)]

    leaves = [x for x, _ in inputs]
    results = [function(inputs) for function in (all_of_them, torch.compile(all_of_them, fullgraph=True))]
    torch.testing.assert_close(results[1], results[0], rtol=2e-6, atol=1e-6)
    gradients = [slopes(torch.cat([y.flatten() for y in ys]), *leaves) for ys in results]
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-5, atol=1e-6)


@every_operator
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_the_dtype_of_the_input(example: Example, dtype: torch.dtype) -> None:
    """Operators are on no list of autocast: what comes in 16 bits leaves in 16 bits, computed in 32."""
    x, betas = example.inputs()
    with torch.autocast("cpu", dtype=dtype):
        product = torch.eye(x.shape[-1]) @ x.reshape(-1, x.shape[-1]).T
        narrow = product.T.reshape(x.shape)
        assert narrow.dtype == dtype
        for beta in (0.4, betas):
            found, wide = example.call(narrow, beta), example.call(x, beta)
            assert (found.dtype, wide.dtype) == (dtype, torch.float32)
            torch.testing.assert_close(found, example.call(narrow.float(), beta).to(dtype))
            torch.testing.assert_close(wide, example.call(x, beta))
    eps = torch.finfo(dtype).eps
    expected = slopes(example.call(narrow.float(), betas), x, betas, retain=True)
    torch.testing.assert_close(slopes(found, x, betas), expected, rtol=8 * eps, atol=8 * eps)
