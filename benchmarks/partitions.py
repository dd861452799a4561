"""How fast exact partitions are: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.partitions``.

Linear regions a second on one thread, of fully connected ReLU networks with PyTorch's random weights on boxes of
several sizes, which take turns; and of a convolutional network with max-pooling on a slice through images. Printed are
the best and the median rate by the clock, and the median by the time that the processor spent. That of the processor
decides: on one thread it is the clock's of a machine that does nothing else. The second bar compares a small box with
one of at least ten times the regions, round by round.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from betavq.geometry import partition

BAR, STRETCH = 20_000, 50_000
GROWTH_BAR = 0.5


@dataclass
class Case:
    """A network on a box from −half to half, and what was measured: seconds by the clock and of the processor."""

    name: str
    model: nn.Module
    half: float
    plane: Tensor | None = None
    regions: int = 0
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """Find the regions once more."""
        h = self.half
        start, spent = time.perf_counter(), time.process_time()
        found = partition(self.model, [[-h, -h], [h, -h], [h, h], [-h, h]], plane=self.plane)
        self.clock.append(time.perf_counter() - start)
        self.processor.append(time.process_time() - spent)
        self.regions = len(found)

    def line(self) -> str:
        """Name, regions and rates."""
        best, median = self.regions / min(self.clock), self.regions / statistics.median(self.clock)
        spent = self.regions / statistics.median(self.processor)
        return f"{self.name:34}{self.regions:9,}{best:14,.0f}{median:12,.0f}{spent:16,.0f}"


def network(*widths: int) -> nn.Sequential:
    """A fully connected ReLU network of two inputs and one output."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inputs, outputs in zip((2, *widths), widths, strict=False):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 1)).eval()


def images() -> nn.Sequential:
    """A convolutional network of images of 1 × 8 × 8."""
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1), nn.ReLU())
    return nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32, 10)).eval()


def main() -> None:
    """Measure, print, and say which bars are met."""
    parser = argparse.ArgumentParser(description="How fast exact partitions are.")
    parser.add_argument("--rounds", type=int, default=15, help="rounds in which every case is measured once")
    options = parser.parse_args()
    torch.set_num_threads(1)
    net = network(64, 64, 64)
    small, middle, large = (Case(f"3 × 64 on [−{half:g}, {half:g}]²", net, half) for half in (0.25, 1.0, 30.0))
    wide = Case("3 × 128 on [−3, 3]²", network(128, 128, 128), 3.0)
    torch.manual_seed(1)
    slice_ = Case("convolutions, slice of images", images(), 1.0, torch.randn(3, 1, 8, 8))
    cases = (small, middle, large, wide, slice_)
    for round_ in range(options.rounds + 1):
        for case in cases if round_ % 2 else reversed(cases):
            case.measure()
            if round_ == 0:  # what is loaded or allocated once counts for nothing
                case.clock.clear()
                case.processor.clear()
    print(f"{'regions a second':34}{'regions':>9}{'best':>14}{'median':>12}{'processor':>16}")
    for case in cases:
        print(case.line())
    rate = middle.regions / statistics.median(middle.processor)
    growth = [s / b * large.regions / small.regions for s, b in zip(small.processor, large.processor, strict=True)]
    ratio = statistics.median(growth)
    print(f"{middle.name}: {rate:,.0f}, the bar is {BAR:,} ({_verdict(rate >= BAR)}), {STRETCH:,} would be fine")
    print(
        f"{large.regions / small.regions:.1f} times the regions: {ratio:.2f} times the rate, "
        f"the bar is {GROWTH_BAR} ({_verdict(ratio >= GROWTH_BAR)})"
    )


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


if __name__ == "__main__":
    main()
