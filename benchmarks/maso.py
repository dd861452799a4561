"""MASO against a linear layer of as many scores: ``OMP_NUM_THREADS=1 .venv/bin/python benchmarks/maso.py``.

A MASO of K units, R pieces and D inputs has the scores of ``nn.Linear(D, K·R)``, of which each unit makes one output.
For several β: the median time of forward and backward, of forward alone, and both as multiples of the linear layer's,
in float32 on one thread. The layers take turns, so that a busy moment of the machine meets all of them; compare within
one run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from betavq import MASO


def milliseconds(action: Callable[[], object]) -> float:
    """Time that one call takes."""
    start = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a MASO costs beside a linear layer of as many scores.")
    parser.add_argument("--rounds", type=int, default=100, help="how often each layer is timed")
    parser.add_argument("--inputs", type=int, default=512, help="N, how many inputs the layer sees at once")
    parser.add_argument("--shape", type=int, nargs=3, default=(256, 4, 256), metavar=("K", "R", "D"))
    parser.add_argument("--betas", type=float, nargs="+", default=(1.0, 0.5, 0.0))
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    units, pieces, inputs = options.shape
    linear = nn.Linear(inputs, units * pieces)
    assert linear.bias is not None
    maso = MASO(linear.weight.view(units, pieces, inputs), linear.bias.view(units, pieces))
    x = torch.randn(options.inputs, inputs, requires_grad=True)
    layers: dict[str, Callable[[], Tensor]] = {f"nn.Linear({inputs}, {units * pieces})": lambda: linear(x)}
    for beta in options.betas:
        layers[f"MASO, beta = {beta:g}"] = lambda beta=beta: maso(x, beta)
    hardness = torch.tensor(0.5, requires_grad=True)
    layers["MASO, learnable beta"] = lambda: maso(x, hardness)
    gradients = {name: torch.randn_like(layer()) for name, layer in layers.items()}
    both: dict[str, list[float]] = {name: [] for name in layers}
    forward: dict[str, list[float]] = {name: [] for name in layers}
    for _ in range(options.rounds):
        for name, layer in layers.items():
            for tensor in (x, *linear.parameters(), *maso.parameters()):
                tensor.grad = None
            both[name].append(milliseconds(lambda layer=layer, name=name: layer().backward(gradients[name])))
            with torch.no_grad():
                forward[name].append(milliseconds(layer))
    base = next(iter(layers))
    print(f"N = {options.inputs}, D = {inputs}, K = {units}, R = {pieces}")
    print(f"{'':24}{'forward+backward':>22}{'forward':>22}")
    for name in layers:
        cells = ((times[name], times[base]) for times in (both, forward))
        print(f"{name:24}" + "".join(f"{median(a):12.2f} ms {median(a) / median(b):5.2f} ×" for a, b in cells))


def median(times: list[float]) -> float:
    """The middle of some times."""
    return statistics.median(times)


if __name__ == "__main__":
    main()
