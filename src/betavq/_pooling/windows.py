"""Where the windows of a pooling lie: for each of their places, which outputs have it inside the input."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from types import EllipsisType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_IN_MEAN = 49  # numbers whose sum, one after the other, stays within 4 roundings of the largest

Index = tuple[EllipsisType, slice, slice]


class Place(NamedTuple):
    """A place of the window: its inputs, the outputs that have it (None for all of them), and whether it is a tile.

    The tiles, if there are any, hold each number of the input once between them.
    """

    inside: Index
    outside: Index | None
    is_tile: bool


def memory_format(x: Tensor) -> torch.memory_format:
    """Whether images have their channels innermost, strided ones too."""
    is_last = x.dim() == 4 and x.stride(1) == 1 < x.stride(3)
    return torch.channels_last if is_last else torch.contiguous_format


@dataclass(frozen=True)
class Windows:
    """Windows over the last two dimensions of an input, with PyTorch's meaning of each number.

    Padding is not a number that could win or count: a place outside the input is no piece of its window.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    ceil_mode: bool

    def count(self, size: int, axis: int) -> int:
        """How many windows there are along ``axis`` (0 rows, 1 columns) of an input of this size."""
        kernel, stride, padding = self.kernel[axis], self.stride[axis], self.padding[axis]
        free = size + 2 * padding - self.dilation[axis] * (kernel - 1) - 1
        count = (-(-free // stride) if self.ceil_mode else free // stride) + 1
        # As in PyTorch the last window starts inside the input or the padding before it.
        return count - 1 if self.ceil_mode and (count - 1) * stride >= size + padding else count

    def shape(self, x: Tensor) -> torch.Size:
        """The shape of the result."""
        return torch.Size([*x.shape[:-2], self.count(x.shape[-2], 0), self.count(x.shape[-1], 1)])

    def full(self, x: Tensor, number: float) -> Tensor:
        """A tensor of the result's shape, in the memory format of ``x``."""
        empty = torch.empty(self.shape(x), dtype=x.dtype, device=x.device, memory_format=memory_format(x))
        return empty.fill_(number)

    def maximum(self, x: Tensor) -> Tensor:
        """``F.max_pool2d``."""
        return F.max_pool2d(x, self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)

    def mean(self, x: Tensor) -> Tensor | None:
        """The mean over what of each window lies inside, where PyTorch has it: not for dilated windows.

        Nor for large ones, of which PyTorch adds one number after the other.
        """
        if self.dilation != (1, 1) or self.kernel[0] * self.kernel[1] > MOST_IN_MEAN:
            return None
        return F.avg_pool2d(x, self.kernel, self.stride, self.padding, self.ceil_mode, count_include_pad=False)

    def places(self, x: Tensor) -> Iterator[Place]:
        """The places that have inputs, row by row."""
        along = [self._along(x.shape[axis - 2], axis) for axis in (0, 1)]
        for (rows_in, rows_out, row_tile), (columns_in, columns_out, column_tile) in itertools.product(*along):
            is_all = rows_out is None and columns_out is None
            outside = None if is_all else (..., rows_out or slice(None), columns_out or slice(None))
            yield Place((..., rows_in, columns_in), outside, row_tile and column_tile)

    def _along(self, size: int, axis: int) -> list[tuple[slice, slice | None, bool]]:
        stride, padding, count = self.stride[axis], self.padding[axis], self.count(size, axis)
        has_tiles = self.dilation[axis] == 1 and size == count * stride and padding + stride <= self.kernel[axis]
        found: list[tuple[slice, slice | None, bool]] = []
        for place in range(self.kernel[axis]):
            shift = place * self.dilation[axis] - padding
            first = max(0, -(shift // stride))
            last = min(count - 1, (size - 1 - shift) // stride)
            if first <= last:
                start = first * stride + shift
                inputs = slice(start, start + (last - first) * stride + 1, stride)
                outputs = None if last - first + 1 == count else slice(first, last + 1)
                found.append((inputs, outputs, has_tiles and 0 <= shift < stride))
        return found

    def unfolded(self, x: Tensor) -> Tensor:
        """The windows along a new last dimension, −∞ outside the input: as many copies as a window has places."""
        return torch.stack(self.slices(x), dim=-1)

    def slices(self, x: Tensor) -> list[Tensor]:
        """Of each place, row by row, what all windows have there; −∞ outside the input."""
        after = [max(0, self._reach(x, axis) - x.shape[axis - 2] - self.padding[axis]) for axis in (0, 1)]
        padded = F.pad(x, (self.padding[1], after[1], self.padding[0], after[0]), value=-torch.inf)
        rows, columns = (
            [
                slice(
                    shift, shift + (self.count(x.shape[axis - 2], axis) - 1) * self.stride[axis] + 1, self.stride[axis]
                )
                for shift in self._shifts(axis)
            ]
            for axis in (0, 1)
        )
        return [padded[..., r, c] for r, c in itertools.product(rows, columns)]

    def sums_of_slices(self, terms: list[Tensor], x: Tensor) -> Tensor:
        """Of each number of x the sum of its terms, from those of :meth:`slices`.

        Numbers that are a stride apart meet the same places, each time in the next window: their sums are found in
        the layout of the windows, and interleaved at the end. A compiler makes one loop of it.
        """
        for axis in (1, 0):
            terms = self._summed(terms, x, axis)
        (total,) = terms
        return total

    def _summed(self, terms: list[Tensor], x: Tensor, axis: int) -> list[Tensor]:
        """The same along the last axis of the terms, whose places change fastest, and then the other way round."""
        kernel, stride, size = self.kernel[axis], self.stride[axis], x.shape[axis - 2]
        length = -(-max(self._reach(x, axis), self.padding[axis] + size) // stride)
        summed = []
        for start in range(0, len(terms), kernel):
            by_phase = [terms[start].new_zeros(())] * stride
            for term, shift in zip(terms[start : start + kernel], self._shifts(axis), strict=True):
                before = shift // stride
                along = (before, length - before - term.shape[axis - 2])
                padded = F.pad(term, along if axis == 1 else (0, 0, *along))
                by_phase[shift % stride] = by_phase[shift % stride] + padded
            whole = [phase.expand(padded.shape) for phase in by_phase]
            joined = torch.stack(whole, axis - 2 if axis == 0 else -1)
            shape = [*padded.shape]
            shape[axis - 2] = length * stride
            summed.append(joined.reshape(shape).narrow(axis - 2, self.padding[axis], size))
        return summed

    def _shifts(self, axis: int) -> list[int]:
        """Where each place lies from the beginning of its window."""
        return [place * self.dilation[axis] for place in range(self.kernel[axis])]

    def _reach(self, x: Tensor, axis: int) -> int:
        """Where the last window ends, with the padding before the input."""
        count = self.count(x.shape[axis - 2], axis)
        return (count - 1) * self.stride[axis] + self.dilation[axis] * (self.kernel[axis] - 1) + 1
