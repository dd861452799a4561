"""The paths that a function takes through its own questions, each recorded once.

A function that asks (is β 1? how many cells are left?) is recorded for every set of answers. States are sampled to
find them all; a page that meets answers of no path takes the one that most of them fit.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ..axes import Axis
from ..frames import plain
from ..packing import Path
from ..states import State, refuse_moving_layout
from ..vectors import Vector
from .graph import Graph
from .recorder import FACTORIES, PLACES, Guard, Recorder, TraceError, stacked, traced, unbound

MOST_PATHS = 16
_STOPS, _ALONE, _BETWEEN = 50, 250, 250
_Words = Callable[..., dict[Path, Any]]


@dataclass(frozen=True)
class Way:
    """One path through a function: the choices and answers on it, and what each leaf of its result is then.

    A leaf is a node's number, a list of texts and of numbers with their formats, or ``{"is": anything else}``.
    """

    choices: State
    guards: tuple[Guard, ...]
    leaves: dict[Path, Any]


def ways(graph: Graph, function: _Words, axes: Sequence[Axis | Vector], states: Sequence[State]) -> list[Way]:
    """Every path through a function of the axes, with what changes from state to state."""
    found: dict[Any, tuple[State, Recorder, dict[Path, Any]]] = {}
    again = set()
    for state in states:
        own = {axis.name: state[axis.name] for axis in axes}
        if (answers := _answers(function, own)) not in found:
            found[answers] = (own, *_recorded(graph, function, own))
        elif answers not in again:
            again.add(answers)
            _check_alike(found[answers][2], _recorded(graph, function, own)[1], own)
    recorders = [recorder for _, recorder, _ in found.values()]
    asked = [dict.fromkeys(recorder.guards) for recorder in recorders]
    same = set(asked[0]).intersection(*asked)  # checks that passed in all of them
    choices = [{axis.name: state[axis.name] for axis in axes if axis.is_choice} for state, _, _ in found.values()]
    results = [result for _, _, result in found.values()]
    if len({frozenset(result) for result in results}) > 1:
        odd = [str(path) for result in results for path in result.keys() ^ results[0].keys()]
        raise ValueError(f"every state must have the same traces and settings; some lack {odd[0]}")
    moving = [path for path in results[0] if _moves([result[path] for result in results])]
    refuse_moving_layout(moving)
    alike: dict[str, Way] = {}
    for chosen, guarded, result in zip(choices, asked, results, strict=True):
        guards = tuple(guard for guard in guarded if guard not in same)
        way = Way(chosen, guards, {path: _leaf(graph, result[path]) for path in moving})
        alike.setdefault(repr(way), way)
    if len(alike) > MOST_PATHS:
        raise ValueError(
            f"a traced figure must have at most {MOST_PATHS} paths, got {len(alike)}: ask fewer questions"
        )
    return list(alike.values())


def _check_alike(known: dict[Path, Any], other: dict[Path, Any], state: State) -> None:
    """Two records with the same answers must be equal, or a number of a state has got into one as a constant.

    Raises:
        TraceError: they differ.
    """
    odd = [path for path, value in known.items() if _content(value) != _content(other.get(path))]
    if odd:
        raise TraceError(f"{'/'.join(map(str, odd[0]))} holds numbers of the state {state} that left them unseen")


def samples(axes: Sequence[Axis | Vector]) -> list[State]:
    """States at which a function is asked for its answers.

    The start; stops together; each axis over all its values while the others sit at stops; others between, half of
    them with an axis close to one of its stops, where answers change.
    """
    chance = random.Random(0)
    start = {axis.name: axis.start for axis in axes}
    stops = {axis.name: axis.notable for axis in axes}
    together = [dict(zip(start, values, strict=True)) for values in itertools.product(*stops.values())]
    alone = [
        dict(zip(start, values, strict=True))
        for moving in axes
        for values in itertools.product(*(axis.values if axis is moving else axis.notable for axis in axes))
    ]
    between = [{axis.name: axis.drawn(chance) for axis in axes} for _ in range(_BETWEEN)]
    for state, axis in zip(between[::2], itertools.cycle(axes), strict=False):
        if isinstance(axis, Axis) and not axis.is_choice:
            low, high = sorted((float(axis.values[0]), float(axis.values[-1])))
            away = (high - low) * chance.choice((-1, 1)) * 10 ** chance.uniform(-4, -1)
            state[axis.name] = min(max(float(chance.choice(axis.notable)) + away, low), high)
    kept = [chance.sample(found, min(len(found), most)) for found, most in ((together, _STOPS), (alone, _ALONE))]
    return [start, *kept[0], *kept[1], *between]


def _recorded(graph: Graph, function: _Words, state: State) -> tuple[Recorder, dict[Path, Any]]:
    with Recorder(graph) as recorder:
        inputs = {name: _input(recorder, name, value) for name, value in state.items()}
        result: dict[Path, Any] = {}
        for path, value in _single(function(**inputs)):
            if isinstance(value, Tensor):
                result[path] = recorder.node(value) if traced(value) else {"is": plain(value.item())}
            elif isinstance(value, str) and PLACES.search(value):
                result[path] = _template(value)
            else:
                result[path] = {"is": value}
    return recorder, result


def _single(result: dict[Path, Any]) -> Iterator[tuple[Path, Any]]:
    """The leaves, and of lists of texts each text, which may speak of numbers of its own."""
    for path, value in result.items():
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield from (((*path, place), item) for place, item in enumerate(value))
        else:
            yield path, value


def _input(recorder: Recorder, name: str, value: Any) -> Any:
    return value if isinstance(value, str) else recorder.input(name, value)


def _template(text: str) -> list[Any]:
    parts = PLACES.split(text)  # text, node, format, plus, minus, text …
    places = zip(*(parts[k::5] for k in range(1, 5)), strict=True)
    numbers = [[int(node), spec, plus, minus] for node, spec, plus, minus in places]
    return [part for pair in itertools.zip_longest(parts[::5], numbers) for part in pair if part is not None]


def _moves(values: list[Any]) -> bool:
    return not isinstance(values[0], dict) or any(_content(value) != _content(values[0]) for value in values)


def _content(value: Any) -> Any:
    literal = value["is"] if isinstance(value, dict) else value
    return (literal.shape, literal.tobytes()) if isinstance(literal, np.ndarray) else repr(literal)


def _leaf(graph: Graph, value: Any) -> Any:
    literal = value["is"] if isinstance(value, dict) else None
    return graph.constant(literal) if isinstance(literal, np.ndarray) else value


class _Asked(TorchFunctionMode):
    """Notes the answers that a function gets, and else lets it run."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[bool | int] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(function, "__name__", "")
        if name in ("item", "tolist"):
            return unbound(args[0].detach()) if name == "tolist" else args[0].detach().reshape(())
        if name in FACTORIES and isinstance(args[0], Tensor):  # a copy, of which PyTorch warns
            return args[0].detach().clone()
        if name not in ("__bool__", "__int__", "__index__"):
            return function(*args, **(kwargs or {}))
        found = function(args[0].detach())
        self.answers.append(found)
        return found


def _answers(function: _Words, state: State) -> tuple[Any, ...]:
    with _Asked() as asked:
        function(**{name: value if isinstance(value, str) else stacked(value) for name, value in state.items()})
    return (*(value for value in state.values() if isinstance(value, str)), *asked.answers)
