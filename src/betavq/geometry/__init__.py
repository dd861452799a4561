"""The geometry of networks: exact linear regions, their boundaries, power diagrams and templates.

:func:`partition` finds the regions of a piecewise affine network on a polygon, or on a plane through any input space.
"""

from ._neighbours import Neighbours
from .partitions import partition
from .regions import Layer, Partition, Region

__all__ = ["Layer", "Neighbours", "Partition", "Region", "partition"]
