"""A forward pass with what stood at its layers, and a backward pass to its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..geometry._networks.checks import check_inputs, check_outputs

Model = Callable[[Tensor], Tensor]


def run(model: Model, x: Tensor, *, keep: bool) -> tuple[Tensor, Tensor]:
    """The points, as what gradients are taken in, and the model's output there; ``keep`` leaves them in x's graph."""
    if not callable(model):
        raise TypeError(f"model must be a module or a function of one tensor, got {type(model).__name__}")
    check_inputs("x", x, model)
    points = x if keep and x.requires_grad else x.detach().requires_grad_()
    output = model(points.clone())  # a clone, for a layer may work in place
    if not isinstance(output, Tensor):
        raise TypeError(f"model must return one tensor, got {type(output).__name__}")
    check_outputs(output, x)
    return points, output


def backwards(potential: Tensor, points: Tensor, *, create_graph: bool = True) -> Tensor:
    """The gradient in the points of a number that is made of the model's output."""
    found = None
    if potential.requires_grad:
        # The derivative of a number: with grad_outputs autograd would import sympy.
        (found,) = torch.autograd.grad(potential, points, create_graph=create_graph, allow_unused=True)
    if found is None:
        raise ValueError("model must put out what depends on x, got a constant")
    return found


def check_some(points: Tensor) -> None:
    """Refuse a batch without a point, of which no mean can be taken."""
    if not len(points):
        raise ValueError(f"x must have at least one point, got shape {tuple(points.shape)}")


def checked_layers(model: Any, layers: Sequence[str] | None) -> list[str]:
    """The names of layers."""
    if layers is None:
        return []
    if isinstance(layers, str):
        raise TypeError(f"layers must be a sequence of names, got the text {layers!r}: take [{layers!r}]")
    if not isinstance(model, nn.Module):
        raise TypeError(f"layers can be named of a module alone, got a {type(model).__name__}")
    known = dict(model.named_modules())
    unknown = [name for name in layers if name not in known]
    if unknown:
        raise ValueError(f"layers must be names of submodules ({', '.join(filter(None, known))}), got {unknown[0]!r}")
    return list(layers)


@contextmanager
def outputs_of(model: Model, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """What some layers put out, by name, as long as it lasts."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            found[name] = output.clone() if isinstance(output, Tensor) else output  # the next may work in place

        return hook

    modules = dict(model.named_modules()) if isinstance(model, nn.Module) else {}
    handles = [modules[name].register_forward_hook(keep(name)) for name in names]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def linear_layers(model: Any) -> dict[str, nn.Linear]:
    """The linear layers of a model, by name.

    Raises:
        TypeError: no module.
        ValueError: other layers with weights, or no linear ones.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a module, got {type(model).__name__}")
    layers: dict[str, nn.Linear] = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            layers[name] = module
        elif any(True for _ in module.parameters(recurse=False)):
            kind = type(module).__name__
            raise ValueError(f"model must have its weights in linear layers alone, got layer {name!r} ({kind})")
    if not layers:
        raise ValueError("model must have a linear layer, got none")
    return layers
