"""Regions cut by units that are the largest of a few scores: where which one is the largest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..._torch.hard_units import Maxima
from .kinks import Cut, at_points, lengths, lines_of, noise_of
from .polygons import Codes, Floats, Integers, Polygons, joined, positive_part


@dataclass
class _Contests:
    """Units in regions where more than one of their entries is the largest somewhere, region after region.

    Attributes:
        regions, units: where and which, ``(J,)``.
        counts: how many entries may win, ``(J,)``.
        first: where they stand in ``scores``, ``(J,)``.
        scores: those of the entries, in the order of the windows, at the three points, ``(3, sum of counts)``.
        noise: the rounding errors of the scores, ``(J,)``.
    """

    regions: Integers
    units: Integers
    counts: Integers
    first: Integers
    scores: Floats
    noise: Floats

    @property
    def num_pairs(self) -> Integers:
        """How many pairs of entries may tie."""
        return self.counts * (self.counts - 1) // 2


def cut_by_maxima(
    units: Maxima, polygons: Polygons, scores: Floats, first_cut: int, check: Callable[[int], None]
) -> Cut:
    """Cut every region into the cells on which the units keep selecting the same entries.

    The cells of one unit in a region are convex: each is what half-planes leave of it, one for every other entry. So
    no cell is cut where entries tie that are not the largest.

    Args:
        units: K of them.
        polygons: the regions, n of them.
        scores: the entries at the points (0, 0), (1, 0) and (0, 1), ``(3, n, D)``.
        first_cut: the number that the first new line gets.
        check: called with the number of pieces so far; may raise.
    """
    contests = _find_contests(units, polygons, scores)
    pieces, parents = _cut(polygons, contests, first_cut, check)
    return Cut(pieces, parents, np.repeat(contests.units, contests.num_pairs))


def select_largest(units: Maxima, polygons: Polygons, scores: Floats) -> tuple[Codes, Floats]:
    """What units select on polygons that they do not cut, ``(n, K)``, and put out there, ``(3, n, K)``."""
    windows = units.windows.numpy()
    selected = _windowed(at_points(scores, *polygons.centres()), windows).argmax(-1)
    entries = windows[np.arange(len(windows)), selected]
    outputs = np.take_along_axis(scores, np.broadcast_to(entries, (3, *entries.shape)), axis=2)
    return selected.astype(np.min_scalar_type(units.num_pieces - 1)), outputs


def _windowed(values: Floats, windows: Integers) -> Floats:
    """The entries that every unit sees, ``(n, D)`` → ``(n, K, R)``, −∞ for padding."""
    seen: Floats = np.where(windows < 0, -np.inf, values[:, windows])
    return seen


def _find_contests(units: Maxima, polygons: Polygons, scores: Floats) -> _Contests:
    windows = units.windows.numpy()
    x, y = polygons.centres()
    centre = at_points(scores, x, y)
    noise = noise_of(centre, lengths(scores))[windows].max(1)
    seen = _windowed(centre, windows)
    winner = windows[np.arange(len(windows)), seen.argmax(-1)]
    # What loses at the centre by more than the circle around the corners allows, loses everywhere.
    over = (
        np.take_along_axis(scores, np.broadcast_to(winner, (3, *winner.shape)), 2)[..., None] - scores[:, :, windows]
    )
    slope = lengths(over)
    near = (seen.max(-1)[..., None] - seen <= polygons.radii(x, y)[:, None, None] * slope) & (windows >= 0)
    rows, numbers, places = np.nonzero(near & (slope > noise[:, None]))
    distances = polygons.take(rows).distances(lines_of(over[:, rows, numbers, places], noise[numbers]))
    wins = np.flatnonzero(distances.min(1, initial=0) < 0)
    may_win = np.zeros(near.shape, dtype=bool)
    may_win[rows[wins], numbers[wins], places[wins]] = True
    contested = np.asarray(may_win.any(-1))
    may_win |= contested[..., None] & (windows == winner[..., None])
    regions, numbers = np.nonzero(contested)
    counts = may_win.sum(-1)[contested]
    rows, which, places = np.nonzero(may_win)
    return _Contests(
        regions, numbers, counts, np.cumsum(counts) - counts, scores[:, rows, windows[which, places]], noise[numbers]
    )


def _cut(
    polygons: Polygons, contests: _Contests, first_cut: int, check: Callable[[int], None]
) -> tuple[Polygons, Integers]:
    """One contest after the other of each region."""
    each = np.bincount(contests.regions, minlength=len(polygons))
    first = np.cumsum(each) - each
    cuts = first_cut + np.cumsum(contests.num_pairs) - contests.num_pairs
    parents, done, done_parents, turn = np.arange(len(polygons)), [], [], 0
    pieces, finished = polygons, 0
    while len(pieces):
        is_done = each[parents] <= turn
        done.append(pieces.take(is_done))
        done_parents.append(parents[is_done])
        finished += len(done[-1])
        pieces, parents = pieces.take(~is_done), parents[~is_done]
        if len(pieces):
            pieces, origins = _cells(pieces, contests, first[parents] + turn, cuts)
            parents = parents[origins]
            check(finished + len(pieces))
        turn += 1
    return joined(done), np.concatenate(done_parents)


def _cells(polygons: Polygons, contests: _Contests, contest: Integers, cuts: Integers) -> tuple[Polygons, Integers]:
    """The cells of one contest in each polygon, and the polygon that each is part of."""
    counts = contests.counts[contest]
    origins = np.repeat(np.arange(len(polygons)), counts)
    entry = np.arange(len(origins)) - np.repeat(np.cumsum(counts) - counts, counts)
    cells = polygons.take(origins)
    for step in range(int(counts.max()) - 1):
        here = contest[origins]
        rival = step + (step >= entry)
        active = step < contests.counts[here] - 1
        distances, edges = _over(cells.take(active), contests, here[active], entry[active], rival[active], cuts)
        wins = distances.max(1) > 0
        cut = wins & (distances.min(1) < 0)
        parts = positive_part(cells.take(np.flatnonzero(active)[cut]), distances[cut], edges[cut])
        whole = ~active
        whole[np.flatnonzero(active)[wins & ~cut]] = True
        order = np.concatenate((np.flatnonzero(whole), np.flatnonzero(active)[cut]))
        cells = joined([cells.take(whole), parts])
        origins, entry = origins[order], entry[order]
    return cells.trimmed(), origins


def _over(
    cells: Polygons, contests: _Contests, contest: Integers, entry: Integers, rival: Integers, cuts: Integers
) -> tuple[Floats, Integers]:
    """How far the corners lie on the side where an entry wins over a rival, and what that line's edges are called."""
    low, high = np.minimum(entry, rival), np.maximum(entry, rival)
    start = contests.first[contest]
    over = contests.scores[:, start + high] - contests.scores[:, start + low]
    noise = contests.noise[contest]
    length = lengths(over)
    lines = lines_of(over, noise)
    # Scores that differ by a constant, or not at all: then the first wins, as in PyTorch.
    constant = length <= noise
    lines[constant] = 0.0
    lines[constant, 2] = np.where(over[0, constant] > noise[constant], 1.0, -1.0)
    count = contests.counts[contest]
    pair = low * count - low * (low + 1) // 2 + high - low - 1
    last_wins = entry == high
    distances = cells.distances(lines)
    return np.where(last_wins[:, None], distances, -distances), 2 * (cuts[contest] + pair) + last_wins
