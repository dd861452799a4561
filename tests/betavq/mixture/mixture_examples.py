"""Random MASOs and mixtures, and densities by PyTorch's distributions, for the tests of mixtures."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from betavq import MASO
from betavq.mixture import GaussianMixture

VARIANCES = [0.1, 0.5, 1.0, 2.0, 10.0]


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def random_maso(units: int = 3, pieces: int = 5, inputs: int = 4, *, seed: int = 1, padded: bool = False) -> MASO:
    """Normal slopes and offsets; ``padded`` excludes the last piece of every unit but the first."""
    offsets = random(units, pieces, seed=seed + 100)
    if padded:
        offsets[1:, -1] = -math.inf
    return MASO(random(units, pieces, inputs, seed=seed), offsets)


def random_mixture(
    units: int = 3, components: int = 5, features: int = 4, *, seed: int = 1, shared: bool = True
) -> GaussianMixture:
    """Normal means and log weights; a variance between 0.2 and 1.8, or one for each component."""
    variance = 1 + 0.8 * torch.sin(torch.arange(components, dtype=torch.float64) + seed)
    log_weights = random(units, components, seed=seed + 100)
    means = random(units, components, features, seed=seed)
    return GaussianMixture(means, log_weights.softmax(1), variance[0] if shared else variance)


def log_joint(mixture: GaussianMixture, x: Tensor) -> Tensor:
    """log π_r + log N(x; μ_r, σ_r²I) of rows x, component by component."""
    variance = mixture.variance.expand(mixture.num_components)
    units = [
        [
            log_weight + MultivariateNormal(mean, spread * torch.eye(len(mean), dtype=x.dtype)).log_prob(x)
            for mean, log_weight, spread in zip(means, log_weights, variance, strict=True)
        ]
        for means, log_weights in zip(mixture.means, mixture.weights.log(), strict=True)
    ]
    return torch.stack([torch.stack(unit, -1) for unit in units], 1)


def away_from_ties(scores: Tensor, gap: float = 1e-9) -> Tensor:
    """Where the best score leads the second by more than ``gap``."""
    best = scores.topk(2, -1).values
    return best[..., 0] - best[..., 1] > gap
