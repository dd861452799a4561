"""Axes: what a reader may move in a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isfinite, nan
from random import Random
from typing import Any, Literal, cast

from .numbers import short

Value = float | str


@dataclass(frozen=True)
class Handle:
    """A ring in a panel that moves a slider when it is dragged.

    Attributes:
        panel: the panel it stands in.
        along: which of the panel's own axes holds the slider's value, ``"x"`` or ``"y"``.
        beside: where it stands along the other one: at the first point of the trace of this name, or at a number.
        above: for a slider that is the slope of a line: the slider of the line's height at 0.
    """

    panel: int
    along: Literal["x", "y"]
    beside: str | float
    above: str = ""


@dataclass(frozen=True)
class Axis:
    """One parameter of a figure function, and how a reader moves it.

    Attributes:
        name: the figure function's parameter; it also names the axis in links (``#figure-id.beta=0.5``).
        label: what stands beside the slider.
        values: every value the slider can take in a page, in order; the page holds a state for each
            of them together with each of the other axes'.
        start: the value shown first; it should tell the story without a click.
        named: values with a name, drawn as buttons under the slider (``{0.0: "linear", 1.0: "hard"}``).
        say: a value in words, for the display beside the slider and for screen readers.
        plays: whether a button beside the slider sweeps it, for figures whose argument is the motion.
        handle: where in a panel a reader can drag it, too.

    Raises:
        ValueError: values empty or repeated; ``start``, or a named value that is not among the values.
    """

    name: str
    label: str
    values: tuple[Value, ...]
    start: Value
    named: Mapping[Value, str] = field(default_factory=dict)
    say: Callable[[Value], str] = str
    plays: bool = False
    handle: Handle | None = None

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) != len(self.values):
            raise ValueError(f"axis {self.name!r}: values must be distinct and at least one, got {self.values}")
        for role, wanted in (("start", (self.start,)), ("named", tuple(self.named))):
            strangers = [value for value in wanted if value not in self.values]
            if strangers:
                raise ValueError(f"axis {self.name!r}: {role} must be among the values, got {strangers}")

    @property
    def is_choice(self) -> bool:
        """Whether the values are names to choose from rather than numbers to slide over."""
        return isinstance(self.values[0], str)

    @property
    def panel(self) -> int | None:
        """The panel that its handle stands in, if it has one."""
        return self.handle.panel if self.handle else None

    @property
    def settings(self) -> dict[str, Any]:
        """What the figures' script needs to know of it."""
        return {
            "name": self.name,
            "values": self.values,
            "words": [self.words(value) for value in self.values],
            "start": self.values.index(self.start),
            **({"handle": asdict(self.handle)} if self.handle else {}),
        }

    def check(self, value: object) -> Value:
        """``value`` as this axis takes it: an option as it is, a finite number (of torch or numpy too) as a float.

        Raises:
            ValueError: another option than the axis offers, or no finite number.
        """
        if self.is_choice:
            check_option(self.name, value, self.values)
            return str(value)
        try:
            number = nan if isinstance(value, str | bytes) else float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, RuntimeError):
            number = nan
        if not isfinite(number):
            raise ValueError(f"{self.name} must be a finite number, got {value!r}")
        return number

    @property
    def notable(self) -> list[Value]:
        """Where a figure function may answer in another way than nearby: at its start, its ends and its stops."""
        return list(dict.fromkeys([self.start, *self.named, self.values[0], self.values[-1]]))

    def drawn(self, chance: Random) -> Value:
        """A value drawn at random: one of the options, or any number from end to end."""
        if self.is_choice:
            return chance.choice(self.values)
        place = chance.random() * (len(self.values) - 1)
        low, high = (float(value) for value in self.values[int(place) : int(place) + 2])
        return low + (high - low) * (place % 1)

    def words(self, value: Value) -> str:
        """The value as it is shown and read aloud: ``β = 0.50, soft``."""
        name = self.named.get(value)
        return self.say(value) if name is None or self.is_choice else f"{self.say(value)}, {name}"


def check_option(name: str, option: object, options: Iterable[Value]) -> None:
    """Refuse what is not on offer.

    Raises:
        ValueError: it is not among the options.
    """
    offered = list(options)
    if option not in offered:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, offered))}, got {option!r}")


def sliding(
    name: str,
    label: str,
    low: float,
    high: float,
    step: float,
    *,
    start: float,
    named: Mapping[Value, str] | None = None,
    say: Callable[[Value], str] | None = None,
    handle: Handle | None = None,
) -> Axis:
    """An axis of evenly spaced numbers from ``low`` to ``high`` inclusive.

    Raises:
        ValueError: ``step`` does not divide the range.
    """
    count = round((high - low) / step)
    if count < 1 or abs(low + count * step - high) > 1e-9 * max(1.0, abs(high)):
        raise ValueError(f"axis {name!r}: step must divide {high} - {low}, got {step}")
    # Adding 0 makes 0 of −0, which would be shown with its sign.
    values = tuple(round(low + index * (high - low) / count, 10) + 0.0 for index in range(count + 1))
    return Axis(
        name,
        label,
        values,
        start,
        named or {},
        say or (lambda value: f"{label} = {short(value)}"),
        handle=handle,
    )


def choice(name: str, label: str, options: tuple[str, ...], *, start: str) -> Axis:
    """An axis of named options, shown as a row of buttons."""
    return Axis(name, label, options, start, {option: option for option in options})


def beta_axis(step: float = 0.01, *, low: float = 0.0, start: float = 0.5, plays: bool = False) -> Axis:
    """The book's own slider: β from 0 (linear), or from ``low``, over ½ (soft) to 1 (hard)."""
    named: dict[Value, str] = {low: "softer" if low else "linear", 0.5: "soft", 1.0: "hard"}
    label = "β, how hard units select"
    return replace(sliding("beta", label, low, 1.0, step, start=start, named=named, say=_say_beta), plays=plays)


def _say_beta(value: Value) -> str:
    """Two digits, and a third where it is not 0."""
    beta = cast(float, value)
    return f"β = {beta:.2f}" if (1000 * beta + 0.5) % 10 < 1 else f"β = {beta:.3f}"
