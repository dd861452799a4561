"""An attack on a classifier, the same in experiments and in figures."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ATTACK_STEPS, STRIDE = 30, 2.5


def attacked(network: nn.Module, x: Tensor, y: Tensor, radii: Tensor, steps: int = ATTACK_STEPS) -> Tensor:
    """Projected gradient ascent of the cross-entropy within a Euclidean ball of its own radius around each input.

    Args:
        network: in eval mode.
        x: inputs, ``(N, D)``.
        y: labels, ``(N,)``.
        radii: ``(N,)``.
        steps: each 2.5 times the radius long, over their number.
    """
    reach, moved = radii[:, None], x
    for _ in range(steps):
        moved = moved.detach().requires_grad_()
        loss = F.cross_entropy(network(moved), y, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, moved)
        way = moved.detach() + STRIDE * reach / steps * F.normalize(gradient, dim=1) - x
        moved = x + way * (reach / way.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1)
    return moved.detach()
