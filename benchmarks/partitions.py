"""How fast exact partitions are: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.partitions``.

Linear regions a second on one thread, of fully connected ReLU networks with PyTorch's random weights on boxes of
several sizes, which take turns; and of a convolutional network with max-pooling on a slice through images. Printed are
the best and the median rate by the clock, and the median by the time that the processor spent. That of the processor
decides: on one thread it is the clock's of a machine that does nothing else. The second bar compares a small box with
one of at least ten times the regions, round by round.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from betavq.geometry import partition

from .command import begin, parser, verdict
from .timing import Time, turns

BAR, STRETCH = 20_000, 50_000
GROWTH_BAR = 0.5


@dataclass
class Case:
    """A network on a box from −half to half, and what was measured."""

    name: str
    model: nn.Module
    half: float
    plane: Tensor | None = None
    regions: int = 0
    times: list[Time] = field(default_factory=list)

    def measure(self) -> None:
        """Find the regions once more."""
        h = self.half
        self.regions = len(partition(self.model, [[-h, -h], [h, -h], [h, h], [-h, h]], plane=self.plane))

    def rates(self, *, processor: bool) -> list[float]:
        """Regions a second in each round, of the processor or by the clock."""
        return [self.regions / (time.processor if processor else time.seconds) for time in self.times]

    def line(self) -> str:
        """Name, regions and rates."""
        clock, spent = (self.rates(processor=processor) for processor in (False, True))
        numbers = f"{max(clock):14,.0f}{statistics.median(clock):12,.0f}{statistics.median(spent):16,.0f}"
        return f"{self.name:34}{self.regions:9,}{numbers}"


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
    options = begin(parser("How fast exact partitions are.", 15))
    net = network(64, 64, 64)
    small, middle, large = (Case(f"3 × 64 on [−{half:g}, {half:g}]²", net, half) for half in (0.25, 1.0, 30.0))
    wide = Case("3 × 128 on [−3, 3]²", network(128, 128, 128), 3.0)
    torch.manual_seed(1)
    slice_ = Case("convolutions, slice of images", images(), 1.0, torch.randn(3, 1, 8, 8))
    cases = (small, middle, large, wide, slice_)
    times = turns({case.name: case.measure for case in cases}, options.rounds)
    for case in cases:
        case.times = times[case.name]
    print(f"{'regions a second':34}{'regions':>9}{'best':>14}{'median':>12}{'processor':>16}")
    for case in cases:
        print(case.line())
    rate = statistics.median(middle.rates(processor=True))
    growth = zip(large.rates(processor=True), small.rates(processor=True), strict=True)
    ratio = statistics.median(of_large / of_small for of_large, of_small in growth)
    print(f"{middle.name}: {rate:,.0f}, the bar is {BAR:,} ({verdict(rate >= BAR)}), {STRETCH:,} would be fine")
    print(
        f"{large.regions / small.regions:.1f} times the regions: {ratio:.2f} times the rate, "
        f"the bar is {GROWTH_BAR} ({verdict(ratio >= GROWTH_BAR)})"
    )


if __name__ == "__main__":
    main()
