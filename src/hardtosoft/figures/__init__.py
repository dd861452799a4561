"""The figures of the book: a package a chapter, a file a figure or a family of them.

A chapter gives its figures and what its notebook computes with; importing one imports no other::

    from hardtosoft.figures import pooling

    pooling.window_figure()
"""

from __future__ import annotations

from importlib import import_module

from ..interactive.figure import InteractiveFigure

#: The chapters that have figures, in the order of the book.
CHAPTERS = (
    "relu_to_swish",
    "max_affine_splines",
    "vector_quantization",
    "beta_vq",
    "gaussian_mixtures",
    "joint_inference",
    "orthogonal_filters",
    "pooling",
    "atlas",
    "learning_beta",
    "softening_networks",
    "partitions",
    "power_diagrams",
    "decision_boundaries",
    "templates",
    "inversion",
    "risk_and_flatness",
)


def every_figure() -> list[InteractiveFigure]:
    """Every interactive figure of the book, in the order of its pages: what tests sweep."""
    chapters = (import_module(f".{chapter}", __name__) for chapter in CHAPTERS)
    return [figure for chapter in chapters for figure in chapter.figures()]
