"""What orthogonal filters cost: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.orthogonal``.

One step of training (forward, backward, SGD with momentum) of a layer with orthogonal filters, as a multiple of the
same step of the plain layer: for the three convolutions of the book's small network, with the input that they have
there in a batch of 128 images, and for linear layers. Beside it: the three methods of PyTorch's own
``parametrizations.orthogonal``, on the same flattened filters, and the penalty. All take turns in every round on one
thread; printed are medians of the rounds' ratios, with the range in which their middle half lies.

The bar is for layers that see many more rows (images times places) than they have filters. With few rows the plain
step is less arithmetic than making the filters orthogonal is by any method: those lines have no bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from betavq.orthogonal import coherence, orthogonal_filters, orthogonality_penalty

from .command import begin, parser, spread, verdict
from .timing import Call, milliseconds, ratios, turns

BATCH, BAR = 128, 1.5
MANY = 8  # rows a filter
OURS, PENALTY, PLAIN = "orthogonal_filters", "orthogonality_penalty", "plain"
SLOW = 20  # times the plain layer's step: what takes longer is timed in the first rounds only


class Flat(nn.Module):
    """A convolution's weight, seen as PyTorch's parametrisation of a matrix of flattened filters sees it."""

    def __init__(self, shape: torch.Size) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, matrix: Tensor) -> Tensor:
        return matrix.view(self.shape)

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight.flatten(1)


def layers() -> Iterator[tuple[str, Callable[[], nn.Module], Tensor, bool]]:
    """The layers, inputs as they come there, and whether the bar is for them."""
    for inputs, filters, size, side in ((3, 32, 5, 32), (32, 64, 3, 16), (64, 128, 3, 8)):
        x = torch.randn(BATCH, inputs, side, side).to(memory_format=torch.channels_last)
        name = f"{filters} filters {size}×{size}×{inputs}, at {side}×{side} places"

        def convolution(inputs: int = inputs, filters: int = filters, size: int = size) -> nn.Module:
            made = nn.Conv2d(inputs, filters, size, padding=size // 2, bias=False)
            return made.to(memory_format=torch.channels_last)

        yield name, convolution, x, True
    for inputs, filters, rows in ((512, 512, 4096), (128, 10, BATCH), (1024, 64, BATCH), (512, 512, BATCH)):
        name = f"linear, {filters} filters of {inputs}, {rows} rows"
        make = partial(nn.Linear, inputs, filters)
        yield name, make, torch.randn(rows, inputs), rows >= MANY * filters and rows > BATCH


def torchs(layer: nn.Module, method: str) -> nn.Module:
    """PyTorch's own parametrisation, on flattened filters (of norm 1: it has no others)."""
    if layer.weight.dim() > 2:
        parametrize.register_parametrization(layer, "weight", Flat(layer.weight.shape))
        # On the matrix that Flat makes of the weight.
        holder = layer.parametrizations.weight
        parametrizations.orthogonal(holder, "original", orthogonal_map=method)
    else:
        parametrizations.orthogonal(layer, "weight", orthogonal_map=method)
    return layer


def step(layer: nn.Module, x: Tensor, *, penalised: bool = False) -> Call:
    """One step of training."""
    optimiser = torch.optim.SGD(layer.parameters(), lr=1e-3, momentum=0.9)
    inputs = x.clone().requires_grad_()
    upstream = torch.randn_like(layer(inputs)) / BATCH

    def run() -> None:
        optimiser.zero_grad()
        loss = (layer(inputs) * upstream).sum()
        if penalised:
            loss = loss + 0.1 * orthogonality_penalty(layer)
        loss.backward()
        optimiser.step()

    return run


def main() -> None:
    """Measure, print, and say whether the bar is met."""
    options = begin(parser("What orthogonal filters cost beside the plain layer.", 30))
    worst = 0.0
    for name, make, x, has_bar in layers():
        ours = orthogonal_filters(make())
        steps = {PLAIN: step(make(), x), OURS: step(ours, x), PENALTY: step(make(), x, penalised=True)}
        for method in ("householder", "cayley", "matrix_exp"):
            steps[f"PyTorch, {method}"] = step(torchs(make(), method), x)
        times = turns(steps, options.rounds, slow=SLOW)
        print(f"\n{name}: plain step {milliseconds(times[PLAIN]):.2f} ms")
        for method, own in times.items():
            if method != PLAIN:
                found = ratios(own, times[PLAIN])
                if has_bar and method == OURS:
                    worst = max(worst, found[0])
                print(f"    {method:24}{spread(*found)}", flush=True)
        bar = f"; bar {BAR} ×" if has_bar else "; no bar"
        print(f"    largest |cosine| afterwards {coherence(ours).item():.1e}{bar}")
    print(f"\nWith many rows: at most {worst:.2f} ×, the bar is {BAR} ({verdict(worst <= BAR)})")


if __name__ == "__main__":
    main()
