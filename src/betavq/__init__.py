"""β-VQ nonlinearities for PyTorch: one number β takes a unit from linear (0) over soft (½) to hard (1)."""

from . import functional, geometry, mixture, nn, noise, orthogonal
from ._version import __version__
from .inference import beta_from_eta, code, eta_from_beta, free_energy, value
from .maso import MASO

__all__ = [
    "MASO",
    "__version__",
    "beta_from_eta",
    "code",
    "eta_from_beta",
    "free_energy",
    "functional",
    "geometry",
    "mixture",
    "nn",
    "noise",
    "orthogonal",
    "value",
]
