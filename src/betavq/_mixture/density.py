"""The densities of spherical Gaussian mixtures, and the weights that make them those of a MASO."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .._numerics.checks import check_count, check_rows
from .._numerics.dtypes import full_precision
from .._numerics.eager import has_values
from .checks import (
    Array,
    Points,
    as_points,
    as_tensor,
    check_log_normalizer,
    check_means,
    check_variance,
    check_weights,
)


class SphericalGaussians(nn.Module):
    """Mixtures with given parameters: their posterior, density and samples.

    Arguments and attributes are those of :class:`betavq.mixture.GaussianMixture`.
    """

    means: Tensor
    log_weights: Tensor
    variance: Tensor
    log_normalizer: Tensor

    def __init__(
        self,
        means: Array,
        weights: Array,
        variance: float | Array = 1.0,
        log_normalizer: Array | None = None,
    ) -> None:
        super().__init__()
        m = as_tensor("means", means)
        check_means(m)
        w = as_tensor("weights", weights, m)
        check_weights(w, m)
        spread = check_variance(as_tensor("variance", variance, m), m)
        taken = m.new_zeros(m.shape[0]) if log_normalizer is None else as_tensor("log_normalizer", log_normalizer, m)
        check_log_normalizer(taken, m)
        self.register_buffer("means", m.detach().clone())
        self.register_buffer("log_weights", w.detach().log().log_softmax(1))
        self.register_buffer("variance", spread)
        self.register_buffer("log_normalizer", taken.detach().clone())

    @property
    def num_units(self) -> int:
        """K, the number of mixtures."""
        return self.means.shape[0]

    @property
    def num_components(self) -> int:
        """R, the number of components of a unit, excluded ones included."""
        return self.means.shape[1]

    @property
    def num_features(self) -> int:
        """D, the number of dimensions."""
        return self.means.shape[2]

    @property
    def weights(self) -> Tensor:
        """π of shape ``(K, R)``; 0 for a component that is excluded, or whose weight is too small for a float."""
        return self.log_weights.exp()

    def log_joint(self, x: Points) -> Tensor:
        """log π_r + log N(x; μ_r, σ_r²I), of x ``(..., D)`` in the dtype of the means: ``(..., K, R)``.

        Raises:
            ValueError: inputs of another size.
            TypeError: ``x`` of another dtype.
        """
        scores, common = self._scores(x)
        return scores + common[..., None, None]

    def responsibilities(self, x: Points) -> Tensor:
        """The posterior P(r | x) of the components, of x ``(..., D)``: ``(..., K, R)``, summing to 1 over R.

        Raises:
            ValueError: inputs of another size.
            TypeError: ``x`` of another dtype.
        """
        return self._scores(x)[0].softmax(-1)

    def map_code(self, x: Points) -> Tensor:
        """The most probable component, of x ``(..., D)``: int64 of shape ``(..., K)``; the first if some tie exactly.

        Raises:
            ValueError: inputs of another size.
            TypeError: ``x`` of another dtype.
        """
        with torch.no_grad():
            return self._scores(x)[0].argmax(-1)

    def predict(self, x: Points) -> Tensor:
        """The most probable component as scikit-learn gives it: :meth:`map_code`, without K where there is one unit.

        Of x ``(N, D)``: int64 of shape ``(N,)`` for a single unit, ``(N, K)`` for K of them.

        Raises:
            ValueError: inputs of another size, or NaN among them.
            TypeError: ``x`` of another dtype.
        """
        with torch.no_grad():
            scores, _ = self._scores(x)
        if bool(scores.isnan().any()):
            raise ValueError("x must be free of NaN, which has no most probable component")
        code = scores.argmax(-1)
        return code.squeeze(-1) if self.num_units == 1 else code

    def log_prob(self, x: Points) -> Tensor:
        """The log density of each unit's mixture, of x ``(..., D)``: ``(..., K)``.

        Raises:
            ValueError: inputs of another size.
            TypeError: ``x`` of another dtype.
        """
        scores, common = self._scores(x)
        return scores.logsumexp(-1) + common[..., None]

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw n points of each unit's mixture.

        Args:
            n: at least 1.
            generator: where randomness comes from, on the device of the means; None for PyTorch's own.

        Returns:
            Points ``(n, K, D)``, and the components that made them, int64 ``(n, K)``.

        Raises:
            ValueError: ``n`` below 1.
            TypeError: ``n`` not an integer.
        """
        n = check_count("n", n)
        components = torch.multinomial(self.weights, n, replacement=True, generator=generator).t()
        means = self.means[torch.arange(self.num_units, device=components.device), components]
        deviations = self.variance.sqrt().expand(self.num_components)[components]
        noise = torch.randn(means.shape, generator=generator, dtype=means.dtype, device=means.device)
        return means + deviations[..., None] * noise, components

    def extra_repr(self) -> str:
        sizes = f"num_units={self.num_units}, num_components={self.num_components}, num_features={self.num_features}"
        return f"{sizes}, shared_variance={not self.variance.dim()}"

    def _scores(self, x: Any) -> tuple[Tensor, Tensor]:
        x = as_points(x, self.means)
        check_rows(x, self.num_features, "the means", self.means.dtype)
        return log_joint_parts(x, self.means, self.log_weights, self.variance)


def log_joint_parts(x: Tensor, means: Tensor, log_weights: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """log π_r + log N(x; μ_r, σ_r²I) in two summands: ``(..., K, R)``, and what all components share, ``(...)``.

    Affine in x where the variance is shared. The squared length of a far-away x, in which the digits of the rest
    would be lost, is in the second one alone; the distance of all means from 0 is in neither.
    """
    center = means.mean((0, 1))
    means, x = means - center, x - center
    precision = 1 / variance
    with full_precision(x):
        products = F.linear(x, means.flatten(0, 1)).view(*x.shape[:-1], *means.shape[:2])
    log_volume = 0.5 * means.shape[2] * (2 * math.pi * variance).log()
    scores = precision * (products - 0.5 * means.square().sum(-1)) + log_weights
    half_length = 0.5 * x.square().sum(-1)
    if not variance.dim():
        return scores, -precision * half_length - log_volume
    least = precision.min()
    return scores - log_volume - half_length[..., None, None] * (precision - least), -least * half_length


def scaled_weights(slopes: Tensor, offsets: Tensor, variance: Tensor) -> Tensor:
    """(B + ½‖A‖²)/σ²: the logarithms, up to a constant, of the weights of a MASO's mixture."""
    log_weights = (offsets + 0.5 * slopes.square().sum(-1)) / variance
    if has_values(offsets, wait=True) and not bool((log_weights.isfinite() | offsets.isinf()).all()):
        needs = f"large enough that (B + ‖A‖²/2) / variance is finite in {slopes.dtype}"
        raise ValueError(f"variance must be {needs}, got {variance.item():.6g}")
    return log_weights
