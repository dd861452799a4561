"""Operators of betavq, and what a user would pick instead of each."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import entmax
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import betavq
import betavq.functional as bF

from .bars import MAX_POOL, PRELU, PRELU_CHANNELS, SILU, SILU_COMPILED, SOFTMAX
from .timing import BOTH, FORWARD, Layer, Pair

BETA, ETA = 0.6, 1.5  # β and the η = β/(1−β) that belongs to it
CHANNELS, PIECES = 64, 16
IMAGES = (4, CHANNELS, 56, 56)
WINDOWS = ((2, 2, 0), (3, 2, 1))  # kernel, stride, padding
FORMATS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}

Named = tuple[str, Layer]

relu: Layer = partial(bF.beta_relu, beta=BETA)
soft_relu: Layer = partial(bF.beta_relu, beta=0.5)


def pairs(powers: Iterable[int], left_out: dict[str, str]) -> Iterator[Pair]:
    """Every pair at every size, forward alone and with backward; ``left_out`` says which rivals cannot take part."""
    for power in powers:
        x = torch.randn(max(1, 2 ** (power - 12)), CHANNELS, 64)
        yield from _both_ways("units", units(left_out), x, f"2^{power}")
        scores = torch.randn(2**power // PIECES, PIECES)
        yield from _both_ways("selections", selections(left_out), scores, f"2^{power}, {PIECES} pieces")
    for order, memory in FORMATS.items():
        images = torch.randn(IMAGES).contiguous(memory_format=memory)
        for kernel, stride, padding in WINDOWS:
            size = f"{order} k{kernel} s{stride} p{padding}"
            yield from _both_ways("pools", pools(kernel, stride, padding, left_out), images, size)


def _both_ways(group: str, table: Iterable[tuple[Named, Named]], x: Tensor, size: str) -> Iterator[Pair]:
    for (operator, layer), (rival, other) in table:
        for passes in (FORWARD, BOTH):
            yield Pair(group, operator, rival, layer, other, x, size, passes)


def units(left_out: dict[str, str]) -> list[tuple[Named, Named]]:
    """The units of two pieces, element by element."""
    shared, by_channel = _learnable(), _learnable(CHANNELS)
    table: list[tuple[Named, Named]] = [
        (("beta_relu", relu), (SILU, F.silu)),
        (("beta_relu at ½", soft_relu), (SILU, F.silu)),
        (("beta_relu", relu), ("F.relu", F.relu)),
        (("beta_relu", relu), ("F.gelu", F.gelu)),
        (("beta_relu", relu), ("x * sigmoid(b * x)", lambda x: x * torch.sigmoid(ETA * x))),
        # The same numbers where nothing is infinite and nothing overflows: what the care for the rest costs.
        (("beta_relu", relu), ("its bare kernel", lambda x: torch.ops.aten.softplus_backward(x, x, ETA, 20.0))),
        (("beta_relu at 1", partial(bF.beta_relu, beta=1.0)), ("F.relu", F.relu)),
        (("beta_leaky_relu", partial(bF.beta_leaky_relu, beta=BETA)), ("F.leaky_relu", F.leaky_relu)),
        (("beta_leaky_relu", partial(bF.beta_leaky_relu, beta=BETA)), (SILU, F.silu)),
        (("beta_abs", partial(bF.beta_abs, beta=BETA)), ("x * tanh(b * x)", lambda x: x * torch.tanh(ETA * x))),
        (("BetaReLU", betavq.nn.BetaReLU(BETA)), (SILU, F.silu)),
        (("BetaReLU, learnable", shared), (PRELU, nn.PReLU())),
        (("BetaReLU, learnable", shared), ("x * sigmoid(b * x), learnable b", _LearnableSwish())),
        (("BetaReLU, 64 learnable", by_channel), (PRELU_CHANNELS, nn.PReLU(CHANNELS))),
    ]
    if "torch.compile" not in left_out:
        fixed = partial(torch.compile, dynamic=False)
        table += [
            (("compiled beta_relu", fixed(relu)), (SILU_COMPILED, fixed(F.silu))),
            (("compiled BetaReLU, learnable", fixed(_learnable())), ("compiled nn.PReLU()", fixed(nn.PReLU()))),
        ]
    if "softtorch" not in left_out:
        soft = _softtorch()
        table.append((("beta_relu", relu), ("softtorch.relu", partial(soft.relu, softness=1 / ETA, gated=True))))
    return table


def selections(left_out: dict[str, str]) -> list[tuple[Named, Named]]:
    """Codes and values of scores ``(N, R)``, the pieces last."""
    code, value = partial(betavq.code, beta=BETA), partial(betavq.value, beta=BETA)
    maxout = partial(bF.beta_maxout, beta=BETA)
    table: list[tuple[Named, Named]] = [
        (("code", code), (SOFTMAX, lambda z: torch.softmax(ETA * z, -1))),
        (("code", code), ("entmax.sparsemax", lambda z: entmax.sparsemax(ETA * z))),
        (("code", code), ("entmax.entmax15", lambda z: entmax.entmax15(ETA * z))),
        (("value", value), ("(softmax(b * z) * z).sum", lambda z: (torch.softmax(ETA * z, -1) * z).sum(-1))),
        (("value", value), ("(sparsemax(b * z) * z).sum", lambda z: (entmax.sparsemax(ETA * z) * z).sum(-1))),
        (
            ("free_energy", partial(betavq.free_energy, beta=BETA)),
            ("logsumexp(b * z) / b", lambda z: torch.logsumexp(ETA * z, -1) / ETA),
        ),
        (("beta_maxout", maxout), ("torch.amax", lambda z: z.amax(-1))),
    ]
    if "softtorch" not in left_out:
        softened = partial(_softtorch().max, dim=-1, softness=1 / ETA, standardize=False)
        table.append((("value", value), ("softtorch.max", lambda z: softened(z).values)))
    return table


def pools(kernel: int, stride: int, padding: int, left_out: dict[str, str]) -> list[tuple[Named, Named]]:
    """Pooling of images."""
    windows = {"kernel_size": kernel, "stride": stride, "padding": padding}
    ours: Named = ("beta_max_pool2d", partial(bF.beta_max_pool2d, **windows, beta=BETA))
    table: list[tuple[Named, Named]] = [
        (ours, (MAX_POOL, partial(F.max_pool2d, **windows))),
        (ours, ("unfold + softmax", partial(unfold_and_softmax, **windows))),
    ]
    if "torch.compile" not in left_out:
        table.append((("compiled beta_max_pool2d", torch.compile(ours[1], dynamic=False)), ours))
    return table


def unfold_and_softmax(x: Tensor, kernel_size: int, stride: int, padding: int) -> Tensor:
    """Soft pooling as one would write it."""
    count, channels, height, _ = x.shape
    padded = F.pad(x, (padding,) * 4, value=-1e9)
    windows = F.unfold(padded, kernel_size, stride=stride).view(count, channels, kernel_size**2, -1)
    side = (height + 2 * padding - kernel_size) // stride + 1
    return (torch.softmax(ETA * windows, 2) * windows).sum(2).view(count, channels, side, -1)


class _LearnableSwish(nn.Module):
    """Swish as one would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.b = nn.Parameter(torch.tensor(ETA))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.b * x)


def _learnable(channels: int | None = None) -> nn.Module:
    return betavq.nn.BetaReLU(BETA, learnable=True, num_channels=channels)


def _softtorch() -> Any:
    return importlib.import_module("softtorch")


def unavailable(*, compiled: bool) -> dict[str, str]:
    """Rivals that are not timed here, each with the reason in a few words; ``compiled`` asks for torch.compile."""
    reasons = {} if compiled else {"torch.compile": "was not asked for"}
    try:
        if compiled:
            torch.compile(lambda x: x.sin() + 1)(torch.ones(2))
    except Exception as error:  # whatever keeps a compiler from working
        reasons["torch.compile"] = f"does not work here ({type(error).__name__}); it needs a C++ compiler"
    if importlib.util.find_spec("softtorch") is None:
        least, here = (3, 12), ".".join(map(str, sys.version_info[:2]))
        too_old = sys.version_info < least
        reasons["softtorch"] = f"needs Python 3.12, this is {here}" if too_old else "is not installed"
    return reasons


def versions() -> dict[str, str]:
    """Of what took part."""
    found = {"betavq": betavq.__version__, "torch": torch.__version__}
    for name in ("entmax", "softtorch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
