r"""Any network softened: one number β for the nonlinearities that it already has.

.. code-block:: python

    net = betavq.soften(net, beta=0.9)  # a copy; at beta=1 it computes what net computes, bit for bit
    betavq.set_beta(net, 0.5)
    print(betavq.report(net))

ReLU, leaky ReLU, PReLU, abs and max-pooling are softened wherever they occur: as modules, as functions, as methods of
tensors, in place, in modules that are built inside ``forward``. See :func:`soften`.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ._checks import check_beta, check_flag, check_number, has_values
from ._soften_intercept import SoftenedModule, add_beta, holds_sites, intercept, release
from ._soften_probe import look, module_site
from ._soften_state import ALL, BETA, CHANNEL, SITE, Knob, Site, Softening
from ._soften_units import FREE_ENERGY, check_smoothing

__all__ = ["Report", "Site", "betas", "harden", "report", "set_beta", "soften"]

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class Report:
    """Every site of a softened model: those that are replaced, and those that are left alone.

    Attributes:
        sites: all of them, each a :class:`Site`.
        note: what the list may lack; empty if nothing.
    """

    sites: tuple[Site, ...]
    note: str = ""

    @property
    def replaced(self) -> tuple[Site, ...]:
        """The sites that are softened."""
        return tuple(site for site in self.sites if site.replaced)

    @property
    def left_alone(self) -> tuple[Site, ...]:
        """The sites that are not, each with its reason."""
        return tuple(site for site in self.sites if not site.replaced)

    def __str__(self) -> str:
        rows = [
            (site.where, site.what, "replaced" if site.replaced else f"left alone: {site.reason}")
            for site in self.sites
        ]
        widths = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
        lines = [f"{len(self.replaced)} sites replaced, {len(self.left_alone)} left alone"]
        lines += [f"  {where:{widths[0]}}  {what:{widths[1]}}  {fate}" for where, what, fate in rows]
        return "\n".join([*lines, self.note] if self.note else lines)


def soften(
    model: Model,
    beta: float = 0.5,
    *,
    smoothing: str | float = "value",
    share: str = "all",
    learnable: bool = False,
    example_inputs: Any = None,
) -> Model:
    """A copy of ``model`` whose nonlinearities are softened by β."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
    for name, module in model.named_modules():
        if isinstance(module, SoftenedModule):
            raise ValueError(f"model must not be softened already, got {name or 'model'!r}; use set_beta or harden")
    start = check_number("beta", beta, 0.0, 1.0, "in [0, 1]", or_else="")
    kind = check_smoothing(smoothing)
    _check_positive(kind, start)
    if share not in (ALL, SITE, CHANNEL):
        raise ValueError(f"share must be '{ALL}', '{SITE}' or '{CHANNEL}', got {share!r}")
    check_flag("learnable", learnable)
    _ = example_inputs
    made = copy.deepcopy(model)
    softening = Softening(made, kind, share, learnable, start)
    for name, module in list(made.named_modules()):
        if module is made or holds_sites(module):
            site = module_site(module)
            intercept(module, softening, name, is_site=site is not None)
            if site is not None:
                softening.note(name, *site)
    look(softening)
    _add_betas(softening)
    if not softening.unseen and not any(site.replaced for site in softening.sites.values()):
        warnings.warn(f"model has nothing to soften. {report(made)}", stacklevel=2)
    return made


def _add_betas(softening: Softening) -> None:
    root = softening.root
    if softening.share == ALL:
        add_beta(root, BETA, _start(root, softening.start), softening.learnable)
        softening.knobs[""] = Knob(root, BETA)
        return
    raise NotImplementedError("share='site' and share='channel' come with the next change")


def _start(root: nn.Module, beta: float, shape: tuple[int, ...] = ()) -> Tensor:
    """β as a tensor, where the model's tensors are."""
    first = next((tensor for tensor in (*root.parameters(), *root.buffers())), None)
    return torch.full(shape, beta, dtype=torch.float32, device=None if first is None else first.device)


def report(model: nn.Module) -> Report:
    """The sites of a softened model."""
    softenings = list(_softenings(model))
    sites = [site for softening in softenings for site in softening.sites.values()]
    return Report(tuple(sites), " ".join(softening.unseen for softening in softenings if softening.unseen))


def betas(model: nn.Module) -> dict[str, Tensor]:
    """Every β of a softened model by its name in ``state_dict``: the tensors themselves, parameters if learnable."""
    list(_softenings(model))
    return {
        f"{name}.{beta}".lstrip("."): getattr(module, beta)
        for name, module in model.named_modules()
        if isinstance(module, SoftenedModule)
        for beta in module.softened_betas
    }


def set_beta(model: Model, beta: float | Tensor | Mapping[str, float | Tensor]) -> Model:
    """Set every β of a softened model in place, or those of a mapping by name; return the model."""
    found = betas(model)
    given = dict(beta) if isinstance(beta, Mapping) else dict.fromkeys(found, beta)
    unknown = [name for name in given if name not in found]
    if unknown:
        raise ValueError(f"beta must have keys among {sorted(found)}, got {unknown[0]!r}")
    for name, value in given.items():
        new = check_beta(value, wait=True)
        if isinstance(new, Tensor) and new.dim() > 0 and new.shape != found[name].shape:
            shapes = f"shape {tuple(found[name].shape)} or ()"
            raise ValueError(f"beta must have {shapes} for {name!r}, got {tuple(new.shape)}")
        smallest = float(new.min()) if isinstance(new, Tensor) and has_values(new, wait=True) else new
        for softening in _softenings(model):
            _check_positive(softening.smoothing, smallest)
    with torch.no_grad():
        for name, value in given.items():
            kept = found[name]
            kept.copy_(value) if isinstance(value, Tensor) else kept.fill_(value)
    return model


def harden(model: Model) -> Model:
    """A copy of a softened model with its hard nonlinearities, of the original's classes and with its own weights."""
    list(_softenings(model))
    made = copy.deepcopy(model)
    for module in list(made.modules()):
        if isinstance(module, SoftenedModule):
            release(module)
    return made


def _softenings(model: nn.Module) -> Iterator[Softening]:
    """Those of the model's modules, each once."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
    found = {id(m.softening): m.softening for m in model.modules() if isinstance(m, SoftenedModule)}
    if not found:
        raise ValueError("model must be softened, by betavq.soften")
    return iter(found.values())


def _check_positive(smoothing: str | float, beta: Any) -> None:
    if smoothing == FREE_ENERGY and not isinstance(beta, Tensor) and beta == 0:
        raise ValueError("beta must be in (0, 1] for smoothing='free_energy', whose value at 0 is infinite, got 0")
