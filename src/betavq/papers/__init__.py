"""What other papers built on max-affine splines and their codes: one small public module for each.

A module here holds a paper's own quantities, on top of the library: :mod:`betavq.inference`, :mod:`betavq.maso`,
:mod:`betavq.mixture` and :mod:`betavq.geometry`. Nothing else of the library needs it: ``import betavq`` leaves it
out, and ``from betavq.papers import ...`` brings in what is asked for.

* :mod:`betavq.papers.inversion`: a network run backwards, and what its slopes say of attacks and of flat minima.
"""

__all__: list[str] = []
__dir__ = __all__.copy
