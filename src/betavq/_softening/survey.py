"""What there is in a model to report: softened sites, layers with a β of their own, and what is hard beside them."""

from __future__ import annotations

import re
from dataclasses import replace

from torch import nn
from torch.fx import GraphModule

from .._beta_module import BetaModule
from .._numerics.kept_beta import beta_in_words
from .._torch.copies import copied
from .betas import kept_betas, softenings_of
from .code import beta_functions, may_call, may_call_in_hooks
from .modules import intercept
from .moments import BETA, in_words
from .probe import find_calls, layer_of, may_hold_sites, module_site, scripted
from .scores import Scores
from .sites import Report, Site
from .smoothings import VALUE
from .state import ALL, Met, Softening, part_of

HARD = "is hard, and not part of what is softened: betavq.soften would replace it"
ADDED = "is hard, and was put into the model after that was softened: soften the original with it"
GIVEN = "is given its β where it is called, by the model's own code, which set_beta does not reach"


def intercept_all(softening: Softening) -> None:
    """Make the modules part of a softened model, and enter those that are sites by themselves."""
    note_outside(softening)
    beneath = scripted(softening).union(*(other.root.modules() for other in softenings_of(softening.root)))
    for name, module in list(softening.root.named_modules()):
        if module in beneath:
            continue
        for function in beta_functions(module):
            softening.note(f"{name}: {function}", function, GIVEN)
        site = module_site(module)
        if module is softening.root or site is not None or may_hold_sites(module):
            intercept(module, softening, name, is_site=site is not None, layer=layer_of(module))
        if site is not None:
            own = f"{name}.beta".lstrip(".") if isinstance(module, BetaModule) else ""
            softening.note(name, *site, own)


def note_outside(softening: Softening) -> None:
    """Say what of the model itself runs outside of its methods, and is not followed."""
    root, kind = softening.root, type(softening.root)
    notes = []
    if kind.__call__ is not nn.Module.__call__ and not isinstance(root, GraphModule):
        notes.append(f"{kind.__name__} has a __call__ of its own: what that computes beside forward stays hard.")
    if may_call_in_hooks(root):
        notes.append(f"{kind.__name__} has hooks of its own: what they compute stays hard.")
    softening.unseen = " ".join(notes)


def report_of(model: nn.Module, scores: dict[Softening, dict[str, Scores]] | None = None) -> Report:
    """The report of a model that has a β, with what was seen of its sites' scores."""
    softenings, sites, notes = softenings_of(model), [], []
    for softening, name in softenings.items():
        seen = (scores or {}).get(softening, {})
        for place, site in _sites_now(softening).items():
            sites.append(_within(name, place, _with_moments(softening, place, _with_scores(site, seen.get(place)))))
        notes.append(softening.unseen)
    if part_of(model) is None:
        beside = _beside(model)
        for site in beside.sites.values():
            sites.append(replace(site, replaced=False, reason=HARD, beta="") if site.replaced else site)
        notes.append(beside.unseen)
    betas = {name: beta_in_words(kept.tensor) for name, kept in kept_betas(model).items()}
    smoothing = " and ".join(dict.fromkeys(str(softening.smoothing) for softening in softenings))
    share = " and ".join(dict.fromkeys(softening.share for softening in softenings))
    return Report(tuple(sites), " ".join(note for note in notes if note), betas, smoothing, share)


def _with_scores(site: Site, seen: Scores | None) -> Site:
    return site if seen is None else replace(site, spread=seen.spread, softness=seen.softness)


def _with_moments(softening: Softening, place: str, site: Site) -> Site:
    met = softening.met.get(place, Met(place, BETA))
    matched = softening.moments.found.get((met.module, met.attribute))
    return replace(site, moments=in_words(matched, softening.knob(place).tensor)) if matched else site


def _beside(model: nn.Module) -> Softening:
    """What softening would find in the rest of a model, parts of which are softened or have a β of their own."""
    looking = Softening(copied(model), VALUE, ALL, learnable=False)
    intercept_all(looking)
    find_calls(looking, None)
    return looking


def _sites_now(softening: Softening) -> dict[str, Site]:
    """The sites that are still in the model, and what was put into it since, in modules that are not watched."""
    modules = dict(softening.root.named_modules())
    parts = {name: part_of(module) for name, module in modules.items()}
    sites = {
        place: site
        for place, site in softening.sites.items()
        if not site.replaced or ": " in place or parts.get(place)
    }
    beneath = scripted(softening)
    for name, module in modules.items():
        above = [parts[""], *(parts.get(name[: dot.start()]) for dot in re.finditer(r"\.", name))]
        if parts[name] or module in beneath or any(part is not None and not part.is_quiet for part in above):
            continue
        kind, reason = module_site(module) or (type(module).__name__, "" if may_call(module) else None)
        if reason is not None:
            own = f"{name}.beta" if isinstance(module, BetaModule) else ""
            sites[name] = Site(name, kind, replaced=False, reason=reason or ADDED, beta=own)
    return sites


def _within(root: str, place: str, site: Site) -> Site:
    """A site of a softened part of a model, by its names in the whole."""
    if not root:
        return site
    where = f"{root}{place}" if place.startswith(": ") else f"{root}.{place}".rstrip(".")
    return replace(site, where=where, beta=site.beta and f"{root}.{site.beta}")
