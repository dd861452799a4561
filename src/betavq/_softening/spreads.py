"""How far the scores of each site spread: β acts on scores as they are."""

from __future__ import annotations

from torch import Tensor, nn

from .._torch.copies import copied
from .betas import add_betas, softenings_of
from .scores import measured
from .smoothings import VALUE
from .state import ALL, Softening


def spread(model: nn.Module, images: Tensor, *, batch_size: int = 512) -> dict[str, float]:
    """How far the scores of each site spread: the standard deviation of what it selects by, over ``images``.

    β acts on scores as they are: η times a score of 100 is a hard choice at almost every β, and η times one of 0.01
    none at all. So one β softens sites of a small spread more than those of a large one; ``report(model, images)``
    says how much.

    Args:
        model: any module. One that is softened runs at the β that it has; another one is as good as at β = 1.
        images: what the model takes, ``(N, ...)``. It runs in eval mode.
        batch_size: images that run at a time.

    Returns:
        By ``Site.where``, for the sites that are softened and were reached: the standard deviation of the input
        over all images, channels and places. (The scores of a ReLU are 0 and its input.)

    Raises:
        ValueError: no image.
        TypeError: not a module, not a tensor.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> import betavq
        >>> net = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.ReLU())
        >>> betavq.spread(net, torch.tensor([[-2.0, 2.0], [-2.0, 2.0]]))
        {'0': 2.0, '2': 1.0}
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
    softenings = softenings_of(model)
    # What this imports takes its time: the tables of PyTorch's functions.
    from .survey import intercept_all, report_of

    if not softenings:
        model = copied(model)
        softening = Softening(model, VALUE, ALL, learnable=False)
        intercept_all(softening)
        add_betas(softening, 1.0)
        softenings = softenings_of(model)
    sites = report_of(model, measured(model, list(softenings), images, batch_size)).replaced
    return {site.where: site.spread for site in sites if site.spread is not None}
