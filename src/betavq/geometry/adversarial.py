"""How far an attack has to go: what the slopes of a classifier say about it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ._lipschitz import lipschitz_bound
from ._networks.checks import check_inputs, check_outputs, checked_model
from .affine_maps import LocalAffineMap, Model

__all__ = ["AdversarialRisk", "adversarial_risk"]
__dir__ = __all__.copy


class AdversarialRisk(NamedTuple):
    """What :func:`adversarial_risk` finds at each of N points, ``(N,)`` each.

    Attributes:
        slope: ‖A[x]‖₂, how fast the logits change around x.
        margin: of the logit of the label over the largest other; negative where another class is found.
        certified: no perturbation shorter than this changes the class; 0 where it is another already.
        linearised: how far the nearest other class would be if the map at x held everywhere; 0 likewise.

    Example:
        >>> import torch
        >>> from betavq.geometry import adversarial_risk
        >>> x, y = torch.tensor([[3.0, 1.0]]), torch.tensor([0])
        >>> risk = adversarial_risk(torch.abs, x, y)
        >>> risk.margin.item(), round(risk.linearised.item(), 3)
        (2.0, 1.414)
    """

    slope: Tensor
    margin: Tensor
    certified: Tensor
    linearised: Tensor


def adversarial_risk(model: Model, x: Tensor, y: Tensor) -> AdversarialRisk:
    r"""Slope, margin and two radii of a classifier around points: where it cannot be fooled, and where it soon is.

    .. math:: m = f_y - \max_{c \ne y} f_c, \qquad
              r_\text{certified} = \frac{m}{\sqrt 2\, L}, \qquad
              r_\text{linearised} = \min_{c \ne y} \frac{f_y - f_c}{\| A_y[x] - A_c[x] \|},

    with L at least the slope anywhere: the product of the layers' largest singular values and of the units' steepest
    pieces, for a residual sum the sum of both ways. The certificate is a theorem and often far too careful. The
    linearised distance is exact as long as the way there stays in the region of x, and else a guess: it is no
    radius of safety. A small slope alone protects nobody: margins may be smaller still.

    Args:
        model: maps ``(N, *in)`` to logits ``(N, C)``, C ≥ 2; as in :func:`affine_map`.
        x: points, ``(N, *in)``. Lengths are Euclidean, in the units of x.
        y: labels, ``(N,)``, whole numbers below C.

    Returns:
        An :class:`AdversarialRisk` of constants. A layer other than a linear one costs the singular values of its
        matrix.

    Raises:
        ValueError, TypeError: as :func:`affine_map`; logits of another shape; labels that are not such; a step whose
            largest stretch is not known, or that is given more than 8192 numbers a point.

    Source: Balestriero & Baraniuk (2017), arXiv 1710.09302, adversarial attacks and slopes; the radii are standard.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import adversarial_risk
        >>> net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
        >>> x = torch.randn(5, 2)
        >>> risk = adversarial_risk(net, x, net(x).argmax(1))
        >>> bool((risk.certified <= risk.linearised).all())
        True
    """
    model = checked_model(model)
    check_inputs("x", x, model)
    output, bound = lipschitz_bound(model, x)
    check_outputs(output, x)
    if output.dim() != 2 or output.shape[1] < 2:
        raise ValueError(f"model must put out logits of shape (N, C) with C at least 2, got {tuple(output.shape)}")
    labels = _checked_labels(y, output)
    slopes = LocalAffineMap(model, x.detach(), output).slopes.flatten(2)
    gaps = output.gather(1, labels) - output
    own = torch.zeros_like(gaps, dtype=torch.bool).scatter(1, labels, True)
    gaps = gaps.masked_fill(own, math.inf)
    turns = (slopes - slopes.gather(1, labels[..., None].expand(-1, -1, slopes.shape[2]))).norm(dim=2)
    margin = gaps.amin(1)
    reach = torch.where(gaps > 0, gaps / turns, 0.0)  # of equal templates none ever arrives
    return AdversarialRisk(
        slope=torch.linalg.matrix_norm(slopes, 2),
        margin=margin,
        certified=torch.where(margin > 0, margin / (math.sqrt(2) * bound), 0.0),
        linearised=reach.amin(1),
    )


def _checked_labels(y: Any, output: Tensor) -> Tensor:
    """Labels as a column ``(N, 1)``."""
    if not isinstance(y, Tensor) or y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        got = y.dtype if isinstance(y, Tensor) else type(y).__name__
        raise TypeError(f"y must be a tensor of whole numbers, got {got}")
    if y.shape != output.shape[:1]:
        raise ValueError(f"y must be of shape ({len(output)},), a label a point, got {tuple(y.shape)}")
    strange = (y < 0) | (y >= output.shape[1])
    if bool(strange.any()):
        raise ValueError(f"y must be labels from 0 to {output.shape[1] - 1}, got {int(y[strange][0])}")
    return y.long()[:, None]
