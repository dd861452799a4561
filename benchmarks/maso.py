"""MASO against a linear layer of as many scores: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.maso``.

A MASO of K units, R pieces and D inputs has the scores of ``nn.Linear(D, K·R)``, of which each unit makes one output.
For several β: the median time of forward and backward, of forward alone, and both as multiples of the linear layer's,
in float32 on one thread. The layers take turns, so that a busy moment of the machine meets all of them; compare within
one run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from betavq import MASO

from .command import begin, parser
from .timing import milliseconds, turns


def main() -> None:
    """Measure and print."""
    command = parser("What a MASO costs beside a linear layer of as many scores.", 100)
    command.add_argument("--inputs", type=int, default=512, help="N, how many inputs the layer sees at once")
    command.add_argument("--shape", type=int, nargs=3, default=(256, 4, 256), metavar=("K", "R", "D"))
    command.add_argument("--betas", type=float, nargs="+", default=(1.0, 0.5, 0.0))
    options = begin(command)
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
    tensors = (x, *linear.parameters(), *maso.parameters(), hardness)

    def backward(layer: Callable[[], Tensor], upstream: Tensor) -> None:
        torch.autograd.grad(layer(), tensors, upstream, allow_unused=True)

    passes = {name: partial(backward, layer, torch.randn_like(layer())) for name, layer in layers.items()}
    both = turns(passes, options.rounds)
    with torch.no_grad():
        forward = turns(layers, options.rounds)
    base = next(iter(layers))
    print(f"N = {options.inputs}, D = {inputs}, K = {units}, R = {pieces}")
    print(f"{'':24}{'forward+backward':>22}{'forward':>22}")
    for name in layers:
        cells = [(milliseconds(times[name]), milliseconds(times[base])) for times in (both, forward)]
        print(f"{name:24}" + "".join(f"{own:12.2f} ms {own / linears:5.2f} ×" for own, linears in cells))


if __name__ == "__main__":
    main()
