"""Running a model on images, batch by batch, while a meter looks at the calls that are softened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .._numerics.checks import check_count
from .state import Meter, Softening


def check_images(images: Any, batch_size: Any) -> tuple[Tensor, ...]:
    """The images in batches; raise unless they are a tensor ``(N, ...)`` of at least one."""
    if not isinstance(images, Tensor):
        raise TypeError(f"images must be a tensor (N, ...), got {type(images).__name__}")
    if images.dim() < 2 or len(images) == 0:
        raise ValueError(f"images must have shape (N, ...) with N at least 1, got {tuple(images.shape)}")
    batches: tuple[Tensor, ...] = torch.split(images, check_count("batch_size", batch_size))
    return batches


@contextmanager
def metered(model: nn.Module, softenings: Sequence[Softening], meters: Sequence[Meter]) -> Iterator[None]:
    """With meters in place: the model in eval mode, without gradients, and as it was thereafter."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    for softening, meter in zip(softenings, meters, strict=True):
        softening.meter = meter
    try:
        with torch.no_grad():
            yield
    finally:
        for softening in softenings:
            softening.meter = None
        for module, was in training.items():
            module.training = was
