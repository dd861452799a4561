"""Every β of a model: of what is softened, one for all, for each site or each channel; of betavq.nn's layers."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .._beta_module import BetaModule
from .._numerics.checks import check_beta, check_number
from .._numerics.eager import has_values
from .._numerics.kept_beta import beta_in_words, fill_beta, lasting, remember
from .moments import BETA, BETA_THEN, is_stale
from .smoothings import Smoothing, check_positive
from .state import ALL, CHANNEL, Knob, Met, Softening, part_of


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
    part = part_of(owner)
    assert part is not None
    if hasattr(owner, name):
        raise ValueError(f"model must have no attribute {name!r} of its own, got one in {type(owner).__name__}")
    beta = _start(softening.root, start, shape)
    if softening.learnable:
        owner.register_parameter(name, nn.Parameter(beta))
    else:
        owner.register_buffer(name, beta)
    if beta.is_meta:
        remember(owner, name, start)
    part.betas = (*part.betas, name)
    return Knob(owner, name)


def _start(root: nn.Module, beta: float, shape: tuple[int, ...]) -> Tensor:
    """β where the model's first tensor is."""
    first = next((tensor for tensor in (*root.parameters(), *root.buffers())), None)
    device = None if first is None else first.device
    return lasting(torch.full(shape, beta, dtype=torch.float32, device=device))


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


class KeptBeta(NamedTuple):
    """A β that a module keeps, with the smoothing in which it is used if that is softened."""

    module: nn.Module
    attribute: str
    smoothing: Smoothing | None = None

    @property
    def tensor(self) -> Tensor:
        return getattr(self.module, self.attribute)  # type: ignore[no-any-return]

    def checked(self, name: str, value: float | Tensor) -> float | Tensor:
        """A new value for it; raise unless it is one."""
        new, shape = check_beta(value, wait=True), self.tensor.shape
        if isinstance(new, Tensor) and new.dim() > 0 and new.shape != shape:
            raise ValueError(f"beta must have shape {tuple(shape)} or () for {name!r}, got {tuple(new.shape)}")
        if self.smoothing is not None and (not isinstance(new, Tensor) or has_values(new, wait=True)):
            check_positive(self.smoothing, float(new.min()) if isinstance(new, Tensor) else new)
        return new

    def set(self, beta: float | Tensor) -> None:
        if isinstance(self.module, BetaModule) and self.attribute == "beta":
            self.module.set_beta(beta)
        else:
            fill_beta(self.tensor, beta)
            if self.tensor.is_meta:
                remember(self.module, self.attribute, beta)


def softenings_of(model: nn.Module) -> dict[Softening, str]:
    """The softenings of a model's modules, each with the name that its root has in the model."""
    names = {module: name for name, module in model.named_modules()}
    found = (part.softening for module in names if (part := part_of(module)) is not None)
    return {softening: names.get(softening.root, "") for softening in found}


def kept_betas(model: nn.Module) -> dict[str, KeptBeta]:
    """Every β of a model by its name in ``state_dict``; of a part of a softened model by that in the whole."""
    names = {module: name for name, module in model.named_modules()}
    found: dict[str, KeptBeta] = {}
    for softening in softenings_of(model):
        whole = {module: name for name, module in softening.root.named_modules()}
        for knob in softening.knobs.values():
            if knob.owner not in whole:  # it was taken out of the model
                continue
            name = names.get(knob.owner, whole[knob.owner])
            found[f"{name}.{knob.attribute}".lstrip(".")] = KeptBeta(knob.owner, knob.attribute, softening.smoothing)
    for module, name in names.items():
        if isinstance(module, BetaModule):
            found[f"{name}.beta".lstrip(".")] = KeptBeta(module, "beta")
    return found


def warn_of_stale_moments(model: nn.Module) -> None:
    """Warn if moments were matched at another β than there is now."""
    for softening in softenings_of(model):
        names = {(met.module, met.attribute): name for name, met in softening.met.items()}
        for key, matched in softening.moments.found.items():
            if is_stale(matched, softening.knob(names.get(key, key[0])).tensor):
                then = beta_in_words(matched[0].tensor[BETA_THEN])
                warnings.warn(
                    f"the moments were matched at β = {then} and are stale now: call betavq.match_moments again",
                    stacklevel=3,
                )
                return


def clamp_betas(model: nn.Module, low: float = 0.0, high: float = 0.99) -> None:
    r"""Put each β that a model learns back into [``low``, ``high``]: what to do after every step of an optimiser.

    ``optimizer.register_step_post_hook(lambda *_: betavq.clamp_betas(model))`` does it after every step, whatever the
    optimiser. β stays the parameter that it is: in ``state_dict``, in copies, compiled, or one a channel. From
    ``high`` it comes back as soon as the gradient points down, for which it has to be below 1: at β = 1 the derivative
    in β is 0, and so it is, in float32, for inputs of \|u\| > 100/η (η = 99 at 0.99).

    Args:
        model: layers of :mod:`betavq.nn`, a network that :func:`soften` made, or a module that holds such. A β that is
            fixed, frozen or parametrised is left alone.
        low: in [0, 1]; above 0 where the smoothing is the free energy.
        high: in [``low``, 1].

    Raises:
        ValueError: ``low`` or ``high`` outside their range.
        TypeError: not a module, not numbers.

    Example:
        >>> import torch
        >>> import betavq
        >>> unit = betavq.nn.BetaReLU(0.9, learnable=True)
        >>> optimizer = torch.optim.SGD(unit.parameters(), lr=100.0)
        >>> hook = optimizer.register_step_post_hook(lambda *_: betavq.clamp_betas(unit))
        >>> (-unit(torch.tensor([-0.1, 0.1]))).sum().backward()  # harder is better
        >>> optimizer.step()
        >>> unit.beta
        Parameter containing:
        tensor(0.9900, requires_grad=True)
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
    low = check_number("low", low, 0.0, 1.0, "in [0, 1]", or_else="")
    high = check_number("high", high, low, 1.0, f"in [low, 1] = [{low:g}, 1]", or_else="")
    with torch.no_grad():
        for kept in kept_betas(model).values():
            if kept.smoothing is not None:
                check_positive(kept.smoothing, low)
            if isinstance(kept.tensor, nn.Parameter) and kept.tensor.requires_grad:
                kept.tensor.clamp_(low, high)
