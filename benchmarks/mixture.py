"""Mixtures against scikit-learn's: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.mixture``.

EM (spherical components, a variance each) and K-means (Lloyd) from the same starts, with the same stopping rule and
the same ``reg_covar``: on the handwritten digits, reduced to 20 dimensions by PCA, with 10 components, and on larger
made-up data. Printed are the median times of a whole fit over starts by k-means++, on one thread, their ratio, the
iterations of all fits, and how far the log-likelihood or the inertia is from scikit-learn's, relative to it, at worst.
The two take turns, so that a busy moment of the machine meets both; compare within one run.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import NamedTuple

import torch
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture
from torch import Tensor

from betavq.mixture import GaussianMixture
from hardtosoft.results.datasets import load_digits

from .command import begin, parser
from .timing import Time, milliseconds, timed

TOLERANCE, REG_COVAR, MAX_ITERATIONS = 1e-3, 1e-6, 100


class Run(NamedTuple):
    """One fit of either."""

    time: Time
    iterations: int
    objective: float


def em(x: Tensor, start: GaussianMixture) -> tuple[Run, Run]:
    """EM by both; the objective is the mean log-likelihood of the fitted mixture."""
    ours = copy.deepcopy(start)
    theirs = SklearnMixture(
        start.num_components,
        covariance_type="spherical",
        means_init=start.means[0].numpy(),
        weights_init=start.weights[0].numpy(),
        precisions_init=(1 / start.variance).numpy(),
        reg_covar=REG_COVAR,
        tol=TOLERANCE,
        max_iter=MAX_ITERATIONS,
        init_params="random_from_data",  # not used, all is given: the cheapest to say
    )
    data = x.numpy()
    spent, result = timed(lambda: ours.fit(x, tolerance=TOLERANCE, reg_covar=REG_COVAR, max_iterations=MAX_ITERATIONS))
    their_time, _ = timed(lambda: theirs.fit(data))
    return (
        Run(spent, result.iterations, result.objective[-1].item() / len(x)),
        Run(their_time, theirs.n_iter_, theirs.score(data)),
    )


def k_means(x: Tensor, start: GaussianMixture) -> tuple[Run, Run]:
    """K-means by both, until nothing changes; the objective is the inertia."""
    ours = copy.deepcopy(start)
    theirs = KMeans(
        start.num_components,
        init=start.means[0].numpy(),
        n_init=1,
        tol=0,
        max_iter=MAX_ITERATIONS,
        algorithm="lloyd",
    )
    data = x.numpy()
    spent, result = timed(lambda: ours.fit(x, method="kmeans", tolerance=0, max_iterations=MAX_ITERATIONS))
    their_time, _ = timed(lambda: theirs.fit(data))
    return (
        Run(spent, result.iterations, -result.objective[-1].item()),
        Run(their_time, theirs.n_iter_, theirs.inertia_),
    )


def digits() -> Tensor:
    """The digits' first 20 principal components, ``(1797, 20)``."""
    images, _ = load_digits()
    images = images - images.mean(0)
    return images @ torch.linalg.svd(images, full_matrices=False)[2][:20].T


def made_up(n: int, d: int, r: int) -> Tensor:
    """n points around r centres that overlap somewhat."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(r, d, generator=generator, dtype=torch.float64)
    of = torch.randint(r, (n,), generator=generator)
    return centres[of] + torch.randn(n, d, generator=generator, dtype=torch.float64)


def compare(name: str, fit: Callable[[Tensor, GaussianMixture], tuple[Run, Run]], x: Tensor, r: int, n: int) -> None:
    """Print a line: medians over n starts."""
    runs = []
    for seed in range(-1, n):  # the first warms both up and does not count
        generator = torch.Generator().manual_seed(max(seed, 0))
        start = GaussianMixture.from_data(x, r, shared_variance=False, generator=generator)
        runs.append(fit(x, start))
    ours, theirs = zip(*runs[1:], strict=True)
    times = [milliseconds([run.time for run in side]) for side in (ours, theirs)]
    off = max(abs(a.objective / b.objective - 1) for a, b in zip(ours, theirs, strict=True))
    steps = [sum(run.iterations for run in side) for side in (ours, theirs)]
    print(
        f"{name:34}{times[0]:10.2f} ms{times[1]:10.2f} ms{times[0] / times[1]:8.2f} ×"
        f"{steps[0]:8d}{steps[1]:8d}{off:10.1e}"
    )


def main() -> None:
    """Measure and print."""
    what = "starts on the digits, a quarter as many on the rest"
    options = begin(parser("What a fit costs beside scikit-learn's.", 20, what))
    warnings.simplefilter("ignore", ConvergenceWarning)  # of fits that stop at the last iteration, as they may here
    print(f"{'':34}{'betavq':>13}{'scikit-learn':>13}{'ratio':>10}{'iterations':>16}{'off by':>10}")
    for fit, what in ((em, "EM"), (k_means, "K-means")):
        compare(f"{what}, digits 1797×20, R = 10", fit, digits(), 10, options.rounds)
        for n, d, r in ((20000, 20, 10), (20000, 64, 50)):
            compare(f"{what}, made up {n}×{d}, R = {r}", fit, made_up(n, d, r), r, max(1, options.rounds // 4))


if __name__ == "__main__":
    main()
