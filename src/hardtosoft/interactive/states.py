"""The states of a figure, packed small enough to travel inside a page.

A figure function is called once for every state; what is equal in all of them goes into the page as it is, what
differs becomes a table, and so do long arrays. How arrays are stored is told in ``packing.py``. ``page.js`` unpacks
them; :func:`unpack` does the same here, so that a test can compare.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from . import packing
from .axes import Axis
from .frames import Array, Frame, plain
from .packing import Block, Path
from .vectors import Vector

State = dict[str, Any]  # values of the axes: numbers, options, tuples of numbers

MOST_STATES = 2000
#: Numbers of an array, the same in all states, that may stand in a page as text.
MOST_AS_TEXT = 1000


@dataclass(frozen=True)
class Table:
    """Every state of a figure.

    Attributes:
        states: the axis values of each state, in the order of the table.
        grid: the axes as the table runs over them, the last one fastest, and how many values each has.
        base: the frame of the first state without what changes, ready for JSON.
        blocks, packed: the arrays that change, and long ones, as base64 text of the compressed whole numbers.
        variants: what else changes (texts): path, the axes it depends on, distinct values, and which of them each
            combination of those axes' values shows.
    """

    states: list[State]
    grid: dict[int, int]
    base: dict[str, Any]
    blocks: list[Block]
    packed: str
    variants: list[dict[str, Any]]

    @property
    def settings(self) -> dict[str, Any]:
        """What a page's figure is told beside the packed part."""
        return {"frame": self.base, "blocks": [asdict(block) for block in self.blocks], "variants": self.variants}


def enumerate_states(axes: Sequence[Axis | Vector]) -> list[State]:
    """Every setting a reader can reach: all combinations of the axes' values.

    Raises:
        ValueError: more than MOST_STATES.
    """
    if (count := math.prod(len(axis.values) for axis in axes)) > MOST_STATES:
        raise ValueError(f"axes must give at most {MOST_STATES} states in all, got {count}: use larger steps")
    ordered = [axes[i] for i in _grid(axes)]
    combinations = itertools.product(*(axis.values for axis in ordered))
    return [dict(zip((axis.name for axis in ordered), values, strict=True)) for values in combinations]


def tabulate(function: Callable[..., Frame], axes: Sequence[Axis | Vector]) -> Table:
    """Call a figure function for every state and pack what it returns, each array for the axes it depends on.

    Raises:
        ValueError: a state whose frame has other traces, settings or layouts than the first state's.
    """
    states, grid = enumerate_states(axes), _grid(axes)
    frames = [dict(leaves(asdict(function(**state)))) for state in states]
    for state, frame in zip(states, frames, strict=True):
        if frame.keys() != frames[0].keys():
            odd = sorted(map(str, frame.keys() ^ frames[0].keys()))
            raise ValueError(f"every state must have the same traces and settings; {state} differs in {odd}")
    base: dict[str, Any] = asdict(function(**states[0]))
    blocks: list[Block] = []
    planes: list[bytes] = []
    variants: list[dict[str, Any]] = []
    for path in frames[0]:
        along, values = _needed([frame[path] for frame in frames], grid)
        if not along and not _long(values[0]):
            continue
        refuse_moving_layout([path])
        put(base, path, None)
        if (stack := _stacked(values)) is not None:
            block, plane = packing.pack(path, stack, along)
            blocks.append(block)
            planes.append(plane)
        else:
            shown = [plain(value) for value in values]
            distinct = list({repr(value): value for value in shown}.values())
            index = [distinct.index(value) for value in shown]
            variants.append({"path": path, "along": along, "values": distinct, "index": index})
    packed = base64.b64encode(gzip.compress(b"".join(planes), 9, mtime=0)).decode()
    return Table(states, grid, plain(base), blocks, packed, variants)


def _grid(axes: Sequence[Axis | Vector]) -> dict[int, int]:
    """The axes as a table runs over them, and their lengths: the longest fastest, so that neighbours are alike."""
    return {i: len(axes[i].values) for i in sorted(range(len(axes)), key=lambda i: len(axes[i].values))}


def _needed(values: Sequence[Any], grid: dict[int, int]) -> tuple[tuple[int, ...], list[Any]]:
    """The axes on which the values of all states depend, and the values for those axes alone."""
    known: dict[Any, int] = {}
    codes = np.array([known.setdefault(_content(value), len(known)) for value in values]).reshape(*grid.values())
    depends = [bool((codes != codes.take([0], side)).any()) for side in range(len(grid))]
    first = tuple(slice(None if needed else 1) for needed in depends)
    rows = np.arange(len(values)).reshape(codes.shape)[first].ravel().tolist()
    return tuple(axis for axis, needed in zip(grid, depends, strict=True) if needed), [values[row] for row in rows]


def _content(value: Any) -> Any:
    return (value.shape, value.dtype.str, value.tobytes()) if isinstance(value, np.ndarray) else repr(value)


def unpack(table: Table) -> dict[Path, Array]:
    """The stored arrays of a table, one row a state, as the page will show them."""
    data = gzip.decompress(base64.b64decode(table.packed))
    arrays, start = {}, 0
    for block in table.blocks:
        stored = packing.unpack(block, data[start : start + block.length])
        sides = [length if axis in block.along else 1 for axis, length in table.grid.items()]
        rows = np.broadcast_to(np.arange(block.count).reshape(sides), (*table.grid.values(),)).ravel()
        arrays[block.path] = stored[rows]
        start += block.length
    return arrays


def _long(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.size > MOST_AS_TEXT


def _stacked(values: Sequence[Any]) -> Array | None:
    """Arrays of all states, one a row: of one shape, or rows of numbers that are longer in some states.

    What a shorter row lacks is NaN, which draws nothing, and 0 among whole numbers. None for what are no such arrays.
    """
    if not all(isinstance(value, np.ndarray) for value in values):
        return None
    if len({value.shape for value in values}) == 1:
        return np.stack(values)
    if any(value.ndim != 1 for value in values):
        return None
    nothing = 0 if all(np.issubdtype(value.dtype, np.integer) for value in values) else np.nan
    longest = max(map(len, values))
    return np.stack([np.pad(value, (0, longest - len(value)), constant_values=nothing) for value in values])


def leaves(node: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """The values inside nested dicts and sequences, each with its path; arrays and empty containers are values."""
    if isinstance(node, dict) and node:
        return [leaf for key, item in node.items() for leaf in leaves(item, (*path, key))]
    if isinstance(node, list | tuple) and node and not all(isinstance(item, float | int | str) for item in node):
        return [leaf for index, item in enumerate(node) for leaf in leaves(item, (*path, index))]
    return [(path, node)]


def refuse_moving_layout(changed: Sequence[Path]) -> None:
    """Ranges and ticks stand still while a reader moves: a picture whose frame jumps cannot be compared with itself.

    Raises:
        ValueError: one of the paths that change leads into a panel's layout.
    """
    for path in changed:
        if "layout" in path:
            raise ValueError(f"a panel's layout must not depend on the axes; {'/'.join(map(str, path))} does")


def put(node: Any, path: Path, value: Any) -> None:
    """Replace the value at ``path`` inside nested dicts and lists."""
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal in type, shape and content; a NaN equals a NaN."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
    return type(a) is type(b) and bool(a == b)
