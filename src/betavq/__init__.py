r"""β-VQ nonlinearities for PyTorch: one number β takes a unit from linear (0) over soft (½) to hard (1).

The core:

* :func:`code`, :func:`value`, :func:`free_energy` (:mod:`betavq.inference`): select among pieces by their scores;
  :func:`eta_from_beta`, :func:`beta_from_eta`: the scale of β that formulas use.
* :mod:`betavq.functional`, :mod:`betavq.nn`: ReLU, leaky ReLU, abs, max-pooling and maxout softened by β, as
  functions and as layers (:mod:`betavq.pooling` is about the last two).
* :class:`MASO` (:mod:`betavq.maso`): whole layers as max-affine splines, K units of R pieces.
* :class:`GaussianMixture` (:mod:`betavq.mixture`): the mixtures behind them, whose responsibilities are the codes.
* :mod:`betavq.orthogonal`: filters for which inference unit by unit is that of the layer.
* :mod:`betavq.noise`: selection of two pieces under other noise than the logistic one.

Built on it:

* :func:`soften`, with :func:`report`, :func:`spread`, :func:`match_moments` and :func:`harden`
  (:mod:`betavq.softening`): any network you have, with its nonlinearities softened; :func:`betas`,
  :func:`set_beta`, :func:`clamp_betas`: every β of a model.
* :mod:`betavq.geometry`: linear regions, boundaries, power diagrams and templates of networks.
* :mod:`betavq.papers`: what other papers built on this, one module each; imported on its own.

:mod:`betavq.reference` is all of the core in plain formulas, two pages long: a good place to begin.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from . import functional, mixture, nn, noise, orthogonal, reference
from ._version import __version__
from .inference import beta_from_eta, code, eta_from_beta, free_energy, value
from .maso import MASO
from .mixture import GaussianMixture
from .softening import betas, clamp_betas, harden, match_moments, report, set_beta, soften, spread

__all__ = [
    "MASO",
    "GaussianMixture",
    "__version__",
    "beta_from_eta",
    "betas",
    "clamp_betas",
    "code",
    "eta_from_beta",
    "free_energy",
    "functional",
    "geometry",
    "harden",
    "match_moments",
    "mixture",
    "nn",
    "noise",
    "orthogonal",
    "reference",
    "report",
    "set_beta",
    "soften",
    "spread",
    "value",
]
__dir__ = __all__.copy

if TYPE_CHECKING:
    from . import geometry
else:

    def __getattr__(name: str) -> object:
        """Half of the library is geometry, so it is imported when it is first asked for."""
        if name == "geometry":
            return import_module(".geometry", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
