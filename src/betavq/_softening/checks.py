"""What a model has to be: one that can be softened, or one with a β."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .betas import KeptBeta, kept_betas, softenings_of
from .state import part_of


def check_model(model: Any) -> None:
    """Raise unless it can be softened."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError("model must be an nn.Module in Python, got a ScriptModule, whose code cannot be intercepted")
    for name, module in model.named_modules():
        place = f"in {name!r}" if name else "as the model"
        if part_of(module) is not None:
            raise ValueError(f"model must not be softened already, got such a module {place}; see set_beta, harden")
        if "_orig_mod" in module._modules:  # of torch._dynamo, which takes long to import
            raise ValueError(f"model must not be compiled, got such a module {place}; soften first, then compile")


def checked_betas(model: nn.Module) -> dict[str, KeptBeta]:
    """Every β that is kept; raise if there is none."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
    found = kept_betas(model)
    if not (found or softenings_of(model)):
        raise ValueError(
            "model must be softened, by betavq.soften, or built of layers of betavq.nn, to have a β; got one that has"
            f" none, {type(model).__name__}"
        )
    return found
