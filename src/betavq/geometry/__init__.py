"""The geometry of networks: exact linear regions, their boundaries, power diagrams and templates.

:func:`partition` finds the regions of a piecewise affine network on a polygon, or on a plane of any input space;
:func:`decision_boundary` where its classes meet; :func:`distance_to_border` how far a point is from the next region;
:func:`soft_partition` how undecided the units of the softened network are.
:func:`affine_map` tells what such a network is around a point, :func:`codes` what its units select there, and
:func:`power_diagram` in which cells they go on selecting it.
"""

from ._networks.graph import Layer
from ._plane.neighbours import Neighbours
from .affine_maps import LocalAffineMap, affine_map, templates
from .boundaries import Boundary, Polyline, decision_boundary
from .convex_networks import Convexity, convexity
from .distances import distance_to_border, nearest_border
from .network_codes import VQDistance, codes, vq_distance
from .partitions import partition
from .power_diagrams import PowerDiagram, centroid, power_diagram
from .regions import Partition, Region
from .soft import SoftPartition, soft_partition
from .template_penalties import last_layer_penalty, template_penalty

__all__ = [
    "Boundary",
    "Convexity",
    "Layer",
    "LocalAffineMap",
    "Neighbours",
    "Partition",
    "Polyline",
    "PowerDiagram",
    "Region",
    "SoftPartition",
    "VQDistance",
    "affine_map",
    "centroid",
    "codes",
    "convexity",
    "decision_boundary",
    "distance_to_border",
    "last_layer_penalty",
    "nearest_border",
    "partition",
    "power_diagram",
    "soft_partition",
    "template_penalty",
    "templates",
    "vq_distance",
]
__dir__ = __all__.copy
