"""A first look at a network: how large its steps are, and that each is what it is taken for, on random numbers.

The names of the steps tell that they are affine. Here numbers do: four rows, the last of them an affine combination of
the others, must come out of an affine step as the same combination; and two of them alone must come out as they were.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, fx

from .graph import Graph, Layer, Values

#: Of the first three rows in the fourth; their sum is 1.
WEIGHTS = (0.5, 0.8, -0.3)
SOME = [1, 3]
TOLERANCE = 1e-6


class Survey(NamedTuple):
    """What a network is like.

    Attributes:
        layers: its layers of units, in order.
        widest: the most numbers that a step is given or puts out for one input.
        num_outputs: C.
    """

    layers: dict[fx.Node, Layer]
    widest: int
    num_outputs: int


@torch.no_grad()
def survey(graph: Graph, row: Tensor, needs: str = "") -> Survey:
    """Follow a network on inputs around one, ``(1, …)``; ``needs`` is what to say if it does not take such an input.

    Raises:
        ValueError: it does not take such an input, is not piecewise affine, or mixes the rows of a batch.
    """
    try:
        return _survey(graph, row)
    except (RuntimeError, IndexError) as error:
        shape = ("N", *row.shape[1:])
        raise ValueError(f"model must take inputs of shape {shape}{needs}; it said: {error}") from error


def _survey(graph: Graph, row: Tensor) -> Survey:
    generator = torch.Generator().manual_seed(0)
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)

    def drawn(shape: tuple[int, ...]) -> Tensor:
        three = torch.randn(3, *shape, generator=generator, dtype=torch.float64)
        return torch.cat((three, torch.tensordot(weights, three, 1)[None]))

    rows = row + (1 + row.abs().max()) * drawn(row.shape[1:])
    all_rows, some = graph.start(rows), graph.start(rows[SOME])
    widths, layers = [row.numel()], dict[fx.Node, Layer]()
    for node in graph.nodes:
        found = graph.units(node, all_rows)
        graph.check_in_place(node, all_rows)
        if found is None:
            for values in (all_rows, some):
                graph.compute(node, values)
            _check_step(graph, node, all_rows, some)
            for values in (all_rows, some):
                graph.forget(node, values)
        else:
            units, scores = found
            layers[node] = graph.layer_of(node, units)
            widths.append(max(scores.shape[1], layers[node].num_units * units.num_pieces))
            outputs = drawn(units.out_shape)
            graph.store(node, all_rows, outputs)
            graph.store(node, some, outputs[SOME])
    output = all_rows[graph.output]
    if not isinstance(output, Tensor) or output.dim() == 0 or len(output) != len(rows):
        raise ValueError("model must return one row for each input")
    return Survey(layers, max(*widths, output[0].numel()), output[0].numel())


def _check_step(graph: Graph, node: fx.Node, all_rows: Values, some: Values) -> None:
    """Raise unless an affine step keeps rows apart, and is affine."""
    if not graph.is_data(node, all_rows):
        return
    value, of_some = all_rows[node], some[node]
    largest = TOLERANCE * float(value.abs().max()) if value.numel() else 0.0
    has_rows = value.dim() > 0 and len(value) == len(WEIGHTS) + 1 and len(of_some) == len(SOME)
    if not (has_rows and _is_close(value[SOME], of_some, largest)):
        place = graph.step(node, all_rows).place
        raise ValueError(f"model must compute each row of a batch for itself, got {place}")
    combined = sum(weight * row for weight, row in zip(WEIGHTS, value, strict=False))
    if not _is_close(value[-1], combined, largest):
        raise graph.step(node, all_rows).refusal("which is not affine")


def _is_close(found: Tensor, expected: Any, largest: float) -> bool:
    return found.shape == expected.shape and bool(((found - expected).abs() <= largest).all())
