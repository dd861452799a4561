"""The states of a figure, packed small enough to travel inside a page.

A figure function is called once for every state; what is equal in all of them goes into the page as it is, what
differs becomes a table, and so do long arrays. How arrays are stored is told in ``packing.py``. ``page.js`` unpacks
them; :func:`unpack` does the same here, so that a test can compare.
"""

from __future__ import annotations

import base64
import gzip
import itertools
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

MOST_STATES = 400
#: Numbers of an array, the same in all states, that may stand in a page as text.
MOST_AS_TEXT = 1000


@dataclass(frozen=True)
class Table:
    """Every state of a figure.

    Attributes:
        states: the axis values of each state, in the order of the table.
        base: the frame of the first state without what changes, ready for JSON.
        blocks, packed: the arrays that change, and long ones, as base64 text of the compressed whole numbers.
        variants: what else changes (texts): path, distinct values, and which of them each state shows.
    """

    states: list[State]
    base: dict[str, Any]
    blocks: list[Block]
    packed: str
    variants: list[dict[str, Any]]


def enumerate_states(axes: Sequence[Axis | Vector]) -> list[State]:
    """Every setting a reader can reach: one axis over all its values while the others sit at their stops.

    Raises:
        ValueError: more than 400 states.
    """
    found: dict[tuple[Any, ...], None] = {}
    for moving, along in enumerate(axes):
        waiting = [axis.stops for axis in axes if axis is not along]
        for stops in itertools.product(*waiting):  # the moving axis runs fastest: neighbours in the table are alike
            found.update(dict.fromkeys((*stops[:moving], value, *stops[moving:]) for value in along.values))
    if len(found) > MOST_STATES:
        raise ValueError(f"axes must give at most {MOST_STATES} states in all, got {len(found)}: use fewer stops")
    return [dict(zip((axis.name for axis in axes), values, strict=True)) for values in found]


def tabulate(function: Callable[..., Frame], axes: Sequence[Axis | Vector]) -> Table:
    """Call a figure function for every state and pack what it returns.

    Raises:
        ValueError: a state whose frame has other traces, settings or layouts than the first state's.
    """
    states = enumerate_states(axes)
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
        values = [frame[path] for frame in frames]
        if all(same(value, values[0]) for value in values):
            if not _long(values[0]):
                continue
            values = values[:1]
        refuse_moving_layout([path])
        put(base, path, None)
        if (stack := _stacked(values)) is not None:
            block, plane = packing.pack(path, stack)
            blocks.append(block)
            planes.append(plane)
        else:
            shown = [plain(value) for value in values]
            distinct = list({repr(value): value for value in shown}.values())
            variants.append({"path": path, "values": distinct, "index": [distinct.index(v) for v in shown]})
    packed = base64.b64encode(gzip.compress(b"".join(planes), 9, mtime=0)).decode()
    return Table(states, plain(base), blocks, packed, variants)


def unpack(table: Table) -> dict[Path, Array]:
    """The stored arrays of a table, one row a state, as the page will show them."""
    data = gzip.decompress(base64.b64decode(table.packed))
    arrays, start, count = {}, 0, len(table.states)
    for block in table.blocks:
        stored = packing.unpack(block, data[start : start + block.length])
        arrays[block.path] = np.broadcast_to(stored, (count, *block.shape))
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
