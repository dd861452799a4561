"""What the layers and functions of this library are at β = 1, in the words of PyTorch's own."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from ..._beta_module import BetaModule
from ..._numerics.hardness import clamp_beta
from ..._numerics.kept_beta import along_channels
from ..._torch.affine import Step
from ..._torch.hard_units import Maxima, Units
from ..._torch.pieces import layer_call
from ...maso import MASO

OWN_LAYERS = (BetaModule, MASO)


def own_units(step: Step, layer: nn.Module) -> Units:
    """The units of a layer of ours.

    Raises:
        ValueError: a β below 1, or another layer.
    """
    if isinstance(layer, MASO):
        check_hard(step, step.kwargs.get("beta", step.args[1] if len(step.args) > 1 else 1.0))
        return maso_units(layer, step.args[0])
    call = layer_call(layer)
    if call is None or not isinstance(layer, BetaModule):
        raise step.refusal()
    check_hard(step, clamp_beta(layer.beta.detach()))
    (x,), (name, options) = step.args, call
    if isinstance(options.get("negative_slope"), Tensor):
        options["negative_slope"] = along_channels(options["negative_slope"], x, layer.channel_dim)
    units = step._replace(name=name, kwargs=options).units()
    assert units is not None
    return units


def own_function(step: Step) -> Step:
    """A function of ours as the one of PyTorch's that it is at β = 1.

    Raises:
        ValueError: a β below 1.
    """
    options = dict(step.kwargs)
    check_hard(step, options.pop("beta"))
    options.pop("detach_code", None)
    return step._replace(name=step.name.removeprefix("beta_"), kwargs=options)


def maso_units(layer: MASO, x: Tensor) -> Units:
    """The units of a MASO, as maxima of its scores; excluded pieces are seen as padding."""
    slopes, offsets = layer.slopes.detach(), layer.offsets.detach()
    excluded = offsets == -torch.inf
    out = (*x.shape[1:-1], layer.num_units)
    windows = torch.arange(math.prod(out) * layer.num_pieces, device=x.device).reshape(*out, layer.num_pieces)
    windows = windows.masked_fill(excluded, -1).reshape(-1, layer.num_pieces)
    affine = torch.where(excluded, 0.0, offsets)
    return Maxima(windows, out, entries=lambda x, *_, **__: torch.einsum("krd,...d->...kr", slopes, x) + affine)


def check_hard(step: Step, beta: Any) -> None:
    """Raise unless β is 1."""
    smallest = float(torch.as_tensor(beta).min())
    if smallest < 1:
        raise ValueError(
            f"model must be hard, but {step.layer} is softened at β = {smallest:.7g}: "
            "set_beta(model, 1) or harden(model)"
        )
