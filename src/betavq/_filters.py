"""Which layers have filters, and those filters as vectors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.parametrize import is_parametrized

from ._numerics.checks import check_floating

FilterLayer = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
#: Weights that a hook computes anew in every forward pass, by what it keeps them in, with the way to a parameter.
HOOKED = {
    ("weight_orig", "weight_mask"): "one that is pruned: torch.nn.utils.prune.remove(layer, 'weight') makes it one",
    ("weight_orig", "weight_u"): "that of spectral_norm: torch.nn.utils.remove_spectral_norm(layer) makes it one",
    ("weight_g", "weight_v"): "that of weight_norm: torch.nn.utils.remove_weight_norm(layer) makes it one",
}
KINDS = "nn.Linear, nn.Conv1d, nn.Conv2d or nn.Conv3d"


def grouped_filters(weight: Tensor, groups: int) -> Tensor:
    """Flattened filters ``(G, K/G, D)``: those of a group read the same D inputs, of two groups none in common."""
    return weight.reshape(groups, weight.shape[0] // groups, -1)


def weight_filters(name: str, weight: Any) -> Tensor:
    """The filters ``(1, K, D)`` of a weight ``(K, ...)``; raise unless it is one."""
    if not isinstance(weight, Tensor):
        raise TypeError(f"{name} must be a module or a tensor, got {type(weight).__name__}")
    check_floating(name, weight)
    if weight.dim() < 2 or not weight.numel():
        raise ValueError(
            f"{name} must be of shape (K, ...) with at least two sizes, none 0, got {tuple(weight.shape)}"
        )
    return grouped_filters(weight, 1)


def layer_filters(layer: FilterLayer) -> Tensor:
    """The filters ``(G, K/G, D)`` of a layer, as it uses them: parametrised ones are computed."""
    return grouped_filters(layer.weight, layer_groups(layer))


def layer_groups(layer: FilterLayer) -> int:
    """G, the number of groups of filters."""
    return 1 if isinstance(layer, nn.Linear) else layer.groups


def selected_layers(name: str, module: Any, layers: Iterable[str] | None) -> dict[str, FilterLayer]:
    """The layers with filters by their names in ``module``, those within ``layers`` if it is given.

    Raises:
        ValueError: no layer with filters, in ``module`` or in one of ``layers``; one that has not seen an input yet;
            no part of such a name.
        TypeError: not a module; ``layers`` not names.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"{name} must be a module, got {type(module).__name__}")
    if layers is None:
        found = _inside(module, "")
        if not found:
            raise ValueError(f"{name} must hold a layer with filters ({KINDS}), got {type(module).__name__}")
    else:
        found = {}
        for part in _names(layers):
            inside = _inside(_part(name, module, part), part)
            if not inside:
                raise ValueError(f"layers must name parts with filters ({KINDS}), got {part!r}")
            found |= inside
    for path, layer in found.items():
        stored = layer._parameters.get("weight")  # not ``layer.weight``, which a parametrised layer would compute
        if stored is not None and is_lazy(stored):
            raise ValueError(f"{name} must have seen an input, so that its filters exist, got a lazy layer {path!r}")
    return found


def _names(layers: Any) -> list[str]:
    if isinstance(layers, str):
        raise TypeError(f"layers must be a collection of names, got the string {layers!r}: write [{layers!r}]")
    names = list(layers)
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError(f"layers must be names of parts, at least one, got {names!r}")
    return names


def _part(name: str, module: nn.Module, path: str) -> nn.Module:
    try:
        return module.get_submodule(path)
    except AttributeError:
        raise ValueError(f"layers must be names of parts of {name}, got {path!r}") from None


def _inside(module: nn.Module, prefix: str) -> dict[str, FilterLayer]:
    found = module.named_modules(prefix=prefix)
    return {path: layer for path, layer in found if isinstance(layer, LAYERS)}


def check_stored(name: str, layer: FilterLayer) -> None:
    """Raise unless the weight of a layer is floating, and a parameter or buffer that can be parametrised."""
    if not is_parametrized(layer, "weight") and "weight" not in layer._parameters | layer._buffers:
        ways = [way for stored, way in HOOKED.items() if all(hasattr(layer, part) for part in stored)]
        got = ways[0] if ways else "one that is computed"
        raise ValueError(f"{name} must have a weight that is a parameter, or parametrised, got {got}")
    check_floating(f"the weight of {name}", layer.weight)


def off_diagonal(filters: Tensor) -> Tensor:
    """Inner products ``(G, K/G, K/G)`` of the filters of each group, 0 for a filter with itself."""
    gram = filters @ filters.mT
    same = torch.eye(gram.shape[-1], dtype=torch.bool, device=gram.device)
    return gram.masked_fill(same, 0)
