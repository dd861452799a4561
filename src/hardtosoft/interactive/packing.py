"""Arrays that change from state to state, or are long, as few bytes: what a page stores for each of them.

Numbers become whole numbers over their range (16 bit; 8 bit for heatmaps) unless they are whole already, and these
become differences between neighbours: along states, along rows, along columns, once or twice or not at all, whichever
compresses best. Signs go into the last bit, so that small differences of either sign leave the upper bytes empty. Gaps
(NaN) are stored beside the numbers. ``page.js`` undoes all that; :func:`unpack` does the same here, so that a test can
compare.
"""

from __future__ import annotations

import gzip
import itertools
from dataclasses import dataclass

import numpy as np

from .frames import Array

Path = tuple[str | int, ...]

#: The largest whole number in use, by bits of storage; half a step is the error of a stored value.
LEVELS = {8: 255, 16: 16383}
#: The largest span of numbers that are whole already.
_WHOLE = {8: 255, 16: 65535}
#: How often differences may be taken along each side: curves are smooth, heatmaps too coarse for more than one.
_MOST_DIFFERENCES = {8: 1, 16: 2}


@dataclass(frozen=True)
class Block:
    """One array that changes, and how its numbers are stored.

    Attributes:
        path: where it belongs in the frame.
        along: the figure's axes on which it depends, the last one's values running fastest in what is stored.
        count: states stored, one for every combination of their values: 1 for an array that is the same in all.
        shape: of the array at one state.
        bits: of a whole number.
        low, high: the range that the whole numbers span; ``LEVELS[bits]`` steps, of 1 for numbers that are whole.
        differences: how often they were taken along states and along each side of the array.
        states_last: whether numbers of one place in all states stand together, instead of those of one state.
        gaps: whether a bit for every number says if it is NaN, after the numbers.
        whole: whether the numbers were whole already: then they come back as they were.
    """

    path: Path
    along: tuple[int, ...]
    count: int
    shape: tuple[int, ...]
    bits: int
    low: float
    high: float
    differences: tuple[int, ...]
    states_last: bool
    gaps: bool
    whole: bool = False

    @property
    def error(self) -> float:
        """The largest difference between a number and its stored form."""
        return 0.0 if self.whole else (self.high - self.low) / LEVELS[self.bits] / 2

    @property
    def length(self) -> int:
        """Bytes that the states take before they are compressed."""
        numbers = self.count * int(np.prod(self.shape))
        return numbers * (self.bits // 8) + (-(-numbers // 8) if self.gaps else 0)


def pack(path: Path, stack: Array, along: tuple[int, ...] = ()) -> tuple[Block, bytes]:
    """The bytes of an array, ``stack`` holding its states one a row, still to be compressed.

    Raises:
        ValueError: a heatmap with NaN, or whole numbers that span more than 16 bits.
    """
    if np.issubdtype(stack.dtype, np.integer):
        return _pack_whole(path, stack, along)
    bits = 8 if stack.ndim == 3 else 16
    missing = np.isnan(stack)
    gaps = bool(missing.any())
    if bits == 8 and gaps:
        raise ValueError(f"a heatmap must have no NaN, got one in {'/'.join(map(str, path))}")
    low, high = float(np.nanmin(stack)), float(np.nanmax(stack))
    whole = np.round((_filled(stack) - low) / ((high - low) or 1.0) * LEVELS[bits]).astype(f"u{bits // 8}")
    holes = np.packbits(missing ^ _before(missing)).tobytes() if gaps else b""
    way, last, stored = _shortest(whole, bits)
    return Block(path, along, len(stack), stack.shape[1:], bits, low, high, way, last, gaps), stored + holes


def unpack(block: Block, data: bytes) -> Array:
    """What :func:`pack` stored, to half a step (whole numbers exactly): one state a row."""
    count = block.count
    raw, shape = np.frombuffer(data, dtype=np.uint8), (count, *block.shape)
    numbers, width = int(np.prod(shape)), block.bits // 8
    planes = raw[: numbers * width].reshape(width, numbers).astype(f"u{width}")
    folded = planes[0] if width == 1 else planes[0] << 8 | planes[1]
    codes = (folded >> 1) ^ -(folded & 1)
    codes = np.moveaxis(codes.reshape(*block.shape, count), -1, 0) if block.states_last else codes.reshape(shape)
    for side, times in enumerate(block.differences):
        for _ in range(times):
            codes = codes.cumsum(side, dtype=codes.dtype)
    values: Array = block.low + codes * ((block.high - block.low) / LEVELS[block.bits])
    if block.gaps:
        holes = np.unpackbits(raw[numbers * width :], count=numbers).reshape(shape)
        values[np.logical_xor.accumulate(holes.astype(bool), axis=0)] = np.nan
    return values


def _pack_whole(path: Path, stack: Array, along: tuple[int, ...]) -> tuple[Block, bytes]:
    low, span = int(stack.min()), int(np.ptp(stack))
    if span > _WHOLE[16]:
        raise ValueError(f"whole numbers must span at most {_WHOLE[16]}, got {span} in {'/'.join(map(str, path))}")
    bits = 8 if span <= _WHOLE[8] else 16
    way, last, stored = _shortest((stack - low).astype(f"u{bits // 8}"), bits)
    return Block(
        path, along, len(stack), stack.shape[1:], bits, low, low + LEVELS[bits], way, last, False, True
    ), stored


def _shortest(whole: Array, bits: int) -> tuple[tuple[int, ...], bool, bytes]:
    """Differences, order and bytes of the way that compresses best."""
    ways = itertools.product(range(_MOST_DIFFERENCES[bits] + 1), repeat=whole.ndim)
    candidates = [(way, last, _stored(whole, way, last)) for way in ways for last in (False, True)]
    return min(candidates, key=lambda candidate: len(gzip.compress(candidate[2], 6)))


def _stored(whole: Array, differences: tuple[int, ...], states_last: bool) -> bytes:
    for side, times in enumerate(differences):
        for _ in range(times):
            whole = np.diff(whole, axis=side, prepend=whole.dtype.type(0))
    folded = whole << 1 ^ -(whole >> (8 * whole.itemsize - 1))  # 0, −1, 1, −2 … become 0, 1, 2, 3 …
    ordered = (np.moveaxis(folded, 0, -1) if states_last else folded).ravel()
    planes = [ordered >> 8, ordered & 255] if whole.itemsize == 2 else [ordered]
    return np.concatenate(planes).astype(np.uint8).tobytes()


def _filled(stack: Array) -> Array:
    """Each gap with the number that stood there last, or stands there first, so that differences stay small."""
    there = ~np.isnan(stack)
    rows = np.arange(len(stack)).reshape(-1, *[1] * (stack.ndim - 1))
    last = np.maximum.accumulate(np.where(there, rows, -1), axis=0)
    source = np.where(last < 0, there.argmax(0), last)
    carried = np.take_along_axis(stack, source, axis=0)
    return np.where(np.isnan(carried), np.nanmin(stack), carried)


def _before(missing: Array) -> Array:
    return np.concatenate([np.zeros_like(missing[:1]), missing[:-1]])
