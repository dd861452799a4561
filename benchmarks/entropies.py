"""Quadratic entropy against the entmax package: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.entropies``.

The code is sparsemax of η times the scores, which entmax offers too. Both take turns on one thread. Printed are the
medians of the rounds' ratios, with the range in which their middle half lies. The last lines set the quadratic entropy
beside Shannon's, for which there is no bar. Compare within one run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import entmax
import torch
from torch import Tensor

import betavq

from .command import begin, parser, told, verdict
from .timing import BOTH, FORWARD, Pair, compare

SHAPES = ((4096, 10), (512, 1000), (65536, 2))
ETAS = (0.1, 1.0, 5.0)  # at the smallest every piece has a share, at the largest few do
BAR = 1.2
SPARSEMAX, SHANNON = "entmax.sparsemax", "Shannon"


def main() -> None:
    """Measure, print, and say whether the bar is met."""
    options = begin(parser("The quadratic entropy against the entmax package.", 100))
    worst = 0.0
    for pair in pairs():
        ratio = compare(pair, options.rounds)
        if ratio.rival == SPARSEMAX:
            worst = max(worst, ratio.median)
        print(told(ratio), flush=True)
    print(f"Against {SPARSEMAX}: at most {worst:.2f}, the bar is {BAR} ({verdict(worst <= BAR)})")


def pairs() -> Iterator[Pair]:
    """Every rival at every shape, along the last dimension and along the first, forward alone and with backward."""
    for shape in SHAPES:
        for dtype in (torch.float32, torch.float64):
            size = f"{shape[0]} × {shape[1]} {str(dtype).removeprefix('torch.')}"
            yield from sparse(torch.randn(shape, dtype=dtype), -1, size)
    yield from sparse(torch.randn(10, 4096), 0, "10 × 4096 float32, dim=0")
    z = torch.randn(SHAPES[0])
    for function in (betavq.code, betavq.value, betavq.free_energy):
        quadratic, shannon = (partial(function, beta=0.5, entropy=entropy) for entropy in ("quadratic", "shannon"))
        for passes in (FORWARD, BOTH):
            yield Pair("entropies", function.__name__, SHANNON, quadratic, shannon, z, "4096 × 10 float32", passes)


def sparse(z: Tensor, dim: int, size: str) -> Iterator[Pair]:
    """The code against sparsemax at several η."""
    for eta in ETAS:
        ours = partial(betavq.code, beta=betavq.beta_from_eta(eta), dim=dim, entropy="quadratic")
        theirs = partial(_sparsemax, eta=eta, dim=dim)
        for passes in (FORWARD, BOTH):
            yield Pair("entropies", f"code, η = {eta:g}", SPARSEMAX, ours, theirs, z, size, passes)


def _sparsemax(z: Tensor, eta: float, dim: int) -> Tensor:
    result: Tensor = entmax.sparsemax(z if eta == 1 else eta * z, dim=dim)
    return result


if __name__ == "__main__":
    main()
