"""Models drawn at random, as source code, each beside the same model written by hand with the units of betavq."""

from __future__ import annotations

import abc
import functools
import random
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import betavq.functional as bF

SLOPE, CHANNELS = 0.3, 3
# Each kind of unit: by hand; as expressions of h; and as layers. Those marked by a star overwrite what they are given.
UNITS = {
    "relu": (
        "bF.beta_relu({h}, beta=beta)",
        "F.relu({h})|torch.relu({h})|{h}.relu()|aten.relu.default({h})|nn.ReLU()({h})|F.relu(input={h})|*F.relu_({h})"
        "|*{h}.relu_()|*F.relu({h}, inplace=True)|*nn.ReLU(inplace=True)({h})",
        "nn.ReLU()|functools.partial(F.relu)|*nn.ReLU(inplace=True)",
    ),
    "leaky_relu": (
        "bF.beta_leaky_relu({h}, SLOPE, beta=beta)",
        "F.leaky_relu({h}, SLOPE)|aten.leaky_relu.default({h}, SLOPE)|nn.LeakyReLU(SLOPE)({h})"
        "|*F.leaky_relu_({h}, SLOPE)|F.leaky_relu({h}, negative_slope=SLOPE)",
        "nn.LeakyReLU(SLOPE)|*nn.LeakyReLU(SLOPE, inplace=True)",
    ),
    "prelu": (
        "bF.beta_leaky_relu({h}, net.slopes.view(-1, 1, 1), beta=beta)",
        "F.prelu({h}, self.slopes)|torch.prelu({h}, self.slopes)|{h}.prelu(self.slopes)",
        "",
    ),
    "abs": (
        "bF.beta_abs({h}, beta=beta)",
        "{h}.abs()|torch.abs({h})|abs({h})|torch.absolute({h})|*{h}.abs_()",
        "functools.partial(torch.abs)",
    ),
    "max_pool2d": (
        "bF.beta_max_pool2d({h}, 3, 1, 1, beta=beta)",
        "F.max_pool2d({h}, 3, 1, 1)|torch.max_pool2d({h}, 3, 1, 1)|nn.MaxPool2d(3, 1, padding=1)({h})",
        "nn.MaxPool2d(3, 1, 1)",
    ),
    "max_pool1d": (
        "bF.beta_max_pool1d({h}.flatten(2), 3, 1, 1, beta=beta).view_as({h})",
        "F.max_pool1d({h}.flatten(2), 3, 1, 1).view_as({h})|nn.MaxPool1d(3, 1, 1)({h}.flatten(2)).view_as({h})",
        "",
    ),
}
BASES = ("nn.Module", "abc.ABC, nn.Module", "nn.Module, Generic[T]", "Generic[T], nn.Module", "nn.Module, Runs")
T = TypeVar("T")


class Runs(Protocol):
    """What a model may say that it is."""

    def forward(self, h: Tensor) -> Tensor: ...


class Drawn(NamedTuple):
    """A model, the function that is the same by hand, how many sites it has, and its source."""

    model: nn.Module
    by_hand: Any
    sites: int
    source: str


