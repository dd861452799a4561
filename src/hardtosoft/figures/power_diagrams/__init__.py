"""The figures of *Cells, centroids and circles*, and what its notebook computes with."""

from __future__ import annotations

from ...interactive.figure import InteractiveFigure
from .depth import depth_figure, first_layers, layer, network, one_diagram, one_diagram_figure, partition
from .layers import layer_figure, relu_layer, your_layer_figure

__all__ = [
    "depth_figure",
    "figures",
    "first_layers",
    "layer",
    "layer_figure",
    "network",
    "one_diagram",
    "one_diagram_figure",
    "partition",
    "relu_layer",
    "your_layer_figure",
]


def figures() -> list[InteractiveFigure]:
    """The chapter's figures in the order of its page."""
    return [
        layer_figure(),
        depth_figure(),
        one_diagram_figure(),
        your_layer_figure([[0.8, 0.0], [-0.6, 0.5], [-0.1, -0.75]], [0.0, 0.35, 0.35]),
    ]
