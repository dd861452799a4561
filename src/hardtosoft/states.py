"""The states of a figure, packed small enough to travel inside a page.

A figure function is called once for every state; what is equal in all of them goes into the page as it is, what
differs becomes a table. Arrays are stored as whole numbers (16 bit; 8 bit for heatmaps), as differences between
neighbours, compressed. ``page.js`` unpacks them; :func:`unpack` does the same here, so that a test can compare.
"""

from __future__ import annotations

import base64
import gzip
import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .axes import Axis, Value
from .frames import Frame, plain

Array = np.ndarray[Any, Any]
Path = tuple[str | int, ...]
State = dict[str, Value]

MOST_STATES = 400
#: The largest whole number in use, by bits of storage; half a step is the error of a stored value. 65535 means NaN.
LEVELS = {8: 255, 16: 16383}


@dataclass(frozen=True)
class Block:
    """One array that changes: where it belongs in the frame, its shape, and the range its whole numbers span."""

    path: Path
    shape: tuple[int, ...]
    bits: int
    low: float
    high: float

    @property
    def error(self) -> float:
        """The largest difference between a number and its stored form."""
        return (self.high - self.low) / LEVELS[self.bits] / 2


@dataclass(frozen=True)
class Table:
    """Every state of a figure.

    Attributes:
        states: the axis values of each state, in the order of the table.
        base: the frame of the first state without what changes, ready for JSON.
        blocks, packed: the arrays that change, as base64 text of the compressed whole numbers.
        variants: what else changes (texts): path, distinct values, and which of them each state shows.
    """

    states: list[State]
    base: dict[str, Any]
    blocks: list[Block]
    packed: str
    variants: list[dict[str, Any]]


def enumerate_states(axes: Sequence[Axis]) -> list[State]:
    """Every setting a reader can reach: one axis over all its values while the others sit at their stops.

    Raises:
        ValueError: more than 400 states.
    """
    found: dict[tuple[Value, ...], None] = {}
    for moving, along in enumerate(axes):
        waiting = [axis.stops for axis in axes if axis is not along]
        for stops in itertools.product(*waiting):  # the moving axis runs fastest: neighbours in the table are alike
            found.update(dict.fromkeys((*stops[:moving], value, *stops[moving:]) for value in along.values))
    if len(found) > MOST_STATES:
        raise ValueError(f"axes must give at most {MOST_STATES} states in all, got {len(found)}: use fewer stops")
    return [dict(zip((axis.name for axis in axes), values, strict=True)) for values in found]


def tabulate(function: Callable[..., Frame], axes: Sequence[Axis]) -> Table:
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
            continue
        refuse_moving_layout([path])
        put(base, path, None)
        if all(isinstance(value, np.ndarray) and value.shape == values[0].shape for value in values):
            block, plane = _pack(path, np.stack(values))
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
        size = count * int(np.prod(block.shape)) * (block.bits // 8)
        arrays[block.path] = _unpack(block, data[start : start + size], count)
        start += size
    return arrays


def _pack(path: Path, stack: Array) -> tuple[Block, bytes]:
    bits = 8 if stack.ndim == 3 else 16
    low, high = float(np.nanmin(stack)), float(np.nanmax(stack))
    whole = np.round((stack - low) / ((high - low) or 1.0) * LEVELS[bits])
    if bits == 8:
        if np.isnan(stack).any():
            raise ValueError(f"a heatmap must have no NaN, got one in {'/'.join(map(str, path))}")
        codes = whole.astype(np.uint8)
        differences = np.diff(np.diff(codes, axis=1, prepend=np.uint8(0)), axis=2, prepend=np.uint8(0))
        return Block(path, stack.shape[1:], bits, low, high), differences.tobytes()
    codes = np.where(np.isnan(stack), 65535, np.nan_to_num(whole)).astype(np.uint16)
    differences = np.diff(np.diff(codes, axis=0, prepend=np.uint16(0)), axis=1, prepend=np.uint16(0))
    split = np.concatenate([(differences >> 8).ravel(), (differences & 255).ravel()]).astype(np.uint8)
    return Block(path, stack.shape[1:], bits, low, high), split.tobytes()


def _unpack(block: Block, data: bytes, count: int) -> Array:
    raw = np.frombuffer(data, dtype=np.uint8)
    scale = (block.high - block.low) / LEVELS[block.bits]
    if block.bits == 8:
        codes = raw.reshape(count, *block.shape).cumsum(2, dtype=np.uint8).cumsum(1, dtype=np.uint8)
        return block.low + codes * scale
    whole = (raw[: raw.size // 2].astype(np.uint16) << 8) | raw[raw.size // 2 :]
    codes = whole.reshape(count, *block.shape).cumsum(1, dtype=np.uint16).cumsum(0, dtype=np.uint16)
    return np.where(codes == 65535, np.nan, block.low + codes * scale)


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
