"""Penalties that drive the templates of different classes apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .._numerics.checks import check_floating
from ._networks.checks import check_hard, check_inputs
from ._networks.watch import run_hard
from .affine_maps import Model

__all__ = ["last_layer_penalty", "template_penalty"]
__dir__ = __all__.copy


def template_penalty(model: Model, x: Tensor) -> Tensor:
    r"""How much the templates of different classes have in common, on average over points:

    .. math:: \frac1N \sum_n \sum_{c \ne c'} \langle A_c[x_n], A_{c'}[x_n] \rangle^2.

    Differentiable in the weights, through the backward passes that make the templates: C of them, and as many
    again for its gradient. Multiply by λ and add to the loss. :func:`last_layer_penalty` costs next to nothing.

    Args:
        model: maps ``(N, *in)`` to logits ``(N, C)``, one row at a time; may be in training mode. A BatchNorm that
            mixes the rows has to be in eval mode.
        x: points, ``(N, *in)``, N ≥ 1.

    Returns:
        A non-negative number, a tensor of shape ``()``.

    Raises:
        ValueError: a BatchNorm in training mode; logits of another shape; an ``x`` that is not a finite batch.
        TypeError: an ``x`` of another dtype.

    Source: Balestriero & Baraniuk (2018), arXiv 1805.06576, orthogonal templates.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from betavq.geometry import last_layer_penalty, template_penalty
        >>> net = nn.Linear(4, 3)
        >>> found = template_penalty(net, torch.randn(5, 4))
        >>> torch.allclose(found, last_layer_penalty(net.weight))
        True
    """
    for name, module in model.named_modules() if isinstance(model, nn.Module) else ():
        if isinstance(module, _BatchNorm) and (module.training or module.running_mean is None):
            raise ValueError(f"model must have its BatchNorms in eval mode, got {name!r} that mixes its batch")
    check_hard(model)
    check_inputs("x", x, model)
    if len(x) == 0:
        raise ValueError(f"x must have at least one point, got shape {tuple(x.shape)}")
    with torch.enable_grad():
        points = x if x.requires_grad else x.detach().requires_grad_()
        logits = run_hard(model, points.clone())  # a clone, for a layer may work in place
        if logits.dim() != 2 or len(logits) != len(x):
            raise ValueError(f"model must put out logits of shape (N, C), got {tuple(logits.shape)}")
        grown = [torch.autograd.grad(each.sum(), points, create_graph=True)[0] for each in logits.unbind(1)]
        rows = torch.stack(grown, 1).flatten(2)
        return _off_diagonal(rows @ rows.transpose(1, 2)).mean()


def last_layer_penalty(weight: Tensor) -> Tensor:
    r"""The same for the rows of the last layer's weight alone, :math:`\sum_{c \ne c'} \langle w_c, w_{c'} \rangle^2`.

    They are the templates that the classes hold against the last hidden layer, not against the input.

    Args:
        weight: ``(C, D)``, such as ``model[-1].weight``.

    Returns:
        A non-negative number, a tensor of shape ``()``.

    Raises:
        ValueError: another shape.
        TypeError: not a floating tensor.

    Source: Balestriero & Baraniuk (2018), arXiv 1805.06576, orthogonal templates.

    Example:
        >>> import torch
        >>> from betavq.geometry import last_layer_penalty
        >>> [last_layer_penalty(w).item() for w in (torch.eye(3), torch.ones(2, 3))]
        [0.0, 18.0]
    """
    check_floating("weight", weight)
    if weight.dim() != 2:
        raise ValueError(f"weight must be of shape (C, D), got {tuple(weight.shape)}")
    return _off_diagonal(weight @ weight.t())


def _off_diagonal(gram: Tensor) -> Tensor:
    """The sum of the squares off the diagonal: ``(..., C, C)`` → ``(...)``."""
    squares = gram.square()
    return squares.sum((-2, -1)) - squares.diagonal(dim1=-2, dim2=-1).sum(-1)
