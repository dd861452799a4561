"""Exact regions of networks, as figures draw them: what each layer adds, in colours and edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from betavq.geometry import Partition, Polyline

from ..interactive import palette
from ..interactive.frames import Array, Trace, polygons, stroke
from ..interactive.overlays import texts

Look = tuple[str, str, float]
#: Name, colour and width of the edges that each layer adds; the first bends least and is drawn broadest.
LAYERS: tuple[Look, ...] = (
    ("edges of layer 1", palette.INK, 2.0),
    ("edges of layer 2", palette.BLUE, 1.4),
    ("edges of layer 3", palette.ORANGE, 0.8),
    ("edges of layer 4", palette.GREEN, 0.8),
)
GOLDEN = (5**0.5 - 1) / 2


def rectangle(x: tuple[float, float], y: tuple[float, float]) -> list[tuple[float, float]]:
    """The corners of a box, counterclockwise: a domain."""
    return [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]


def codes_to(partition: Partition, depth: int) -> Array:
    """Which piece each unit of the first ``depth`` layers selects in each region, ``(n, units)``."""
    return partition.codes[:, : sum(layer.num_units for layer in partition.layers[:depth])]


def count_to(partition: Partition, depth: int) -> int:
    """How many regions the first ``depth`` layers make on the domain."""
    # A region of ReLU layers is where all units agree, an intersection of half-planes: one region, one code.
    codes = codes_to(partition, depth)
    return len(np.unique(np.packbits(codes, axis=1), axis=0)) if codes.size else 1


def code_shades(partition: Partition, depth: int) -> Array:
    """A shade in [0, 1] for the code of the first ``depth`` layers; regions that share an edge differ in it."""
    codes = codes_to(partition, depth)
    return (0.5 + codes @ (GOLDEN * np.arange(1, codes.shape[1] + 1))) % 1


def relief(partition: Partition, *, steepness: float, lamp: float = 2.2) -> Array:
    """How bright a lamp makes each facet of the network's first output, ``(n,)`` in [0, 1].

    The output is drawn as a surface over the plane, tilted so that it is level on the whole.

    Args:
        partition: of the network.
        steepness: root mean square of the slopes as they are drawn.
        lamp: where the lamp stands, an angle in the plane; it is 45° high.
    """
    slopes, areas = partition.slopes[:, 0], partition.areas / partition.areas.sum()
    tilted = slopes - areas @ slopes
    steep = steepness * tilted / (np.sqrt(areas @ (tilted**2).sum(1)) or 1.0)
    towards = -(steep @ [np.cos(lamp), np.sin(lamp)])
    light: Array = (1 + towards) / np.sqrt(2 * (1 + (steep**2).sum(1)))
    return np.clip(light, 0, 1)


def regions(
    partition: Partition,
    depth: int,
    fill: Array | None,
    *,
    scale: Sequence[Sequence[Any]] = palette.MAP_SCALE,
    layers: Sequence[Look] = LAYERS,
    thickness: float = 1.0,
    opacity: float = 1.0,
) -> Trace:
    """The regions of a partition, with the edges that its first ``depth`` layers add, each as ``layers`` says.

    What the layers are called is said by :func:`layer_names`.
    """
    shown = [opacity if layer < depth else 0.0 for layer in range(len(partition.layers))]
    edges = zip(layers[: len(shown)], shown, strict=True)
    strokes = [stroke(name, colour, width=width * thickness, opacity=seen) for (name, colour, width), seen in edges]
    corners, sides, kinds = partition.vertices, partition.counts, partition.edge_depth
    drawn = polygons("regions", corners, sides, fill=fill, scale=scale, kinds=kinds, strokes=strokes)
    return {**drawn, "showlegend": False}


def layer_names(partition: Partition, depth: int, layers: Sequence[Look] = LAYERS) -> list[Trace]:
    """The name of each layer on the longest edge that it adds inside the picture; nothing for layers not shown."""
    places, first = partition.vertices, np.cumsum(partition.counts) - partition.counts
    following = np.arange(1, len(places) + 1)
    following[first + partition.counts - 1] = first
    middles, lengths = (places + places[following]) / 2, np.hypot(*(places - places[following]).T)
    low, high = places.min(0), places.max(0)
    lengths[(np.abs(middles - (low + high) / 2) > 0.38 * (high - low)).any(1)] = 0
    found = []
    for layer, (name, colour, _) in enumerate(layers[: len(partition.layers)], start=1):
        own = np.where(partition.edge_depth == layer, lengths, 0)
        at = middles[own.argmax()] if layer <= depth and own.any() else np.full(2, np.nan)
        found.append(texts([name.removeprefix("edges of ")], at[:1], at[1:], colour, side="n"))
    return found


def joined(boundary: Sequence[Polyline]) -> Array:
    """Polylines one after another, each closed by a gap, ``(M, 2)``; a gap alone where there is none."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for line in boundary for part in (line.points, gap)] or [gap])