class _Block:
    """One class that is being written, and its function by hand."""

    def __init__(self, draw: random.Random, depth: int, names: list[str], *, is_traced: bool) -> None:
        self.draw, self.depth, self.names, self.is_traced = draw, depth, names, is_traced
        self.name = f"Block{len(names)}"
        names.append(self.name)
        self.kept, self.lines, self.hand = [], [], []
        self.methods, self.before, self.sites, self.count = [], [], 0, 0

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def unit(self, h: str, *, repeats: int = 1, only_calls: bool = False) -> tuple[str, str]:
        """An expression that softens, and by hand; a call counts once for each time it is made."""
        kind = self.draw.choice(list(UNITS))
        hand, calls, layers = UNITS[kind]
        as_layer = layers and not only_calls and self.draw.random() < 0.4
        form = self.draw.choice((layers if as_layer else calls).split("|"))
        while self.is_traced and form.lstrip("*").startswith("nn.") and not as_layer:  # torch.fx refuses these
            form = self.draw.choice(calls.split("|"))
        overwrites, form = form.startswith("*"), form.lstrip("*")
        given = f"({h} * 1.0)" if overwrites else h
        if not as_layer:
            self.sites += repeats
            return form.format(h=given), hand.format(h=h)
        name = self.fresh("layer")
        self.kept.append(f"self.{name} = {form}")
        self.sites += repeats if form.startswith("functools") else 1
        return f"self.{name}({given})", hand.format(h=h)

    def conv(self, h: str) -> str:
        name = self.fresh("conv")
        self.kept.append(f"self.{name} = nn.Conv2d(CHANNELS, CHANNELS, 1)")
        return f"{{self}}.{name}({h})"

    def step(self) -> None:
        """One more piece of the forward method, from h to h."""
        kinds = ["unit", "unit", "residual", "loop", "shared", "sequence"]
        if not self.is_traced:
            kinds += ["closure", "method", "branch"]
        if self.depth:
            kinds += ["block", "graph", *(["checkpoint"] if not self.is_traced else [])]
        getattr(self, f"_{self.draw.choice(kinds)}")()

    def add(self, line: str, hand: str) -> None:
        self.lines.append(line.replace("{self}", "self"))
        self.hand.append(hand.replace("{self}", "net"))

    def _unit(self) -> None:
        one, hand = self.unit("g")
        conv = self.conv("h")
        self.add(f"g = {conv}; h = {one}", f"g = {conv}; h = {hand}")

    def _residual(self) -> None:
        one, hand = self.unit("h")
        self.add(f"h = h + {one} * 0.5", f"h = h + {hand} * 0.5")

    def _loop(self) -> None:
        times = self.draw.randint(2, 3)
        one, hand = self.unit("g", repeats=times)
        conv = self.conv("h")
        head = f"for _ in range({times}): "
        self.add(f"{head}g = {conv}; h = {one}", f"{head}g = {conv}; h = {hand}")

    def _shared(self) -> None:
        name = self.fresh("shared")
        self.kept.append(f"self.{name} = nn.ReLU()")
        self.sites += 1
        hand = "bF.beta_relu"
        self.add(
            f"h = self.{name}(h) - self.{name}(h - 0.5)", f"h = {hand}(h, beta=beta) - {hand}(h - 0.5, beta=beta)"
        )

    def _sequence(self) -> None:
        name = self.fresh("sequence")
        conv = "nn.Conv2d(CHANNELS, CHANNELS, 1)"
        self.kept.append(f"self.{name} = nn.Sequential({conv}, nn.ReLU(inplace=True), nn.LeakyReLU(SLOPE))")
        self.sites += 2
        hand = f"bF.beta_leaky_relu(bF.beta_relu(getattr(net.{name}, '0')(h), beta=beta), SLOPE, beta=beta)"
        self.add(f"h = self.{name}(h)", f"h = {hand}")

    def _kind_of_checkpoint(self) -> str:
        return f"use_reentrant={self.draw.random() < 0.5}"

    def _closure(self) -> None:
        one, hand = self.unit("g")
        other, other_hand = self.unit("e")
        conv = self.conv("h")
        how = self.draw.choice(
            ["def f(h):\n    g = {c}; e = {a}; return {b}", "def f(h):\n    g = {c}\n    e = {a}\n    return {b}"]
        )
        body = how.format(c=conv, a=one, b=other)
        self.add(
            f"{body}\nh = checkpoint(f, h, {self._kind_of_checkpoint()})",
            f"g = {conv}; e = {hand}; h = {other_hand}",
        )

    def _method(self) -> None:
        name = self.draw.choice(["run", "_run"]) + self.fresh("")
        one, hand = self.unit("g")
        conv = self.conv("h")
        self.methods.append(f"def {name}(self, h):\n    g = {conv}; return {one}".replace("{self}", "self"))
        call = self.draw.choice([f"checkpoint(self.{name}, h, {self._kind_of_checkpoint()})", f"self.{name}(h)"])
        self.add(f"h = {call}", f"g = {conv}; h = {hand}")

    def _branch(self) -> None:
        one, hand = self.unit("h")
        self.add(f"if h.detach().mean() > -1e9: h = {one}", f"h = {hand}")

    def _inner(self, *, is_traced: bool) -> tuple[str, str]:
        inner = _Block(self.draw, self.depth - 1, self.names, is_traced=is_traced)
        name = self.fresh("block")
        own = inner.write()
        self.before += [*inner.before, own]
        self.sites += inner.sites
        made = f"{inner.name}()"
        self.kept.append(f"self.{name} = torch.fx.symbolic_trace({made})" if is_traced else f"self.{name} = {made}")
        return name, f"h = by_hand_{inner.name}(net.{name}, h, beta)"

    def _block(self) -> None:
        name, hand = self._inner(is_traced=self.is_traced)
        self.add(f"h = self.{name}(h)", hand)
        if not self.is_traced and self.draw.random() < 0.3:  # it is used again
            self.add(f"h = self.{name}(h)", hand)

    def _graph(self) -> None:
        if self.is_traced:
            return self._block()
        name, hand = self._inner(is_traced=True)
        self.add(f"h = self.{name}(h)", hand)
        return None

    def _checkpoint(self) -> None:
        name, hand = self._inner(is_traced=False)
        self.add(f"h = checkpoint(self.{name}, h, {self._kind_of_checkpoint()})", hand)

    def write(self) -> str:
        for _ in range(self.draw.randint(1, 3)):
            self.step()

        def block(lines: list[str], indent: int) -> str:
            return "\n".join(" " * indent + part for line in lines for part in line.split("\n"))

        base = "nn.Module" if self.is_traced else self.draw.choice(BASES)
        kept = ["super().__init__()", "self.slopes = nn.Parameter(torch.linspace(-0.4, 0.6, CHANNELS))", *self.kept]
        return (
            f"class {self.name}({base}):\n    def __init__(self):\n{block(kept, 8)}\n"
            f"    def forward(self, h):\n{block([*self.lines, 'return h'], 8)}\n{block(self.methods, 4)}\n"
            f"def by_hand_{self.name}(net, h, beta):\n{block([*self.hand, 'return h'], 4)}\n"
        )


def drawn(seed: int) -> Drawn:
    """The model of a seed, in double precision."""
    top = _Block(random.Random(seed), 2, [], is_traced=False)
    own = top.write()
    source = "\n".join([*top.before, own])
    named: dict[str, Any] = {**globals(), "aten": torch.ops.aten, "__name__": "a_model_of_someone"}
    exec(source, named)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = named[top.name]().double()
    return Drawn(model, named[f"by_hand_{top.name}"], top.sites, source)


__all__ = ["F", "Generic", "abc", "bF", "checkpoint", "drawn", "functools"]  # for the source, too
