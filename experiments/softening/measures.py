"""What ``experiments.softening`` measures of a network: calibration, robustness to noise, and attacks by gradients."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

BATCH = 250
BINS = 15
SEED_OF_NOISE = 1
STATISTICS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
Floats = NDArray[np.float64]


@torch.no_grad()
def logits(network: nn.Module, inputs: Tensor) -> Tensor:
    """Outputs ``(N, C)`` of a network in eval mode for inputs ``(N, channels, height, width)`` in [0, 1]."""
    return torch.cat([network(part) for part in torch.split(inputs, BATCH)])


def noisy(inputs: Tensor, sigma: float) -> Tensor:
    """Inputs plus Gaussian noise of one fixed draw, cut off at 0 and 1: the images stay images."""
    noise = torch.randn(inputs.shape, generator=torch.Generator().manual_seed(SEED_OF_NOISE))
    return (inputs + sigma * noise).clamp(0, 1)


def fgsm(network: nn.Module, inputs: Tensor, labels: Tensor, size: float) -> Tensor:
    """One step of ``size`` along the sign of the loss's gradient (Goodfellow et al. 2015)."""
    steps = [
        (part + size * _gradient(network, part, own).sign()).clamp(0, 1) for part, own in _batches(inputs, labels)
    ]
    return torch.cat(steps)


def pgd(network: nn.Module, inputs: Tensor, labels: Tensor, size: float, steps: int) -> Tensor:
    """So many steps of 2.5 · size / steps, each brought back to within ``size`` of the image in every pixel.

    The start is drawn evenly from that box (Madry et al. 2018), with a fixed seed.
    """
    generator = torch.Generator().manual_seed(SEED_OF_NOISE)
    found = []
    for part, own in _batches(inputs, labels):
        low, high = (part - size).clamp(min=0), (part + size).clamp(max=1)
        at = low + (high - low) * torch.rand(part.shape, generator=generator)
        for _ in range(steps):
            at = at + 2.5 * size / steps * _gradient(network, at, own).sign()
            at = torch.minimum(torch.maximum(at, low), high)
        found.append(at)
    return torch.cat(found)


def _batches(inputs: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(torch.split(inputs, BATCH), torch.split(labels, BATCH), strict=True)


def _gradient(network: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    inputs = inputs.detach().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(network(inputs), labels, reduction="sum"), inputs)[0]


def renewed(network: nn.Module, inputs: Tensor) -> nn.Module:
    """A copy whose batch normalisation has the mean and variance of its own activations on ``inputs``.

    The statistics that a network was trained with are those of its hard units.
    """
    again = copy.deepcopy(network)
    update_bn(torch.split(inputs, BATCH), again)
    return again.eval()


def has_statistics(network: nn.Module) -> bool:
    """Whether a network holds statistics that softening leaves as they were."""
    return any(isinstance(module, STATISTICS) for module in network.modules())


class Calibration:
    """Where a network's confidences lie, sorted into bins, so that its calibration error can be resampled.

    The expected calibration error is Σ over bins of (share of images) · |share right − mean confidence|
    (Guo et al. 2017).

    Args:
        confidences: largest probability of each image, ``(N,)``.
        right: whether the class of that probability is the label, ``(N,)``.
        even_counts: bins with equally many images, else of equal width.
    """

    def __init__(self, confidences: Floats, right: NDArray[np.bool_], *, even_counts: bool = False) -> None:
        if even_counts:
            ranks = np.argsort(np.argsort(confidences, kind="stable"), kind="stable")
            self.bins = ranks * BINS // len(ranks)
        else:
            self.bins = np.clip(np.ceil(confidences * BINS).astype(np.int64) - 1, 0, BINS - 1)
        self.confidences, self.right = confidences, right.astype(np.float64)

    def error(self, weights: Floats | None = None) -> Floats:
        """The error, once for each row of ``weights`` ``(resamples, N)``, or 0-dimensional without them."""
        members = np.eye(BINS)[self.bins] * (self.right - self.confidences)[:, None]
        if weights is None:
            weights = np.ones(len(self.bins))
        gaps: Floats = np.abs(weights @ members).sum(-1) / weights.sum(-1)
        return gaps

    def diagram(self) -> dict[str, list[float]]:
        """Share of the images, mean confidence and share right of every bin; 0 where a bin is empty."""
        counts = np.bincount(self.bins, minlength=BINS)
        whole = np.maximum(counts, 1)
        sums = {"confidence": self.confidences, "right": self.right}
        means = {name: np.bincount(self.bins, values, BINS) / whole for name, values in sums.items()}
        shares = {"share": counts / counts.sum()} | means
        return {name: values.round(4).tolist() for name, values in shares.items()}
