"""What the operators are held to: the one place where the limits stand, and how a run is judged by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hardtosoft.results.measured import Ratio, Verdict

from .timing import BOTH, FORWARD

SILU, SILU_COMPILED, MAX_POOL = "F.silu", "compiled F.silu", "F.max_pool2d"
PRELU, PRELU_CHANNELS = "nn.PReLU()", "nn.PReLU(64)"
SOFTMAX, POOL = "torch.softmax", "beta_max_pool2d"
INPUT = "the input"


@dataclass(frozen=True)
class Bar:
    """A limit on the median ratio of an operator to its rival, and a lower one that would be fine to reach.

    It holds for every measured input of at least ``numbers`` numbers whose ``size`` begins as stated.
    """

    operator: str
    rival: str
    passes: str
    limit: float
    stretch: float | None = None
    size: str = ""
    numbers: int = 2**16


SPEED = (
    Bar("beta_relu", SILU, FORWARD, 1.45, 1.1),
    Bar("beta_relu", SILU, BOTH, 1.8, 1.2),
    Bar("beta_relu at ½", SILU, FORWARD, 1.4, 1.1),
    Bar("beta_relu at ½", SILU, BOTH, 1.8, 1.2),
    Bar("compiled beta_relu", SILU_COMPILED, BOTH, 1.2, 1.0, numbers=2**20),
    Bar("BetaReLU, learnable", PRELU, BOTH, 1.0, 0.6),
    Bar("BetaReLU, 64 learnable", PRELU_CHANNELS, BOTH, 1.0, 0.6),
    Bar("code", SOFTMAX, FORWARD, 3.5),
    Bar("code", SOFTMAX, BOTH, 2.0),
    Bar("compiled beta_max_pool2d", POOL, FORWARD, 2.0, 1.2),
    Bar("beta_max_pool2d", MAX_POOL, BOTH, 2.5, 1.5, "NCHW k2"),
    Bar("beta_max_pool2d", MAX_POOL, BOTH, 4.0, 2.5, "NCHW k3"),
    Bar("beta_max_pool2d", MAX_POOL, BOTH, 5.0, 2.0, "NHWC k2"),
    Bar("beta_max_pool2d", MAX_POOL, BOTH, 7.0, 3.0, "NHWC k3"),
)
#: What is saved for the backward pass, in units of the input; a β and the like are smaller than a thousandth of it.
UNIT_MEMORY, POOL_MEMORY = 1.001, 2.0


def judge(found: Iterable[Ratio], bars: Iterable[Bar] = SPEED) -> list[Verdict]:
    """Every bar with the worst median to which it applies."""
    ratios = list(found)
    verdicts = []
    for bar in bars:
        seen = [
            ratio
            for ratio in ratios
            if (ratio.operator, ratio.rival, ratio.passes) == (bar.operator, bar.rival, bar.passes)
            and ratio.numbers >= bar.numbers
            and ratio.size.startswith(bar.size)
        ]
        worst = max(seen, key=lambda ratio: ratio.median, default=None)
        size = worst.size if worst else bar.size
        covers = tuple(ratio.size for ratio in seen)
        verdicts.append(_verdict(bar, size, covers, worst.median if worst else None))
    return verdicts


def judge_memory(name: str, size: str, seen: float, limit: float) -> Verdict:
    """The same for what an operator saves."""
    return _verdict(Bar(name, INPUT, "saved for backward", limit), size, (size,), seen)


def _verdict(bar: Bar, size: str, covers: tuple[str, ...], seen: float | None) -> Verdict:
    met = None if seen is None else seen <= bar.limit
    return Verdict(bar.operator, bar.rival, bar.passes, size, covers, bar.limit, bar.stretch, seen, met)
