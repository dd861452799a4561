"""What layers and functions of this library are at β = 1, in the words of PyTorch's own, and at which β they are."""

from __future__ import annotations

import inspect
import math
from types import FunctionType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ... import functional, pooling
from ..._beta_module import BetaModule
from ..._numerics.hardness import clamp_beta
from ..._numerics.kept_beta import along_channels
from ..._softening.smoothings import softened
from ..._torch.affine import Step
from ..._torch.hard_units import Maxima, Units
from ..._torch.pieces import layer_call
from ...inference import free_energy, value
from ...maso import MASO

OWN_LAYERS = (BetaModule, MASO)
OWN_FUNCTIONS: dict[Any, str] = {
    functional.beta_relu: "relu",
    functional.beta_leaky_relu: "leaky_relu",
    functional.beta_abs: "abs",
    pooling.beta_maxout: "maxout",
    pooling.beta_max_pool1d: "max_pool1d",
    pooling.beta_max_pool2d: "max_pool2d",
    value: "maxout",
    free_energy: "maxout",
}
#: What changes nothing at β = 1.
SOFT_OPTIONS = ("beta", "detach_code", "entropy")


class Found(NamedTuple):
    """The units of a step.

    Attributes:
        step: the step, one of ours as it is at β = 1.
        units: its units.
        beta: their hardness, a number or a tensor that broadcasts against what they put out.
    """

    step: Step
    units: Units
    beta: float | Tensor = 1.0

    def scores(self) -> Tensor:
        """What the units are given, ``(N, D)``."""
        return self.units.scores(*self.step.args, **self.step.kwargs)


def check_step_hard(step: Step, beta: Any = None) -> None:
    """Raise unless the β of a step is 1; that with which it is called unless given."""
    given = step.kwargs.get("beta", step.args[1] if len(step.args) > 1 else 1.0) if beta is None else beta
    smallest = float(torch.as_tensor(given).detach().min())
    if not smallest >= 1:
        raise ValueError(not_hard(step.place, smallest))


def not_hard(place: str, beta: float) -> str:
    """What errors say of a step or layer at a β below 1."""
    return f"model must be hard, but {place} is softened at β = {beta:.7g}: set_beta(model, 1) or harden(model)"


def find_units(step: Step, called: Any) -> Found | None:
    """The units of a step that calls a function or a layer of ours; None if it is affine.

    Raises:
        ValueError: it is neither.
    """
    if step.kwargs.get("out") is not None:
        raise step.refusal("which writes into out, a tensor that is not followed: take what it returns")
    if isinstance(called, MASO):
        beta = step.kwargs.get("beta", step.args[1] if len(step.args) > 1 else 1.0)
        return Found(step._replace(name="maso"), maso_units(called, step.args[0]), beta)
    hard, beta = _in_torchs_words(step, called) or (step, 1.0)
    units = hard.units()
    if units is None:
        hard.check_affine()
    return None if units is None else Found(hard, units, beta)


def _in_torchs_words(step: Step, called: Any) -> tuple[Step, float | Tensor] | None:
    """The step that it is at β = 1, and its β."""
    if called is softened:
        x, kind, options, beta, *_ = step.args
        return step._replace(name=kind, args=(x, *options), kwargs={}), beta
    if isinstance(called, BetaModule):
        call, x = layer_call(called), step.args[0]
        if call is None:
            raise step.refusal()
        name, options = call
        if isinstance(options.get("negative_slope"), Tensor):
            options["negative_slope"] = along_channels(options["negative_slope"], x, called.channel_dim)
        beta = along_channels(clamp_beta(called.beta.detach()), x, called.channel_dim)
        return step._replace(name=name, args=(x,), kwargs=options), beta
    if not isinstance(called, FunctionType) or called not in OWN_FUNCTIONS:
        return None
    given = inspect.signature(called).bind(*step.args, **step.kwargs).arguments
    x = given.pop(next(iter(given)))
    if given.get("readout") is not None:
        raise step.refusal("which reads out other numbers than its scores")
    options = {name: each for name, each in given.items() if name not in (*SOFT_OPTIONS, "readout")}
    return step._replace(name=OWN_FUNCTIONS[called], args=(x,), kwargs=options), given["beta"]


def maso_units(layer: MASO, x: Tensor) -> Units:
    """The units of a MASO, as maxima of its scores; excluded pieces are seen as padding."""
    slopes, offsets = layer.slopes.detach(), layer.offsets.detach()
    excluded = offsets == -torch.inf
    out = (*x.shape[1:-1], layer.num_units)
    windows = torch.arange(math.prod(out) * layer.num_pieces, device=x.device).reshape(*out, layer.num_pieces)
    windows = windows.masked_fill(excluded, -1).reshape(-1, layer.num_pieces)
    affine = torch.where(excluded, 0.0, offsets)
    return Maxima(windows, out, entries=lambda x, *_, **__: torch.einsum("krd,...d->...kr", slopes, x) + affine)
