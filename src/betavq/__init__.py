"""β-VQ nonlinearities for PyTorch: one number β takes a unit from linear (0) over soft (½) to hard (1)."""

from . import functional, geometry, mixture, nn, noise, orthogonal
from ._version import __version__
from .inference import beta_from_eta, code, eta_from_beta, free_energy, value
from .maso import MASO
from .softening import betas, harden, report, set_beta, soften

__all__ = [
    "MASO",
    "__version__",
    "beta_from_eta",
    "betas",
    "code",
    "eta_from_beta",
    "free_energy",
    "functional",
    "geometry",
    "harden",
    "mixture",
    "nn",
    "noise",
    "orthogonal",
    "report",
    "set_beta",
    "soften",
    "value",
]
