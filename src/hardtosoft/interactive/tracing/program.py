"""A figure as a program: the graph of its numbers and the paths of its function, packed for a page."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from ..axes import Axis
from ..frames import Frame, plain
from ..packing import Path
from ..states import leaves, put
from ..vectors import Vector
from .graph import Graph
from .paths import Way, samples, ways


@dataclass(frozen=True)
class Program:
    """What a page needs to compute a figure.

    Attributes:
        base: the frame at the start without what changes, ready for JSON.
        graph: every number that a path may need.
        frame: the paths of the figure function.
        words: those of each slider's value in words.
    """

    base: dict[str, Any]
    graph: Graph
    frame: list[Way]
    words: dict[str, list[Way]]

    @cached_property
    def packed(self) -> str:
        """Graph and paths as base64 text of compressed JSON."""
        parts = {"": self.frame, **self.words}
        needed = [node for part in parts.values() for way in part for node in _needed(way)]
        places = self.graph.reached(needed)
        nodes: list[Any] = []
        for node in map(self.graph.nodes.__getitem__, places):
            sources = [len(nodes) - places[source] for source in node.sources]  # relative: alike parts look alike
            nodes.append([node.operator, sources, node.setting, node.shape])
        text = json.dumps(
            {"nodes": nodes, "parts": {name: _part(part, places) for name, part in parts.items()}},
            ensure_ascii=False,
            separators=(",", ":"),
            allow_nan=False,
        )
        return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()

    @property
    def settings(self) -> dict[str, Any]:
        """What a page's figure is told beside the packed part."""
        return {"frame": self.base, "traced": True}


def program(function: Callable[..., Frame], axes: Sequence[Axis | Vector]) -> Program:
    """Record a figure function, and the words of its axes.

    Raises:
        TraceError: a number leaves tensors, or an operator is unknown to pages.
        ValueError: more than 16 paths, or a layout that moves.
    """
    graph, states = Graph(), samples(axes)

    def drawn(**values: Any) -> dict[Path, Any]:
        frame = function(**values)
        return dict(leaves({"panels": [vars(panel) for panel in frame.panels], "readout": frame.readout}))

    frame = ways(graph, drawn, axes, states)
    said = [axis for axis in axes if isinstance(axis, Axis) and not axis.is_choice]
    words = {axis.name: ways(graph, _saying(axis), [axis], states) for axis in said}
    base = asdict(function(**states[0]))
    for path in frame[0].leaves:
        put(base, path, None)
    return Program(plain(base), graph, frame, words)


def _saying(axis: Axis) -> Callable[..., dict[Path, Any]]:
    return lambda **values: {("words",): axis.say(values[axis.name])}


def _needed(way: Way) -> list[int]:
    numbers = [part[0] for leaf in way.leaves.values() if isinstance(leaf, list) for part in leaf if _is_number(part)]
    return [*numbers, *(guard.node for guard in way.guards), *(n for n in way.leaves.values() if isinstance(n, int))]


def _is_number(part: Any) -> bool:
    return isinstance(part, list)


def _part(part: Sequence[Way], places: dict[int, int]) -> dict[str, Any]:
    """The paths of one function as the page reads them: where leaves are, and what they are on each path."""

    def leaf(value: Any) -> Any:
        if isinstance(value, list):
            return [[places[piece[0]], *piece[1:]] if _is_number(piece) else piece for piece in value]
        return places[value] if isinstance(value, int) else value

    def guards(way: Way) -> list[list[int]]:
        return [[places[node], int(answer)] for node, answer in way.guards]

    return {
        "leaves": list(part[0].leaves),
        "ways": [
            [
                way.choices,
                [[places[node], int(answer)] for node, answer in way.guards],
                list(map(leaf, way.leaves.values())),
            ]
            for way in part
        ],
    }
