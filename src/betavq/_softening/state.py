"""What a softened model keeps: its sites, the β of each, and how a call finds its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

from .._numerics.kept_beta import PART, Calls, FixedBeta, along_channels, used_beta
from .._torch.calls import Bound, Call, is_numeric, why_not
from .._torch.left_alone import INDICES
from .._two_pieces.in_place import overwrite
from .callers import derived_by_hand, is_foreign
from .moments import BETA, Key, Matched, Moments
from .sites import Site
from .smoothings import CHANNEL_DIMS, Smoothing, check_positive, softened

ALL, SITE, CHANNEL = "all", "site", "channel"
LEFT_ALONE = " left alone"


class Layer(NamedTuple):
    """The one call of a layer of PyTorch, and under which names that layer keeps its arguments."""

    call: Call
    names: tuple[str, ...]


@dataclass
class Part:
    """What a module of a softened model keeps of the softening."""

    softening: Softening
    name: str
    is_site: bool
    is_eager: bool  # torch.compile would not show all its calls
    is_graph: bool = False  # of torch.fx, where no indices of a max-pooling are read
    is_quiet: bool = False  # it calls nothing that is softened: its submodules alone do
    layer: Layer | None = None  # what it calls, if it is a layer of PyTorch
    betas: tuple[str, ...] = ()


def part_of(module: nn.Module) -> Part | None:
    """What a module keeps of the softening; None if it is not softened."""
    return vars(module).get(PART)


@dataclass(eq=False)
class Frame:
    """A call of a module that is being run, with the calls that it has made so far, by kind."""

    softening: Softening
    module: str
    method: str = ""  # empty for forward
    is_site: bool = False
    is_paused: bool = False
    is_graph: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    def next(self, kind: str, *, is_softened: bool) -> Place:
        """The place that is met now."""
        if self.is_site:
            return Place(self.module, BETA)
        if not is_softened:  # what is left alone moves no number of those that are softened
            kind += LEFT_ALONE
        count = self.counts[kind] = self.counts.get(kind, 0) + 1
        caller = f"{self.module}.{self.method}()".lstrip(".") if self.method else self.module
        name = f"{caller}: {kind}"
        attribute = f"{BETA}_{self.method}_{kind}" if self.method else f"{BETA}_{kind}"
        return Place(name, attribute) if count == 1 else Place(f"{name} #{count}", f"{attribute}_{count}")

    def fate(self, call: Call, bound: Bound) -> tuple[str, str]:
        """What a call computes, and why it is left alone; empty if it is softened."""
        reason = call.reason or bound.unwanted
        if reason == INDICES and self.is_graph and bound.options:
            return call.kind.removesuffix("_with_indices"), ""
        return call.kind, reason

    def restarted(self) -> Self:
        """The same call as it is now, to be run again from here."""
        return replace(self, counts=dict(self.counts))


class Place(NamedTuple):
    """The name of a site (of a call in the model itself it begins with a colon), and of the β that it may have."""

    name: str
    attribute: str


@dataclass(eq=False)
class Met:
    """What was seen of a site when sites were looked for."""

    module: str
    attribute: str
    channels: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Knob:
    """The β of a site or of all: a parameter or buffer of one of the model's modules."""

    owner: nn.Module
    attribute: str
    fixed: FixedBeta = field(default_factory=FixedBeta)

    @property
    def tensor(self) -> Tensor:
        return getattr(self.owner, self.attribute)  # type: ignore[no-any-return]

    def value(self, x: Tensor, channel_dim: int, calls: Calls) -> float | Tensor:
        """β within [0, 1], for this input; a number where it is known, and is not learned."""
        beta = self.tensor
        number = self.fixed.number(beta, calls)
        if number is not None:
            return number
        beta = used_beta(beta)
        if beta.dim() == 0:
            return beta
        return along_channels(beta.to(x.device), x, channel_dim)

    def number(self, calls: Calls) -> float | None:
        """β as a number, where it is known, and is not learned."""
        return self.fixed.number(self.tensor, calls)


def channel_dim_of(kind: str, x: Tensor) -> int:
    """Along which dimension of an input its channels lie."""
    return CHANNEL_DIMS.get(kind, min(1, x.dim() - 1))


