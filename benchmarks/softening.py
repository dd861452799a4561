"""What softening a network costs: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.softening``.

A residual network of the usual layout, with 32×32 images, beside its softened copies: inference, and a forward and
backward pass in train mode. Both take turns in every round on one thread; printed are the medians of the rounds'
ratios, with the range in which their middle half lies, and the bars. Two lines have a bar: the softened copy with its
default options. The others say what learnable β, β of each channel, other smoothings and the interception alone cost.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

import betavq
from hardtosoft.results.measured import Ratio

from .bars import Bar, judge
from .command import begin, parser, told
from .operators import line
from .resnet import ResNet
from .timing import BOTH, FORWARD, Pair, compare

BATCH, PLANES = 8, 64
SOFTENED, ORIGINAL = "softened, β = 0.9", "the original"
BARS = (Bar(SOFTENED, ORIGINAL, FORWARD, 1.3, numbers=0), Bar(SOFTENED, ORIGINAL, BOTH, 1.5, numbers=0))


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
        print(told(ratio), flush=True)
    return found


def main() -> None:
    """Measure, print and judge."""
    command = parser("What softening a network costs.", 20)
    command.add_argument("--batch", type=int, default=BATCH, help="images in a batch")
    command.add_argument("--only", default="", help="time only copies whose name holds this")
    options = begin(command)
    found = measure(options.rounds, options.only, options.batch)
    print("\nBars, with the largest ratio seen:")
    for verdict in judge(found, BARS):
        print(line(verdict))


if __name__ == "__main__":
    main()
