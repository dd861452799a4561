"""β-VQ operators against what they replace: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.operators``.

Every operator takes turns with its rival in float32 on one thread, so that a busy moment of the machine meets both.
Printed are the medians of the pairs' ratios, with the range in which the middle half of them lies; ``--json`` writes
them to a file with the machine and the versions. Compare within one run.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import betavq
import betavq.functional as bF

Layer = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Ratio:
    """One line of the table: how many times its rival's time an operator takes."""

    operator: str
    rival: str
    size: str
    passes: str
    median: float
    low: float
    high: float
    milliseconds: float


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description="β-VQ operators against what they replace.")
    parser.add_argument("--rounds", type=int, default=60, help="pairs of which the median counts")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=(16, 20, 22), help="numbers in the input, as powers of 2 from 12"
    )
    parser.add_argument("--compiled", action="store_true", help="also torch.compile, which needs a C++ compiler")
    parser.add_argument("--json", type=Path, help="file to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    found = []
    for ratio in measure(options.sizes, options.rounds, options.compiled):
        print(
            f"{ratio.operator:28} ÷ {ratio.rival:24} {ratio.size:20} {ratio.passes:8} {ratio.median:6.2f}"
            f"  ({ratio.low:.2f}–{ratio.high:.2f})  {ratio.milliseconds:8.3f} ms",
            flush=True,
        )
        found.append(ratio)
    if options.json is not None:
        write(options.json, found)


def measure(sizes: list[int], rounds: int, compiled: bool) -> Iterator[Ratio]:
    """Every pair at every size, forward alone and with backward."""
    for power in sizes:
        x = torch.randn(max(1, 2 ** (power - 12)), 64, 64)
        for (name, layer), (rival, other) in units(compiled):
            for passes in ("forward", "both"):
                yield compare(name, layer, rival, other, x, f"2^{power}", passes, rounds)
    for order, memory in (("NCHW", torch.contiguous_format), ("NHWC", torch.channels_last)):
        x = torch.randn(4, 64, 56, 56).contiguous(memory_format=memory)
        for kernel, stride, padding in ((2, 2, 0), (3, 2, 1)):
            pool: Layer = lambda x, k=kernel, s=stride, p=padding: bF.beta_max_pool2d(x, k, s, p, beta=0.6)  # noqa: E731
            rivals: dict[str, Layer] = {
                "F.max_pool2d": lambda x, k=kernel, s=stride, p=padding: F.max_pool2d(x, k, s, p),
                "unfold + softmax": lambda x, k=kernel, s=stride, p=padding: unfold_and_softmax(x, k, s, p),
            }
            for rival, other in rivals.items():
                for passes in ("forward", "both"):
                    size = f"{order} k{kernel} s{stride} p{padding}"
                    yield compare("beta_max_pool2d", pool, rival, other, x, size, passes, rounds)


def units(compiled: bool) -> list[tuple[tuple[str, Layer], tuple[str, Layer]]]:
    """Operators with their rivals."""
    relu: Layer = lambda x: bF.beta_relu(x, beta=0.6)  # noqa: E731
    plain: Layer = lambda x: x * torch.sigmoid(1.5 * x)  # noqa: E731
    pairs: list[tuple[tuple[str, Layer], tuple[str, Layer]]] = [
        (("beta_relu", relu), ("F.silu", F.silu)),
        (("beta_relu", relu), ("x * sigmoid(1.5 x)", plain)),
        (("beta_relu at 1", lambda x: bF.beta_relu(x, beta=1.0)), ("F.relu", F.relu)),
        (("beta_leaky_relu", lambda x: bF.beta_leaky_relu(x, beta=0.6)), ("F.silu", F.silu)),
        (("beta_abs", lambda x: bF.beta_abs(x, beta=0.6)), ("x * tanh(1.5 x)", lambda x: x * torch.tanh(1.5 * x))),
        (("BetaReLU", betavq.nn.BetaReLU(0.6)), ("F.silu", F.silu)),
        (("BetaReLU, learnable", betavq.nn.BetaReLU(0.6, learnable=True)), ("nn.PReLU", torch.nn.PReLU())),
        (
            ("BetaReLU, 64 learnable", betavq.nn.BetaReLU(0.6, learnable=True, num_channels=64)),
            ("nn.PReLU(64)", torch.nn.PReLU(64)),
        ),
    ]
    if compiled:
        pairs.append((("compiled beta_relu", torch.compile(relu)), ("compiled F.silu", torch.compile(F.silu))))
    return pairs


def unfold_and_softmax(x: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """Soft pooling as one would write it."""
    count, channels, height, _ = x.shape
    padded = F.pad(x, (padding,) * 4, value=-1e9)
    windows = F.unfold(padded, kernel, stride=stride).view(count, channels, kernel * kernel, -1)
    side = (height + 2 * padding - kernel) // stride + 1
    return (torch.softmax(1.5 * windows, 2) * windows).sum(2).view(count, channels, side, -1)


def compare(
    name: str, layer: Layer, rival: str, other: Layer, x: Tensor, size: str, passes: str, rounds: int
) -> Ratio:
    """Time a layer and its rival in turn."""
    ours, theirs = [], []
    upstream = torch.randn_like(layer(x))
    for round_ in range(rounds + 3):
        times = [seconds(function, x, upstream, passes) for function in (layer, other)]
        if round_ >= 3:  # the first ones warm caches and allocators
            ours.append(times[0])
            theirs.append(times[1])
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    low, _, high = statistics.quantiles(ratios, n=4)
    return Ratio(name, rival, size, passes, statistics.median(ratios), low, high, 1e3 * statistics.median(ours))


def seconds(layer: Layer, x: Tensor, upstream: Tensor, passes: str) -> float:
    """One forward pass, or one forward and backward pass."""
    if passes == "forward":
        with torch.no_grad():
            start = time.perf_counter()
            layer(x)
            return time.perf_counter() - start
    leaf = x.detach().requires_grad_()
    start = time.perf_counter()
    layer(leaf).backward(upstream)
    return time.perf_counter() - start


def write(path: Path, found: list[Ratio]) -> None:
    """The measurements with where they were made, put in place whole."""
    machine = {"processor": platform.processor() or platform.machine(), "python": platform.python_version()}
    document = {"machine": machine, "torch": torch.__version__, "ratios": [asdict(ratio) for ratio in found]}
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(document, indent=1), encoding="utf-8")
    unfinished.replace(path)


if __name__ == "__main__":
    main()
