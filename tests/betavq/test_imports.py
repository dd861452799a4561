"""What importing the library brings along, and which names it offers."""

from __future__ import annotations

import subprocess
import sys

import betavq
import betavq.functional
import betavq.nn

FORBIDDEN = ("hardtosoft", "plotly", "sklearn", "scipy", "IPython", "matplotlib", "pandas")


def test_import_needs_torch_and_numpy_alone() -> None:
    program = f"import sys, betavq; print([name for name in {FORBIDDEN!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_import_adds_no_module_of_another_package_to_those_of_torch() -> None:
    program = (
        "import sys, torch; before = set(sys.modules); import betavq; "
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - {'betavq', 'torch'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names() -> None:
    assert set(betavq.__all__) == {
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
    }
    units = ["beta_abs", "beta_leaky_relu", "beta_relu"]
    pools = ["beta_max_pool1d", "beta_max_pool2d", "beta_maxout"]
    assert sorted(betavq.functional.__all__) == sorted(units + pools)
    modules = ["BetaAbs", "BetaLeakyReLU", "BetaReLU", "BetaMaxPool1d", "BetaMaxPool2d", "BetaMaxout"]
    assert sorted(betavq.nn.__all__) == sorted(modules)
    for module in (betavq, betavq.functional, betavq.nn):
        for name in module.__all__:
            public = getattr(module, name)
            assert isinstance(public, str) or public.__doc__
