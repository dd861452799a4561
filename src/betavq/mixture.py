"""The Gaussian mixtures behind max-affine units: selecting a piece is inferring which component made the input.

A piece with slope A and offset B is a component with mean A; codes are responsibilities, and β-VQ is the mixture of
variance (1 − β)/β. Read one by one, the units of a layer are mixtures of their own; read as one model
x = Σ_k A_{k,t_k} + ε they disturb each other, and :func:`joint_map` finds the best code of all.

* :class:`GaussianMixture`: densities, responsibilities, samples; :meth:`~GaussianMixture.fit` learns one and returns
  a :class:`FitResult`.
* :func:`joint_log_prob`, :func:`joint_map`: the units of a layer as one model, and its best code;
  :func:`unitwise_map`, :func:`disagreement`: the code of each unit for itself, and how often that is another.
"""

from __future__ import annotations

import numbers
from typing import Any, Literal, Self

import torch

from ._mixture.checks import Array, Points, as_tensor, check_means, hinting
from ._mixture.density import SphericalGaussians
from ._mixture.fit import FitResult, Progress, fit, start_from_data
from ._mixture.joint import disagreement, joint_log_prob, joint_map, unitwise_map
from ._mixture.sklearn import estimator_of, mixture_parameters
from ._mixture.steps import Components
from ._numerics.checks import check_finite_or_excluded, check_numbers
from .maso import MASO

__all__ = ["FitResult", "GaussianMixture", "disagreement", "joint_log_prob", "joint_map", "unitwise_map"]
__dir__ = __all__.copy


FROM_DATA = "To learn one from data, start with GaussianMixture.from_data(x, num_components), and call fit(x) of that"


