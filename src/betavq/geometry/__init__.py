"""The geometry of networks: exact linear regions, their boundaries, power diagrams and templates.

:func:`partition` finds the regions of a piecewise affine network on a polygon, or on a plane through any input space.
:func:`affine_map` tells what such a network is around a point, :func:`codes` what its units select there, and
:func:`power_diagram` in which cells they go on selecting it.
"""

from ._neighbours import Neighbours
from .affine_maps import LocalAffineMap, affine_map, templates
from .convex_networks import Convexity, convexity
from .network_codes import VQDistance, codes, vq_distance
from .partitions import partition
from .power_diagrams import PowerDiagram, centroid, power_diagram
from .regions import Layer, Partition, Region
from .template_penalties import last_layer_penalty, template_penalty

__all__ = [
    "Convexity",
    "Layer",
    "LocalAffineMap",
    "Neighbours",
    "Partition",
    "PowerDiagram",
    "Region",
    "VQDistance",
    "affine_map",
    "centroid",
    "codes",
    "convexity",
    "last_layer_penalty",
    "partition",
    "power_diagram",
    "template_penalty",
    "templates",
    "vq_distance",
]
