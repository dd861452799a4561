"""The β of a softened model: one for all, for each site or for each channel, kept by the module that uses it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from .intercept import SoftenedModule
from .state import ALL, BETA, CHANNEL, Knob, Met, Softening


def add_betas(softening: Softening, start: float) -> None:
    """Register every β, as parameters or buffers of the model's own modules.

    No module is added for them: to a ``Sequential`` it would be one more layer, and one more child to any model.
    """
    if softening.share == ALL:
        softening.knobs[""] = _add(softening, softening.root, BETA, start, ())
        return
    for name, site in softening.sites.items():
        if not site.replaced:
            continue
        met = softening.met.get(name, Met(name, BETA))  # a module that was not run
        owner = softening.root.get_submodule(met.module)
        shape = (_channels(name, met),) if softening.share == CHANNEL else ()
        softening.knobs[name] = _add(softening, owner, met.attribute, start, shape)
        softening.sites[name] = replace(site, beta=f"{met.module}.{met.attribute}".lstrip("."))


def _add(softening: Softening, owner: nn.Module, name: str, start: float, shape: tuple[int, ...]) -> Knob:
    assert isinstance(owner, SoftenedModule)
    if hasattr(owner, name):
        raise ValueError(f"model must have no attribute {name!r} of its own, got one in {type(owner).__name__}")
    beta = _start(softening.root, start, shape)
    if softening.learnable:
        owner.register_parameter(name, nn.Parameter(beta))
    else:
        owner.register_buffer(name, beta)
    vars(owner)["softened_betas"] = (*owner.softened_betas, name)
    return Knob(owner, name)


def _start(root: nn.Module, beta: float, shape: tuple[int, ...]) -> Tensor:
    """β where the model's first tensor is."""
    first = next((tensor for tensor in (*root.parameters(), *root.buffers())), None)
    return torch.full(shape, beta, dtype=torch.float32, device=None if first is None else first.device)


def _channels(name: str, met: Met) -> int:
    if not met.channels:
        raise ValueError(
            f"example_inputs must be given for share='channel', and reach every site, got none that reach {name!r}"
        )
    if len(met.channels) > 1:
        raise ValueError(
            f"share must be 'all' or 'site' for this model, got 'channel' where {name!r} has inputs of"
            f" {' and '.join(map(str, sorted(met.channels)))} channels"
        )
    return next(iter(met.channels))
