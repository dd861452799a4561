"""Orthogonal filters: a penalty, a parametrisation, and what to look at.

* :func:`orthogonal_filters`: a layer whose filters stay orthogonal; :func:`orthogonality_penalty`: a loss for it.
* :func:`coherence`, :func:`coherence_report`: how far filters are from it, in a layer and, as a list of
  :class:`LayerCoherence`, in a model.

Units that share an input are inferred one by one, as a layer does it, or jointly, as the mixture model behind it asks
(:mod:`betavq.mixture`). Where the filters of different units are orthogonal both give the same codes. A filter is the
row of weights of one unit, flattened: K filters of D inputs make a K × D matrix. For a convolution these are the
units that look at one place; orthogonal filters say nothing of two places whose windows overlap. The filters of two
groups of a convolution have no input in common, and so are orthogonal as they are.

(A network's templates, one for each class and input, may be held apart by the same penalty. They are not filters,
and not treated here.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ._filters import (
    FilterLayer,
    check_stored,
    grouped_filters,
    layer_filters,
    layer_groups,
    off_diagonal,
    selected_layers,
    weight_filters,
)
from ._numerics.dtypes import full_precision, widened
from ._numerics.eager import has_values

__all__ = ["LayerCoherence", "coherence", "coherence_report", "orthogonal_filters", "orthogonality_penalty"]
__dir__ = __all__.copy

M = TypeVar("M", bound=nn.Module)


def orthogonality_penalty(module_or_weight: nn.Module | Tensor, *, layers: Iterable[str] | None = None) -> Tensor:
    r"""How far filters are from orthogonal, for a training loss: the squares of their inner products,

    .. math:: \sum_{i \neq j} \langle w_i, w_j \rangle^2,

    where each pair counts twice, as i, j and as j, i. It is 0 exactly if all filters are orthogonal, whatever their
    norms; more filters than inputs cannot be, unless some are 0. Shrinking the weights lowers it too. The penalty of a
    model is the sum over its layers: ``loss + strength * orthogonality_penalty(model)``.

    Args:
        module_or_weight: an ``nn.Linear``, ``nn.Conv1d``, ``nn.Conv2d`` or ``nn.Conv3d``, or a module that holds such
            layers, of which each counts; or a weight ``(K, ...)`` of K filters.
        layers: names of the parts that count, as in ``model.named_modules()``, with the layers inside them. None: all.

    Returns:
        A tensor of shape (), differentiable; float32 for filters of 16 bits, else in their dtype.

    Raises:
        ValueError: no layer with filters; no part of such a name; a weight of fewer than two dimensions.
        TypeError: neither a module nor a floating tensor; ``layers`` given with a tensor, or not names.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, orthogonal filters.

    Example:
        >>> import torch
        >>> from betavq.orthogonal import orthogonality_penalty
        >>> orthogonality_penalty(torch.tensor([[1.0, 0.0], [1.0, 1.0]])).item()
        2.0
    """
    if isinstance(module_or_weight, nn.Module):
        found = selected_layers("module_or_weight", module_or_weight, layers)
        penalties = [_penalty(layer_filters(layer)) for layer in found.values()]
        return torch.stack(penalties).sum() if len(penalties) > 1 else penalties[0]
    filters = weight_filters("module_or_weight", module_or_weight)
    if layers is not None:
        raise TypeError("layers must be None for a weight, which has no parts")
    return _penalty(filters)


def coherence(layer_or_weight: FilterLayer | Tensor) -> Tensor:
    r"""The largest \|cosine\| between two filters: 0 if all are orthogonal, 1 if two are parallel.

    Args:
        layer_or_weight: an ``nn.Linear``, ``nn.Conv1d``, ``nn.Conv2d`` or ``nn.Conv3d``; or a weight ``(K, ...)``.

    Returns:
        A tensor of shape (), in [0, 1]; 0 for a single filter. A filter that is 0 counts as orthogonal to all.

    Raises:
        ValueError: a weight of fewer than two dimensions, a lazy layer.
        TypeError: neither such a layer nor a floating tensor.

    Example:
        >>> import torch
        >>> from betavq.orthogonal import coherence
        >>> filters = torch.tensor([[1.0, 0.0], [1.0, 1.0]])  # at an angle of 45°
        >>> coherence(filters).round(decimals=4)
        tensor(0.7071)
    """
    return _cosines(_filters_of_one(layer_or_weight)).amax()


@dataclass(frozen=True)
class LayerCoherence:
    """The filters of one layer, seen as directions and as the penalty sees them.

    Attributes:
        name: of the layer in the model, as in ``model.named_modules()``.
        num_filters: K.
        num_inputs: D, of each filter; K ≤ D can be orthogonal (in each group).
        coherence: the largest absolute cosine of two filters.
        mean_cosine: the mean absolute cosine over all pairs.
        penalty: the layer's :func:`orthogonality_penalty`.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.orthogonal import coherence_report
        >>> layer = nn.Linear(2, 2)
        >>> layer.weight.data = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
        >>> (found,) = coherence_report(nn.Sequential(layer))
        >>> found.name, found.num_filters, round(found.coherence, 4), found.penalty
        ('0', 2, 0.7071, 2.0)
    """

    name: str
    num_filters: int
    num_inputs: int
    coherence: float
    mean_cosine: float
    penalty: float


@torch.no_grad()
def coherence_report(model: nn.Module, *, layers: Iterable[str] | None = None) -> list[LayerCoherence]:
    """How far from orthogonal each layer of a model is.

    Args:
        model: a module with layers ``nn.Linear``, ``nn.Conv1d``, ``nn.Conv2d`` or ``nn.Conv3d``.
        layers: names of the parts to look at, as for :func:`orthogonality_penalty`. None: all.

    Returns:
        One :class:`LayerCoherence` a layer, in the order of the model or of ``layers``.

    Raises:
        ValueError: no layer with filters; no part of such a name.
        TypeError: not a module; ``layers`` not names.

    Example:
        >>> from torch import nn
        >>> from betavq.orthogonal import coherence_report, orthogonal_filters
        >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3))
        >>> for layer in coherence_report(orthogonal_filters(net)):
        ...     print(layer.name, layer.num_filters, layer.coherence < 1e-5)
        0 8 True
        2 16 True
    """
    report = []
    for name, layer in selected_layers("model", model, layers).items():
        filters = layer_filters(layer)
        groups, in_group, inputs = filters.shape
        cosines, count = _cosines(filters), groups * in_group
        mean = float(cosines.sum()) / max(count * (count - 1), 1)
        largest, penalty = float(cosines.amax()), float(_penalty(filters))
        report.append(LayerCoherence(name, count, inputs, largest, mean, penalty))
    return report


def orthogonal_filters(module: M, *, layers: Iterable[str] | None = None) -> M:
    r"""Keep the filters of a layer, or of the layers of a model, orthogonal through all of training.

    The weight becomes a function of a free one, V, of the same shape: filter i has the norm of :math:`v_i` and the
    direction that is left of it once those of the filters before it are taken away (Gram–Schmidt, computed by
    Householder's QR, orthogonal to rounding error for any V). Norms are free, and an L2 penalty on V is one on the
    weight. It starts at the filters that the layer has, made orthogonal.

    This is ``torch.nn.utils.parametrize``: V is ``layer.parametrizations.weight.original``, in ``state_dict`` and for
    the optimiser; assigning to ``layer.weight`` makes what is assigned orthogonal;
    ``parametrize.remove_parametrizations(layer, "weight")`` makes a plain layer again. ``copy.deepcopy`` and ``.to()``
    work; of a parametrised module only the ``state_dict`` can be saved. Filters of 16 bits are orthogonal to the
    precision of their format.

    A step costs about 4 K²D operations more, so the layer is near its usual speed where it sees many more rows (batch
    times places) than it has filters.

    Args:
        module: an ``nn.Linear``, ``nn.Conv1d``, ``nn.Conv2d`` or ``nn.Conv3d``; or a module that holds such layers. It
            is changed in place. Make its optimiser afterwards.
        layers: names of the parts to change, as for :func:`orthogonality_penalty`. None: all.

    Returns:
        ``module``.

    Raises:
        ValueError: a layer with more filters than inputs (in a group), which cannot be orthogonal; with a filter that
            is 0 or not finite; with orthogonal filters already; with a weight that a hook computes (pruning, the old
            ``weight_norm`` and ``spectral_norm``). No layer is changed then. Also no layer with filters, or no part of
            such a name.
        TypeError: not a module; ``layers`` not names; a weight that is not floating.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, orthogonal filters.

    Example:
        >>> from torch import nn
        >>> from betavq.orthogonal import coherence, orthogonal_filters
        >>> layer = nn.Linear(20, 10)
        >>> bool(coherence(layer) > 0.1), bool(coherence(orthogonal_filters(layer)) < 1e-5)
        (True, True)
    """
    found = selected_layers("module", module, layers)
    for name, layer in found.items():
        _check_can_be_orthogonal(f"layer {name!r} of module" if name else "module", layer)
    for layer in found.values():
        parametrize.register_parametrization(layer, "weight", _OrthogonalFilters(layer_groups(layer)))
    return module


class _OrthogonalFilters(nn.Module):
    """From a free weight to one of orthogonal filters with the same norms."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, free: Tensor) -> Tensor:
        rows = widened(grouped_filters(free, self.groups))
        columns, triangle = torch.linalg.qr(rows.mT)
        # QR leaves the signs open: with this choice no filter turns round as its free one moves a little.
        flipped = triangle.detach().diagonal(dim1=-2, dim2=-1) < 0
        signs = torch.where(flipped, -1.0, 1.0).to(rows.dtype)
        lengths = torch.linalg.vector_norm(rows, dim=-1) * signs
        weight: Tensor = (columns.mT * lengths.unsqueeze(-1)).reshape(free.shape)
        return weight.to(free.dtype)

    def right_inverse(self, weight: Tensor) -> Tensor:
        # An orthogonal weight is its own free one, and the best conditioned.
        _check_filters("weight", grouped_filters(weight, self.groups))
        orthogonal: Tensor = self(weight)
        return orthogonal

    def extra_repr(self) -> str:
        return f"groups={self.groups}" if self.groups > 1 else ""


def _check_can_be_orthogonal(name: str, layer: FilterLayer) -> None:
    earlier = getattr(layer, "parametrizations", {})
    if "weight" in earlier and any(isinstance(step, _OrthogonalFilters) for step in earlier["weight"]):
        raise ValueError(f"{name} must have a weight that is not parametrised as orthogonal yet")
    check_stored(name, layer)
    filters = layer_filters(layer)
    groups, count, inputs = filters.shape
    if count > inputs:
        where = " in each group" if groups > 1 else ""
        raise ValueError(
            f"{name} must have at most as many filters{where} as a filter has inputs, for more cannot be orthogonal: "
            f"got {count} filters of {inputs} inputs"
        )
    _check_filters(name, filters)


def _check_filters(name: str, filters: Tensor) -> None:
    """Raise ValueError for filters without a direction, whose derivative would be NaN."""
    if has_values(filters.detach(), wait=True):
        lengths = filters.detach().abs().amax(-1)
        if not bool(((lengths > 0) & lengths.isfinite()).all()):
            raise ValueError(f"{name} must have finite filters none of which is 0")


def _filters_of_one(layer_or_weight: FilterLayer | Tensor) -> Tensor:
    if isinstance(layer_or_weight, nn.Module):
        found = selected_layers("layer_or_weight", layer_or_weight, None)
        if list(found) != [""]:
            raise TypeError(
                f"layer_or_weight must be one layer or a weight, got {type(layer_or_weight).__name__}: "
                "coherence_report tells of all layers of a model"
            )
        return layer_filters(found[""])
    return weight_filters("layer_or_weight", layer_or_weight)


def _penalty(filters: Tensor) -> Tensor:
    with full_precision(filters):
        return off_diagonal(widened(filters)).square().sum()


def _cosines(filters: Tensor) -> Tensor:
    """``|cos|`` of every two filters of a group ``(G, K/G, K/G)``, 0 for a filter with itself or with 0."""
    wide = widened(filters)
    # The largest entry first: squares of very large or small numbers leave the range of floats.
    largest = wide.abs().amax(-1, keepdim=True)
    scaled = wide / torch.where(largest == 0, 1.0, largest)
    lengths = torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
    with full_precision(filters):
        return off_diagonal(scaled / torch.where(lengths == 0, 1.0, lengths)).abs().clamp(max=1)
