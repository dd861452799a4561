"""The geometry of networks: exact linear regions, their boundaries, power diagrams and templates.

* :func:`partition`: the regions of a piecewise affine network on a polygon, or on a plane of any input space, as a
  :class:`Partition` of :class:`Region`, with its :class:`Layer` and :class:`Neighbours`; :func:`distance_to_border`,
  :func:`nearest_border`: how far a point is from the next region, and where that is.
* :func:`decision_boundary`: where classes meet, a :class:`Boundary` of :class:`Polyline`.
* :func:`soft_partition`: how undecided the units of the softened network are, a :class:`SoftPartition`.
* :func:`affine_map`: what the network is around a point, a :class:`LocalAffineMap`; :func:`templates`: its rows, by
  class; :func:`template_penalty`, :func:`last_layer_penalty`: what they have in common.
* :func:`adversarial_risk`: slope, margin and the radii of attacks, an :class:`AdversarialRisk`.
* :func:`codes`: what its units select at a point; :func:`vq_distance`: in how many of them two points differ, a
  :class:`VQDistance`; :func:`power_diagram`: in which cells they go on selecting it, a :class:`PowerDiagram`;
  :func:`centroid`: that of a cell.
* :func:`convexity`: whether its outputs are convex functions of the input, a :class:`Convexity`.
"""

from ._networks.graph import Layer
from ._plane.neighbours import Neighbours
from .adversarial import AdversarialRisk, adversarial_risk
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
    "AdversarialRisk",
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
    "adversarial_risk",
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
