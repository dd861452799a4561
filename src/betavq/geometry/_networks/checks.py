"""Checks of a model and of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from ..._numerics.checks import check_floating
from ..._softening.betas import kept_betas, softenings_of
from ...maso import MASO
from ...softening import harden
from .own_layers import not_hard

Model = TypeVar("Model", bound=Callable[..., Any])
#: Layers that do another thing in training mode.
_BY_MODE = (_DropoutNd, _NormBase, nn.RReLU, nn.RNNBase, nn.MultiheadAttention)


def check_model(model: Any, *, any_beta: bool = False) -> None:
    """Raise unless a model can be called, is hard, does not depend on chance or its batch, and has finite weights."""
    if not callable(model):
        raise TypeError(f"model must be a module or a function of one tensor, got {type(model).__name__}")
    if not isinstance(model, nn.Module):
        return
    for name, module in model.named_modules():
        if module.training and isinstance(module, _BY_MODE) and getattr(module, "p", 1) > 0:
            raise ValueError(
                f"model must be in eval mode, got {_named(name, module)} in training mode: call model.eval()"
            )
    if not any_beta:
        check_hard(model)
    check_weights(model)


def check_hard(model: Any) -> None:
    """Raise unless every β that a model keeps is 1."""
    if not isinstance(model, nn.Module):
        return
    names = {module: name for name, module in model.named_modules()}
    for kept in kept_betas(model).values():
        smallest = float(kept.tensor.detach().min())
        if not smallest >= 1:
            raise ValueError(not_hard(_named(names.get(kept.module, ""), kept.module), smallest))


def hardened(model: Model) -> Model:
    """A copy of a softened model with its hard nonlinearities back; another model as it is."""
    return harden(model) if isinstance(model, nn.Module) and softenings_of(model) else model


def checked_model(model: Model) -> Model:
    """A model that :func:`check_model` takes, hardened."""
    check_model(model)
    return hardened(model)


def check_weights(model: nn.Module) -> None:
    """Raise unless all floating parameters and buffers are finite (or −∞, the offset of an excluded piece)."""
    for name, module in model.named_modules():
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        for key, tensor in own:
            numbers = tensor.detach()
            if not numbers.is_floating_point():
                continue
            excluded = (numbers == -torch.inf) if isinstance(module, MASO) and key == "offsets" else False
            strange = ~numbers.isfinite() & ~torch.as_tensor(excluded)
            if bool(strange.any()):
                got = numbers[strange][0].item()
                raise ValueError(f"model must have finite weights, got {got} in {key!r} of {_named(name, module)}")


def check_inputs(name: str, x: Any, model: Any) -> None:
    """Raise unless ``x`` is a finite batch ``(N, …)`` in the dtype of the model."""
    check_floating(name, x)
    if x.dim() < 2:
        needs = "a batch of shape (N, …), (1, D) for one point"
        raise ValueError(f"{name} must be {needs}, got shape {tuple(x.shape)}")
    if not bool(x.detach().isfinite().all()):
        raise ValueError(f"{name} must be finite, got {x.detach()[~x.detach().isfinite()][0].item()}")
    if isinstance(model, nn.Module):
        betas = {id(kept.tensor) for kept in kept_betas(model).values()}  # which stay in full precision
        own = (each.dtype for each in model.parameters() if each.is_floating_point() and id(each) not in betas)
        dtype = next(own, x.dtype)
        if dtype != x.dtype:
            raise TypeError(f"{name} must have the dtype of the model, {dtype}, got {x.dtype}")


def check_outputs(output: Tensor, x: Tensor) -> None:
    """Raise unless a model puts out one row for each input."""
    if output.dim() < 1 or output.shape[0] != x.shape[0]:
        got = f"{tuple(output.shape)} from {tuple(x.shape)}"
        raise ValueError(f"model must keep the batch as its first dimension, got {got}")


def _named(name: str, module: nn.Module) -> str:
    kind = type(module).__name__
    return f"layer {name!r} ({kind})" if name else f"the model ({kind})"