class GaussianMixture(SphericalGaussians):
    r"""K mixtures, one a unit, of R spherical Gaussians in D dimensions:

    .. math:: p_k(x) = \sum_r \pi_{k,r}\, \mathcal N(x;\, \mu_{k,r},\, \sigma_r^2 I).

    To learn one from data, as with scikit-learn: ``mixture = GaussianMixture.from_data(x, num_components=4)``,
    ``mixture.fit(x)``, ``mixture.predict(x)``. Arrays of NumPy, and what turns into them, are taken wherever tensors
    are, and lists of points too: in the dtype of the means, whatever theirs is (the means of :meth:`from_data` are
    float32 for arrays of float32, else float64). All results are tensors, codes int64 and the others in the dtype of
    the means; ``.numpy()`` makes arrays of them.

    If the components share one variance, the mixture is that of a max-affine unit: :meth:`to_maso` and
    :meth:`betavq.MASO.to_mixture` go there and back. Inputs have to be finite: other ones give numbers without
    meaning, mostly NaN. Results are differentiable in x; the mixture itself is learnt by :meth:`fit`. Distances are
    taken from the mean of all means: units that lie ten thousand deviations apart want float64.

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

    Example:
        >>> import torch
        >>> from betavq.mixture import GaussianMixture
        >>> means = torch.tensor([[[-1.0], [1.0]]])  # (K, R, D) = (1, 2, 1)
        >>> mixture = GaussianMixture(means, torch.tensor([[0.5, 0.5]]), variance=0.5)
        >>> mixture.responsibilities(torch.tensor([[0.0], [0.25], [1.0]])).squeeze()
        tensor([[0.5000, 0.5000],
                [0.2689, 0.7311],
                [0.0180, 0.9820]])
    """

    @hinting(FROM_DATA)
    def __init__(
        self,
        means: Array,
        weights: Array,
        variance: float | Array = 1.0,
        log_normalizer: Array | None = None,
    ) -> None:
        if isinstance(means, numbers.Number):
            raise TypeError(f"means must be a tensor or an array of shape (K, R, D), got {means!r}. {FROM_DATA}")
        super().__init__(means, weights, variance, log_normalizer)

    @classmethod
    def from_log_weights(cls, means: Array, log_weights: Array, variance: float | Array = 1.0) -> Self:
        """The mixture of weights known up to a factor, by their logarithms; weights too small for a float are kept.

        Args:
            means: finite, ``(K, R, D)`` with no size 0; float32 or float64.
            log_weights: ``(K, R)``, finite or −∞, at least one of each unit finite. What normalising takes away from
                a unit's is kept as its ``log_normalizer``.
            variance: positive and finite: a number, or a tensor of shape ``()`` or ``(R,)``.

        Raises:
            ValueError, TypeError: as for the class.
        """
        m = as_tensor("means", means)
        check_means(m)
        logs = as_tensor("log_weights", log_weights, m)
        check_numbers("log_weights", logs, "means", m)
        check_finite_or_excluded("log_weights", logs)
        logs = logs.detach()
        mixture = cls(m, logs.softmax(1), variance, logs.logsumexp(1))
        mixture.log_weights.copy_(logs.log_softmax(1))
        return mixture

    @classmethod
    @hinting("scikit-learn's n_components is num_components here, and its random_state a torch.Generator as generator")
    def from_data(
        cls,
        x: Points,
        num_components: int,
        *,
        shared_variance: bool = True,
        reg_covar: float = 1e-6,
        generator: torch.Generator | None = None,
    ) -> Self:
        """One unit to start a fit from: greedy k-means++ picks the means from the data; equal weights and variances.

        Args:
            x: finite points, ``(N, D)``; float32 or float64, in which the mixture will be. An array of other numbers
                becomes float64.
            num_components: R; x needs as many distinct points.
            shared_variance: False for a variance of shape ``(R,)``. All start at the mean squared distance to the
                nearest mean, by dimension.
            reg_covar: added to the variance.
            generator: where randomness comes from; None for PyTorch's own.

        Raises:
            ValueError, TypeError: arguments other than those, too few points; the error names the argument.
        """
        start = start_from_data(x, num_components, shared_variance, reg_covar, generator)
        return cls(start.means[None], start.log_weights.exp()[None], start.variance)

    @hinting(f"All but the points go by name, and their number of components is that of the start. {FROM_DATA}")
    def fit(
        self,
        x: Points,
        *,
        method: Literal["em", "kmeans"] = "em",
        beta: float = 0.5,
        max_iterations: int = 100,
        tolerance: float = 1e-3,
        reg_covar: float = 1e-6,
        progress: bool | Progress | None = False,
    ) -> FitResult:
        r"""Learn the components of one unit (K = 1) from data, starting at those that it has.

        With η = β/(1 − β), ``"em"`` climbs the free energy :math:`\frac1\eta \sum_n \log \sum_r p(x_n, r)^\eta`: the
        log-likelihood at β = ½; with hard codes at β = 1. ``"kmeans"`` lowers the inertia :math:`\sum_n \min_r
        \|x_n - \mu_r\|^2`; weights and variance of the start do not matter to it, and become the shares of the points
        and the mean squared distance to the means, by dimension. The variance stays shared, or one a component.

        A component that loses all points keeps its mean and variance and gets weight 0 in EM; K-means moves it to
        the point farthest from all centroids. Neither lowers the objective, which never falls at ``reg_covar=0``, up
        to rounding. More can lower that of EM: on the handwritten digits, of which the least variance is 0.03, one
        step lost 1e-10 at 1e-6 and 0.1 at 0.01, of 13 600. If the fit is interrupted or fails, the mixture stays as
        it was. Computes in float64, with one copy of the data, and with distances that carry rounding of 1e-16 of the
        squared extent of the data: a far outlier costs digits.

        Args:
            x: finite points, ``(N, D)`` with N ≥ R, in the dtype of the means.
            method: ``"em"`` or ``"kmeans"``.
            beta: hardness in (0, 1], of EM alone.
            max_iterations: at least 1. Stopping there is no error and gives no warning: see ``FitResult.converged``.
            tolerance: stop after a change of the mean objective a point, or for K-means of the means (squared and
                summed, in units of the data's variance), of at most this: scikit-learn's rules.
            reg_covar: added to each new variance; with it, components do not collapse on a point.
            progress: True for a line on stderr about every second; None for it if stderr is a terminal; or a function
                that is called with the iteration and its objective.

        Raises:
            ValueError: more than one unit; arguments other than those; a component that collapses.
            TypeError: arguments of another type.

        Example:
            >>> import torch
            >>> from betavq.mixture import GaussianMixture
            >>> x = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
            >>> means, weights = torch.tensor([[[1.0], [9.0]]]), torch.tensor([[0.5, 0.5]])
            >>> mixture = GaussianMixture(means, weights)
            >>> mixture.fit(x, method="kmeans").converged
            True
            >>> mixture.means.flatten().tolist(), round(mixture.variance.item(), 4)
            ([0.5, 10.5], 0.25)
        """
        if self.num_units != 1:
            raise ValueError(f"fit needs a mixture of one unit, K = 1, got num_units = {self.num_units}")
        start = Components(self.means[0], self.log_weights[0], self.variance)
        fitted, result = fit(x, start, method, beta, max_iterations, tolerance, reg_covar, progress)
        # In one call, so that an interrupt finds the mixture before it or after it.
        self._buffers.update(means=fitted.means[None], log_weights=fitted.log_weights[None], variance=fitted.variance)
        return result

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

    def to_sklearn(self, kind: Literal["mixture", "kmeans"] = "mixture") -> Any:
        """The mixture of a single unit, K = 1, as a fitted estimator of scikit-learn.

        Args:
            kind: ``"mixture"`` gives ``GaussianMixture(covariance_type="spherical")``. ``"kmeans"`` gives ``KMeans``
                with the means as its centres, and forgets weights and variance.

        Raises:
            ValueError: more than one unit; a component of weight 0 (for a mixture); another kind.
            ImportError: scikit-learn is not installed.
        """
        return estimator_of(self, kind)

    @classmethod
    def from_sklearn(cls, estimator: Any) -> Self:
        """The mixture of one unit, K = 1, that a fitted estimator of scikit-learn has learnt.

        Args:
            estimator: ``GaussianMixture(covariance_type="spherical")``: the variance is shared if all are equal, else
                one a component. Or ``KMeans``: weights are equal, so that :meth:`map_code` is its ``predict``; the
                variance, inertia/(N·D), is shared.

        Raises:
            ValueError: not fitted; another covariance type; clusters of inertia 0.
            TypeError: another estimator.
            ImportError: scikit-learn is not installed.
        """
        return cls(*mixture_parameters(estimator))
