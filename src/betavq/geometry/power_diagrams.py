"""Power diagrams: the cells in which the units of a layer, or of a deep network, keep their selection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._numerics.checks import check_count, check_floating
from ..maso import MASO
from ._networks.checks import check_inputs, check_outputs, checked_model
from ._networks.watch import watch
from .affine_maps import Model, affine_map

__all__ = ["PowerDiagram", "centroid", "power_diagram"]
__dir__ = __all__.copy

CHUNK = 2**20  # numbers in a block of powers, 8 MB


@dataclass(frozen=True)
class PowerDiagram:
    r"""Cells of the smallest power: that of q is :math:`\{x : \arg\min_{q'} \|x - \mu_{q'}\|^2 - \rho_{q'} = q\}`.

    Attributes:
        codes: the piece of every unit, integers ``(Q, K)``; one row a cell, and cells may be empty.
        centroids: μ, ``(Q, D)``. A centroid need not lie in its cell.
        squared_radii: ρ, ``(Q,)``. They may be negative; one constant added to all of them moves no cell, a change
            of a single one does. −∞ for a code with an excluded piece, whose cell is empty.

    Example:
        >>> import torch
        >>> from betavq import MASO
        >>> from betavq.geometry import power_diagram
        >>> maso = MASO(torch.randn(2, 3, 2), torch.randn(2, 3))
        >>> diagram = power_diagram(maso)  # of both units together
        >>> x = torch.randn(100, 2)
        >>> bool((diagram.assign(x) == maso.selection(x)).all())
        True
    """

    codes: Tensor
    centroids: Tensor
    squared_radii: Tensor

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        cells, units = self.codes.shape
        return f"PowerDiagram({cells:,} cells of {units} units in {self.centroids.shape[1]} dimensions)"

    def powers(self, x: Tensor) -> Tensor:
        """‖x − μ‖² − ρ of every cell: ``(N, D)`` → ``(N, Q)``; +∞ for codes with an excluded piece."""
        self._check(x)
        return x.square().sum(1, keepdim=True) - self._gains(x)

    def cell(self, x: Tensor) -> Tensor:
        """The row in which the power is smallest: ``(N, D)`` → ``(N,)``; memory for a block of points at a time."""
        self._check(x)
        rows = max(1, CHUNK // len(self))
        found = [self._gains(x[start : start + rows]).argmax(1) for start in range(0, len(x), rows)]
        return torch.cat([self.codes.new_zeros(0), *found])

    def assign(self, x: Tensor) -> Tensor:
        """The code of the cell of every point: ``(N, D)`` → ``(N, K)``."""
        return self.codes[self.cell(x)]

    def _gains(self, x: Tensor) -> Tensor:
        """‖x‖² less the power: what differs between the cells."""
        return 2 * x @ self.centroids.t() + (self.squared_radii - self.centroids.square().sum(1))

    def _check(self, x: Any) -> None:
        check_floating("x", x)
        if x.dim() != 2 or x.shape[1] != self.centroids.shape[1]:
            raise ValueError(f"x must be of shape (N, {self.centroids.shape[1]}), got {tuple(x.shape)}")
        if x.dtype != self.centroids.dtype:
            raise TypeError(f"x must have the dtype of the diagram, {self.centroids.dtype}, got {x.dtype}")


@torch.no_grad()
def power_diagram(
    maso: MASO,
    *,
    unit: int | None = None,
    codes: Tensor | None = None,
    points: Tensor | None = None,
    before: Model | None = None,
    at: Tensor | None = None,
    max_codes: int = 2**16,
) -> PowerDiagram:
    r"""The power diagram of a layer of max-affine units, of one unit, or of a layer deep in a network.

    The code :math:`q \in \{0, \dots, R - 1\}^K` of a layer with slopes A and offsets B has the centroid and the
    squared radius

    .. math:: \mu_q = \sum_k A_{k, q_k}, \qquad \rho_q = \|\mu_q\|^2 + 2 \sum_k B_{k, q_k},

    since then :math:`\|x - \mu_q\|^2 - \rho_q = \|x\|^2 - 2 \sum_k z_{k, q_k}(x)`: the smallest power is the largest
    sum of scores, which is the layer's selection. With layers ``before`` it, which are :math:`A_\omega x + b_\omega`
    in the region ω of the point ``at``, the layer cuts ω along the cells of

    .. math:: \mu_{\omega, q} = A_\omega^\top \sum_k A_{k, q_k}, \qquad
              \rho_{\omega, q} = \|\mu_{\omega, q}\|^2 + 2 \Bigl\langle \sum_k A_{k, q_k}, b_\omega \Bigr\rangle
                                 + 2 \sum_k B_{k, q_k}.

    These hold inside ω. The partition of the whole network puts such diagrams together, one a region; the centroids
    of the last layer alone do not give it.

    Args:
        maso: the layer.
        unit: the number of one unit, whose cells are wanted; all units unless given.
        codes: the codes wanted, integers ``(Q, K)``.
        points: instead of ``codes``, inputs ``(N, D)`` whose codes are wanted (with ``before``: those that its
            affine map around ``at`` leads to). Points keep their cell in a diagram of fewer codes that has theirs.
        before: the layers before, a model that puts out ``(N, D')`` for the D' inputs of ``maso``; a sequence of
            MASOs is ``nn.Sequential(*masos)``.
        at: a point of the input, of shape ``(D,)`` or as ``before`` takes it without its batch.
        max_codes: most codes to list if neither ``codes`` nor ``points`` are given, and all R^K are meant.

    Returns:
        A :class:`PowerDiagram` in the layer's dtype; constants, no gradient leads back. With ``before``, its space is
        the input, flattened.

    Raises:
        ValueError: codes or points that do not fit; more than ``max_codes`` codes; ``before`` without ``at`` or the
            other way round; a model ``before`` as in :func:`affine_map`.
        TypeError: an argument of another kind.

    Source: Balestriero, Cosentino, Aazhang & Baraniuk (2019), arXiv 1905.08443, the power diagram subdivision.

    Example:
        >>> import torch
        >>> from betavq import MASO
        >>> from betavq.geometry import power_diagram
        >>> points = torch.tensor([[[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]])
        >>> maso = MASO(points, -points.square().sum(-1) / 2)  # selects the nearest point
        >>> diagram = power_diagram(maso)
        >>> diagram.centroids.tolist(), diagram.squared_radii.tolist()
        ([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]], [0.0, 0.0, 0.0])
    """
    if not isinstance(maso, MASO):
        raise TypeError(f"maso must be a betavq.MASO, got {type(maso).__name__}")
    slopes, offsets = _one_unit(maso, unit)
    matrix, shift = _map_before(maso, before, at)
    if matrix is not None and shift is not None:
        offsets = offsets + slopes @ shift
        slopes = slopes @ matrix
    chosen = _choose(slopes, offsets, codes, points, max_codes)
    centroids, constants = _sums(slopes, offsets, chosen)
    return PowerDiagram(chosen, centroids, centroids.square().sum(1) + 2 * constants)


def centroid(model: Model, x: Tensor, depth: int | None = None) -> Tensor:
    r"""The centroid of the cell of x after the first layers of a network, by one backward pass.

    .. math:: \mu = \nabla_x \sum_k \bigl[x^{(\ell)}\bigr]_k = J_{1 \to \ell}(x)^\top \mathbf 1.

    Args:
        model: maps ``(N, *in)`` to a tensor, one row at a time; as in :func:`affine_map`.
        x: points, ``(N, *in)``.
        depth: ℓ, how many layers that select are counted, from 1; :func:`codes` lists them. All of them unless given.

    Returns:
        ``(N, *in)``, the same for all points of a cell.

    Raises:
        ValueError, TypeError: as :func:`affine_map`; a depth that the network does not have.

    Source: Balestriero, Cosentino, Aazhang & Baraniuk (2019), arXiv 1905.08443, centroids by backpropagation.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import centroid
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> centroid(net, torch.tensor([[1.0, 2.0], [1.0, -2.0]]))
        tensor([[1., 1.],
                [1., 0.]])
    """
    model = checked_model(model)
    check_inputs("x", x, model)
    with torch.enable_grad():
        points = x.detach().requires_grad_()
        output, selections, _ = watch(model, points, keep_totals=True)
    check_outputs(output, x)
    count = len(selections)
    chosen = count if depth is None else check_count("depth", depth)
    if not 1 <= chosen <= count:
        raise ValueError(f"depth must be from 1 to {count}, the layers that select, got {chosen}")
    total = selections[chosen - 1].total
    assert total is not None
    return torch.autograd.grad(total.sum(), points)[0]


def _one_unit(maso: MASO, unit: int | None) -> tuple[Tensor, Tensor]:
    slopes, offsets = maso.slopes.detach(), maso.offsets.detach()
    if unit is None:
        return slopes, offsets
    if not 0 <= unit < maso.num_units:
        raise ValueError(f"unit must be from 0 to {maso.num_units - 1}, got {unit}")
    return slopes[unit : unit + 1], offsets[unit : unit + 1]


def _map_before(maso: MASO, before: Model | None, at: Any) -> tuple[Tensor | None, Tensor | None]:
    """A_ω, ``(D', D)``, and b_ω, ``(D',)``, of the layers before."""
    if (before is None) != (at is None):
        raise ValueError("before and at must be given together: a region belongs to layers and a point of theirs")
    if before is None:
        return None, None
    check_floating("at", at)
    matrix, shift = affine_map(before, at[None])
    if shift.shape[1:] != (maso.num_inputs,):
        raise ValueError(f"before must put out (N, {maso.num_inputs}), got {(1, *shift.shape[1:])} for one point")
    return matrix[0].flatten(1), shift[0]


def _choose(slopes: Tensor, offsets: Tensor, codes: Any, points: Any, max_codes: int) -> Tensor:
    """The codes of the diagram, ``(Q, K)``."""
    num_units, num_pieces, num_inputs = slopes.shape
    if codes is not None and points is not None:
        raise ValueError("codes and points must not be given both")
    if codes is not None:
        return _check_codes(codes, num_units, num_pieces).to(slopes.device)
    if points is not None:
        check_floating("points", points)
        if points.dim() != 2 or points.shape[1] != num_inputs or len(points) == 0:
            raise ValueError(f"points must be of shape (N, {num_inputs}), N ≥ 1, got {tuple(points.shape)}")
        occurring: Tensor = torch.unique(MASO(slopes, offsets).selection(points), dim=0)
        return occurring
    most = check_count("max_codes", max_codes)
    if num_units * math.log2(max(num_pieces, 1)) > math.log2(most) + 1e-9:
        needs = f"{num_pieces}**{num_units} codes of {num_units} units of {num_pieces} pieces"
        raise ValueError(f"max_codes must allow for {needs}, got {most}; or give the codes or points that matter")
    pieces = torch.arange(num_pieces, device=slopes.device)
    return torch.cartesian_prod(*[pieces] * num_units).view(-1, num_units)


def _check_codes(codes: Any, num_units: int, num_pieces: int) -> Tensor:
    if not isinstance(codes, Tensor) or codes.is_floating_point() or codes.dtype == torch.bool:
        got = codes.dtype if isinstance(codes, Tensor) else type(codes).__name__
        raise TypeError(f"codes must be a tensor of integers, got {got}")
    if codes.dim() != 2 or codes.shape[1] != num_units or len(codes) == 0:
        raise ValueError(f"codes must be of shape (Q, {num_units}), Q ≥ 1, got {tuple(codes.shape)}")
    if bool(((codes < 0) | (codes >= num_pieces)).any()):
        raise ValueError(f"codes must be from 0 to {num_pieces - 1}, got {int(codes.min())} to {int(codes.max())}")
    return codes.long()


def _sums(slopes: Tensor, offsets: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    """The sums over the units of the slopes and offsets that the codes pick, ``(Q, D)`` and ``(Q,)``."""
    centroids = slopes.new_zeros(len(codes), slopes.shape[2])
    constants = offsets.new_zeros(len(codes))
    for k, picked in enumerate(codes.unbind(1)):
        centroids += slopes[k][picked]
        constants += offsets[k][picked]
    return centroids, constants
