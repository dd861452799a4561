"""The code of a network: what every unit selects, layer by layer, and how far two inputs are apart in it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ._networks.checks import check_inputs, check_outputs, checked_model
from ._networks.watch import watch
from .affine_maps import Model

__all__ = ["VQDistance", "codes", "vq_distance"]
__dir__ = __all__.copy


def codes(model: Model, x: Tensor) -> dict[str, Tensor]:
    """Which piece every unit of a piecewise-affine network selects, layer by layer.

    ==============================================  ====================================================
    layer, or function of the same name             code of a unit
    ==============================================  ====================================================
    ReLU, leaky ReLU, PReLU, RReLU, \\|·\\|           1 where its input is above 0, else 0
    hardtanh, ReLU6, hard sigmoid, soft shrink      0, 1, 2: below, between and above the two kinks
    clamp, threshold at its own value               the same, with as many kinks as bounds
    max-pooling, adaptive max-pooling, in 1 to 3 D  the place of the largest input in its channel
    maximum, minimum, of two or along dimensions    which of them it is
    (``max``, ``amax``, ``fmax`` …), maxout
    units of :mod:`betavq.nn` at β = 1              as those that they soften
    :class:`betavq.MASO`                            its ``selection``
    ==============================================  ====================================================

    Every function of this package takes these, and refuses all else: also those that jump, as hard shrink does.

    Args:
        model: maps ``(N, *in)`` to a tensor, one row at a time: a module in eval mode, or a function.
        x: points, ``(N, *in)``, finite, in the model's dtype.

    Returns:
        Integers (int64) ``(N, K)`` for each layer that selects, in the order of computation. The key is the layer's
        name as in ``model.named_modules()``, with the function where it is no layer of its own (``block.relu``),
        and ``#2`` where it is used again. Points have the same codes exactly if they share a region, borders aside.

    Raises:
        ValueError, TypeError: as :func:`affine_map`.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import codes
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> codes(net, torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
        {'1': tensor([[1, 1],
                [1, 0]])}
    """
    model = checked_model(model)
    check_inputs("x", x, model)
    with torch.no_grad():
        output, selections, _ = watch(model, x.detach())
    check_outputs(output, x)
    return {each.name: each.code for each in selections}


class VQDistance(NamedTuple):
    """What share of the units select differently.

    Attributes:
        by_layer: for each layer that selects, ``(N,)`` or, of all pairs, ``(N, M)``; in [0, 1].
        mean: the mean over the layers, of the same shape.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import vq_distance
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> x = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
        >>> vq_distance(net, x, x, pairwise=True).by_layer
        {'1': tensor([[0.0000, 0.5000, 1.0000],
                [0.5000, 0.0000, 0.5000],
                [1.0000, 0.5000, 0.0000]], dtype=torch.float64)}
    """

    by_layer: dict[str, Tensor]
    mean: Tensor

    def __repr__(self) -> str:
        return f"VQDistance({len(self.by_layer)} layers, mean of shape {tuple(self.mean.shape)})"


def vq_distance(model: Model, x: Tensor, y: Tensor, *, pairwise: bool = False) -> VQDistance:
    r"""How differently a network quantizes two inputs: the share of units that select different pieces.

    .. math:: d_\ell(x, y) = \frac{1}{K_\ell} \sum_{k=1}^{K_\ell}
              \bigl[\, t^{(\ell)}_k(x) \ne t^{(\ell)}_k(y) \,\bigr] \in [0, 1],

    and its mean over the layers: pseudo-metrics, which are 0 exactly for inputs in the same region (of that layer,
    of the network).

    Args:
        model: as in :func:`codes`.
        x: points, ``(N, *in)``.
        y: points, ``(N, *in)`` or one ``(1, *in)`` for all; with ``pairwise`` any number M of them.
        pairwise: whether to compare every x with every y.

    Returns:
        A :class:`VQDistance` of float64 numbers ``(N,)``, with ``pairwise`` ``(N, M)``.

    Raises:
        ValueError: as :func:`codes`; numbers of points that do not fit; a model that selects nothing.
        TypeError: as :func:`codes`.

    Source: Balestriero & Baraniuk (2018), arXiv 1805.06576, the distance of vector quantizations.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import vq_distance
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> y = torch.tensor([[2.0, 3.0], [1.0, -1.0]])
        >>> vq_distance(net, torch.ones(2, 2), y).mean  # of no unit; of half of them
        tensor([0.0000, 0.5000], dtype=torch.float64)
    """
    found, others = codes(model, x), codes(model, y)
    if not found:
        raise ValueError("model must have a layer that selects, got an affine one: all inputs share its only region")
    if not pairwise and len(y) not in (1, len(x)):
        raise ValueError(f"y must have 1 or {len(x)} points, as many as x, got {len(y)}; or take pairwise=True")
    by_layer = {name: _share(code, others[name], pairwise) for name, code in found.items()}
    return VQDistance(by_layer, torch.stack(tuple(by_layer.values())).mean(0))


def _share(code: Tensor, other: Tensor, pairwise: bool) -> Tensor:
    if pairwise:
        return torch.cdist(code.double(), other.double(), p=0) / code.shape[1]  # p = 0 counts what differs
    return (code != other).double().mean(1)
