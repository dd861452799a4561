"""What softening a network costs: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.softening``.

A residual network of the usual layout, with 32×32 images, beside its softened copies: inference, and a forward and
backward pass in train mode. Both take turns in every round on one thread; printed are the medians of the rounds'
ratios, with the range in which their middle half lies, and the bars. Two lines have a bar: the softened copy with its
default options. The others say what learnable β, β of each channel, other smoothings and the interception alone cost.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

import betavq
from hardtosoft.results.measured import Ratio

from .bars import Bar, judge
from .operators import line
from .timing import BOTH, FORWARD, Pair, compare

BATCH, PLANES = 8, 64
SOFTENED, ORIGINAL = "softened, β = 0.9", "the original"
BARS = (Bar(SOFTENED, ORIGINAL, FORWARD, 1.3, numbers=0), Bar(SOFTENED, ORIGINAL, BOTH, 1.5, numbers=0))


class Block(nn.Module):
    """Two convolutions and a shortcut, with one ReLU for both places."""

    def __init__(self, inputs: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 3, stride, 1, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(planes), nn.ReLU(inplace=True)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False), nn.BatchNorm2d(planes)
        self.downsample = None
        if stride > 1 or inputs != planes:
            shortcut = nn.Conv2d(inputs, planes, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(planes))

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    """Eighteen layers for small images: a stem with a max-pooling, four stages of two blocks, a linear layer."""

    def __init__(self, planes: int = PLANES) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, planes, 3, 1, 1, bias=False), nn.BatchNorm2d(planes)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        stages = [
            (planes, planes, 1),
            (planes, 2 * planes, 2),
            (2 * planes, 4 * planes, 2),
            (4 * planes, 8 * planes, 2),
        ]
        blocks = [Block(*stage) for first in stages for stage in (first, (first[1], first[1], 1))]
        self.layers, self.avgpool = nn.Sequential(*blocks), nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * planes, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(self.avgpool(self.layers(x)), 1))


def pairs(net: nn.Module, x: Tensor) -> Iterator[Pair]:
    """The softened copies beside the original, in eval mode forward and in train mode both ways."""
    copies = {
        SOFTENED: betavq.soften(net, 0.9),
        "softened, learnable β": betavq.soften(net, 0.9, learnable=True),
        "softened, learnable β of channels": betavq.soften(
            net, 0.9, learnable=True, share="channel", example_inputs=x
        ),
        "softened, Curvature Tuning's unit": betavq.soften(net, 0.9, smoothing="curvature_tuning"),
        "softened, free energy": betavq.soften(net, 0.9, smoothing="free_energy"),
        "softened, β = 1": betavq.soften(net, 1.0),
    }
    for name, soft in copies.items():
        for passes in (FORWARD, BOTH):
            models = [copy.deepcopy(model).train(passes == BOTH) for model in (soft, net)]
            size = "×".join(map(str, x.shape))
            yield Pair("softening", name, ORIGINAL, *models, x, size, passes)


def measure(rounds: int, only: str = "", batch: int = BATCH, planes: int = PLANES) -> list[Ratio]:
    """Time all pairs, and print each as it is done."""
    torch.manual_seed(0)
    found = []
    for pair in pairs(ResNet(planes), torch.randn(batch, 3, 32, 32)):
        if only not in pair.operator:
            continue
        ratio = compare(pair, rounds)
        found.append(ratio)
        spread = f"{ratio.median:5.2f} ({ratio.low:.2f}–{ratio.high:.2f})"
        print(
            f"{ratio.operator:36} ÷ {ratio.rival}  {ratio.passes:17}{spread} {ratio.milliseconds:9.1f} ms", flush=True
        )
    return found


def main() -> None:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description="What softening a network costs.")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of which the median counts")
    parser.add_argument("--batch", type=int, default=BATCH, help="images in a batch")
    parser.add_argument("--only", default="", help="time only copies whose name holds this")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(options.rounds, options.only, options.batch)
    print("\nBars, with the largest ratio seen:")
    for verdict in judge(found, BARS):
        print(line(verdict))


if __name__ == "__main__":
    main()
