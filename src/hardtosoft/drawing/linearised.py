"""How far inputs are from another class by their own affine map, and how far from the border of its region."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from betavq.geometry import affine_map, codes, distance_to_border


@dataclass(frozen=True)
class Linearised:
    """What the affine map around each of N inputs tells of the border of its class.

    Attributes:
        distance: to the nearest place where that map decides otherwise, ``(N,)``.
        step: the way there, ``(N, D)``.
        border: the distance to the border of the region, ``(N,)``, exact.
        stays: whether the step ends in the same region, ``(N,)``; then the network itself is at the border of its
            class there.
    """

    distance: Tensor
    step: Tensor
    border: Tensor
    stays: Tensor

    @property
    def is_nearest(self) -> Tensor:
        """Whether nothing nearer is of another class: the step is no longer than the way to the region's border."""
        return self.distance <= self.border


def linearised(network: nn.Module, x: Tensor) -> Linearised:
    r"""Step from each input to where its own affine map changes class.

    .. math:: d = \min_{c \ne y} \frac{f_y - f_c}{\|A_y - A_c\|}, \qquad f(x) = A[x]\,x + b[x],

    with y the class of x; for one logit f, :math:`|f| / \|A\|`. This is the distance that one linear step needs. It is
    no robustness radius: beyond the region the network is another map.

    Args:
        network: maps ``(N, D)`` to logits ``(N, C)``.
        x: inputs, ``(N, D)``.
    """
    slopes = affine_map(network, x).slopes
    logits = network(x).detach()
    if logits.shape[1] == 1:
        logits, slopes = (torch.cat((torch.zeros_like(t), t), dim=1) for t in (logits, slopes))
    rows = torch.arange(len(x))
    own = logits.argmax(1)
    gaps = logits[rows, own][:, None] - logits
    normals = slopes[rows, own][:, None] - slopes
    lengths = torch.linalg.vector_norm(normals, dim=2)
    distances = torch.where(lengths > 0, gaps / lengths, torch.inf)
    rival = distances.argmin(1)
    distance, normal = distances[rows, rival], normals[rows, rival]
    step = -distance[:, None] * normal / lengths[rows, rival][:, None]
    border = distance_to_border(network, x)
    # A hair before its end, where no unit's sign is left to rounding.
    same = [torch.equal(a, b) for a, b in zip(_codes(network, x), _codes(network, x + (1 - 1e-9) * step), strict=True)]
    return Linearised(distance, step, border, torch.tensor(same))


def flipped(network: nn.Module, x: Tensor, step: Tensor, times: float) -> float:
    """Share of inputs that are of another class after ``times`` their step."""
    return float((_classes(network, x + times * step) != _classes(network, x)).double().mean())


def _classes(network: nn.Module, x: Tensor) -> Tensor:
    logits: Tensor = network(x).detach()
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)


def _codes(network: nn.Module, x: Tensor) -> Tensor:
    layers = [layer.flatten(1) for layer in codes(network, x).values()]
    return torch.cat(layers, dim=1) if layers else x.new_zeros(len(x), 0)
