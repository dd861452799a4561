"""The Gaussian mixtures behind max-affine units: selecting a piece is inferring which component made the input.

A piece with slope A and offset B is a component with mean A; codes are responsibilities, and β-VQ is the mixture of
variance (1 − β)/β. Read one by one, the units of a layer are mixtures of their own; read as one model
x = Σ_k A_{k,t_k} + ε they disturb each other, and :func:`joint_map` finds the best code of all.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from ._mixture_checks import check_count, check_log_normalizer, check_means, check_variance, check_weights
from ._mixture_density import log_joint_parts
from ._pieces import check_finite_or_excluded, check_numbers, check_rows
from .maso import MASO

__all__ = ["GaussianMixture"]


class GaussianMixture(nn.Module):
    r"""K mixtures, one a unit, of R spherical Gaussians in D dimensions:

    .. math:: p_k(x) = \sum_r \pi_{k,r}\, \mathcal N(x;\, \mu_{k,r},\, \sigma_r^2 I).

    If the components share one variance, the mixture is that of a max-affine unit: :meth:`to_maso` and
    :meth:`betavq.MASO.to_mixture` go there and back. Inputs have to be finite: other ones give numbers without
    meaning, mostly NaN. Results are differentiable in x; the mixture itself is learnt by :meth:`fit`.

    Attributes:
        means: μ, a buffer of shape ``(K, R, D)``.
        log_weights: log π, a buffer of shape ``(K, R)``; −∞ for a component that is excluded.
        variance: σ², a buffer of shape ``()`` if shared, else ``(R,)``.
        log_normalizer: buffer of shape ``(K,)``, what normalising took away from a MASO's log weights. No probability
            depends on it, but the values of :meth:`to_maso` do.

    Args:
        means: finite, ``(K, R, D)`` with no size 0; float32 or float64. All tensors are copied.
        weights: ``(K, R)``, non-negative, each unit's summing to 1.
        variance: positive and finite: a number, or a tensor of shape ``()`` or ``(R,)``.
        log_normalizer: finite, ``(K,)``; None for zeros.

    Raises:
        ValueError: shapes that disagree or have a size 0; values other than those; two devices.
        TypeError: not a tensor of float32 or float64; two dtypes.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, MASOs as mixtures.
    """

    means: Tensor
    log_weights: Tensor
    variance: Tensor
    log_normalizer: Tensor

    def __init__(
        self,
        means: Tensor,
        weights: Tensor,
        variance: float | Tensor = 1.0,
        log_normalizer: Tensor | None = None,
    ) -> None:
        super().__init__()
        check_means(means)
        check_weights(weights, means)
        spread = check_variance(variance, means)
        if log_normalizer is None:
            log_normalizer = means.new_zeros(means.shape[0])
        check_log_normalizer(log_normalizer, means)
        self.register_buffer("means", means.detach().clone())
        self.register_buffer("log_weights", weights.detach().log().log_softmax(1))
        self.register_buffer("variance", spread)
        self.register_buffer("log_normalizer", log_normalizer.detach().clone())

    @classmethod
    def from_log_weights(cls, means: Tensor, log_weights: Tensor, variance: float | Tensor = 1.0) -> Self:
        """The mixture of weights known up to a factor, by their logarithms; weights too small for a float are kept.

        Args:
            means: finite, ``(K, R, D)`` with no size 0; float32 or float64.
            log_weights: ``(K, R)``, finite or −∞, at least one of each unit finite. What normalising takes away from
                a unit's is kept as its ``log_normalizer``.
            variance: positive and finite: a number, or a tensor of shape ``()`` or ``(R,)``.

        Raises:
            ValueError, TypeError: as for the class.
        """
        check_means(means)
        check_numbers("log_weights", log_weights, "means", means)
        check_finite_or_excluded("log_weights", log_weights)
        log_weights = log_weights.detach()
        mixture = cls(means, log_weights.softmax(1), variance, log_weights.logsumexp(1))
        mixture.log_weights.copy_(log_weights.log_softmax(1))
        return mixture

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

    def log_joint(self, x: Tensor) -> Tensor:
        """log π_r + log N(x; μ_r, σ_r²I), of x ``(..., D)`` in the dtype of the means: ``(..., K, R)``.

        Raises:
            ValueError: inputs of another size.
            TypeError: ``x`` of another dtype.
        """
        scores, common = self._scores(x)
        return scores + common[..., None, None]

    def responsibilities(self, x: Tensor) -> Tensor:
        """The posterior P(r | x) of the components, of x ``(..., D)``: ``(..., K, R)``, summing to 1 over R.

        Raises:
            ValueError: inputs of another size.
            TypeError: ``x`` of another dtype.
        """
        return self._scores(x)[0].softmax(-1)

    def map_code(self, x: Tensor) -> Tensor:
        """The first most probable component, of x ``(..., D)``: integers (int64) of shape ``(..., K)``.

        Raises:
            ValueError: inputs of another size.
            TypeError: ``x`` of another dtype.
        """
        with torch.no_grad():
            return self._scores(x)[0].argmax(-1)

    def log_prob(self, x: Tensor) -> Tensor:
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

    def to_maso(self) -> MASO:
        """The MASO whose code at β = 1/(1 + σ²) these responsibilities are, and whose selection is :meth:`map_code`.

        Raises:
            ValueError: components of different variances: their scores are quadratic, not affine.
        """
        if self.variance.dim():
            raise ValueError(
                "to_maso needs one variance that all components share, since otherwise their scores are quadratic in "
                f"x and no MASO has them; got one for each of {self.num_components} components"
            )
        log_weights = self.log_weights + self.log_normalizer[:, None]
        return MASO(self.means, self.variance * log_weights - 0.5 * self.means.square().sum(-1))

    def extra_repr(self) -> str:
        sizes = f"num_units={self.num_units}, num_components={self.num_components}, num_features={self.num_features}"
        return f"{sizes}, variance={'one a component' if self.variance.dim() else f'{self.variance.item():.6g}'}"

    def _scores(self, x: Tensor) -> tuple[Tensor, Tensor]:
        check_rows(x, self.num_features, "the means", self.means.dtype)
        return log_joint_parts(x, self.means, self.log_weights, self.variance)