class Softening:
    """The softening of one model, known to each of its modules that may hold a site."""

    def __init__(self, root: nn.Module, smoothing: Smoothing, share: str, learnable: bool) -> None:
        self.root, self.smoothing, self.share, self.learnable = root, smoothing, share, learnable
        self.sites: dict[str, Site] = {}
        self.knobs: dict[str, Knob] = {}
        self.met: dict[str, Met] = {}
        self.moments = Moments()
        self.meter: Meter | None = None
        self.is_looking = False
        self.calls = Calls()
        self.unseen = ""  # what the sites found beforehand may lack

    def knob(self, name: str) -> Knob:
        """The β of a site."""
        found = self.knobs.get("" if self.share == ALL else name)
        if found is None:
            raise RuntimeError(
                f"the call {name.removeprefix(': ')!r} was not met when the model was softened, and has no β of its"
                " own: give soften() example_inputs that reach it, or share='all'"
            )
        return found

    def is_hard(self) -> bool:
        """Whether every β is fixed and 1: then nothing is intercepted."""
        if self.learnable or self.is_looking or self.meter is not None or torch.compiler.is_compiling():
            return False
        return all(knob.number(self.calls) == 1 for knob in self.knobs.values())

    def note(self, name: str, kind: str, reason: str, beta: str = "") -> None:
        """Enter a site into the report, with the key of a β of its own if it has one."""
        if name not in self.sites and not torch.compiler.is_compiling():
            beta = BETA if self.share == ALL and not reason else beta
            where = name.removeprefix(": ").replace(LEFT_ALONE, "")
            self.sites[name] = Site(where, kind, not reason, reason, beta)

    def look(self, frame: Frame, kind: str, reason: str, channels: int | None) -> None:
        """Enter a call into the report, with what its β must fit; ``channels`` is None where it is not known."""
        place = frame.next(kind, is_softened=not reason)
        self.note(place.name, kind, reason)
        if not reason:
            met = self.met.setdefault(place.name, Met(frame.module, place.attribute))
            met.channels.update(() if channels is None else (channels,))

    def meet(
        self,
        frame: Frame,
        call: Call,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        run: Callable[..., Any],
    ) -> Any:
        """Compute a call, softened where it can be."""
        bound = call.arguments(args, kwargs)
        if frame.is_paused or bound is None or not isinstance(bound.input, Tensor) or is_foreign():
            return function(*args, **kwargs)
        x = bound.input
        if call.bind is None and (not is_numeric(x) or isinstance(x, nn.Parameter)):
            return function(*args, **kwargs)
        kind, reason = frame.fate(call, bound)
        reason = reason or why_not(x) or derived_by_hand(frame, run)
        channel_dim = channel_dim_of(kind, x)
        if self.is_looking:
            self.look(frame, kind, reason, x.shape[channel_dim] if x.dim() else 1)
            return function(*args, **kwargs)
        place = frame.next(kind, is_softened=not reason)
        self.note(place.name, kind, reason)
        if reason:
            return function(*args, **kwargs)
        matched = self.moments.next((frame.module, place.attribute)) if self.moments.found else None
        beta = self.knob(place.name).value(x, channel_dim, self.calls)
        unit = Unit(x, kind, bound, beta, channel_dim, self.smoothing, matched)
        if self.meter is not None:
            y = self.meter.meet(unit, (frame.module, place.attribute), place.name, lambda: function(*args, **kwargs))
        elif not isinstance(beta, Tensor) and beta == 1:
            return function(*args, **kwargs)
        else:
            y = unit.soft()
        return (y, None) if call.reason or bound.unwanted else y  # without the indices, which nothing reads

    def at_layer(self, part: Part, module: nn.Module, x: Tensor) -> Tensor | None:
        """What a layer of PyTorch makes of its input, with no look at its call; None where that has to be seen."""
        if part.layer is None or self.is_looking or self.meter is not None or self.moments.found:
            return None
        (call, names), channel_dim = part.layer, channel_dim_of(part.layer.call.kind, x)
        bound = call.arguments((x,), {name: getattr(module, name) for name in names})
        if bound is None or bound.unwanted or why_not(x):
            return None
        beta = self.knob(part.name).value(x, channel_dim, self.calls)
        if not isinstance(beta, Tensor) and beta == 1:
            return None
        return Unit(x, call.kind, bound, beta, channel_dim, self.smoothing, None).soft()


class Unit(NamedTuple):
    """A call that is to be softened."""

    x: Tensor
    kind: str
    bound: Bound
    beta: float | Tensor
    channel_dim: int
    smoothing: Smoothing
    matched: Matched | None

    def soft(self) -> Tensor:
        """What takes the place of its output."""
        x, kind, bound, beta, _, smoothing, matched = self
        if not isinstance(beta, Tensor):
            check_positive(smoothing, beta)
        if matched is None:
            return softened(x, kind, bound.options, beta, smoothing, in_place=bound.in_place)

        def moved(x: Tensor) -> Tensor:
            y = softened(x, kind, bound.options, beta, smoothing, in_place=False)
            return matched.apply(y, beta, self.channel_dim)

        return overwrite(x, moved, beta, *bound.options) if bound.in_place else moved(x)


class Meter(Protocol):
    """What looks at the calls that are softened, while it is there, and says what they put out."""

    def meet(self, unit: Unit, key: Key, name: str, hard: Callable[[], Any]) -> Tensor: ...
