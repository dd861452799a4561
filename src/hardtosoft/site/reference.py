"""What the reference covers: the public modules of betavq and the names that they offer."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import betavq


def public_modules(package: ModuleType = betavq) -> Iterator[ModuleType]:
    """The modules that a reader imports: those with an ``__all__``, betavq itself first.

    A package that offers names of its own (``betavq.geometry``) stands for the files in it.
    """
    if names(package):
        yield package
    if package is betavq or not names(package):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not found.name.rpartition(".")[2].startswith("_"):
                module = importlib.import_module(found.name)
                yield from public_modules(module) if found.ispkg else [module]


def names(module: ModuleType) -> list[str]:
    """The functions, classes and data that a module offers; not the modules, nor the version."""
    offered = getattr(module, "__all__", [])
    return [name for name in offered if name != "__version__" and not isinstance(getattr(module, name), ModuleType)]
