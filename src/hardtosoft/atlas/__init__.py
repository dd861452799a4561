"""The atlas: every nonlinearity has coordinates, that is pieces, a selection with its β, and a read-out.

What is exact means nothing without the rules of the game, for one piece with any read-out would fit anything:

* scores are affine in the inputs;
* a read-out is constant or affine in the inputs, the scores themselves by default; a multiple of the free energy (the
  expected maximum) of the same selection may be added;
* the selection comes from a fixed list: Shannon's or the quadratic entropy for any number of pieces (for two they are
  logistic and uniform noise), Gaussian, exponential or Lomax noise for two.

``ATLAS`` is iterable, and shows itself as a table in a notebook; ``FAMILIES`` are its parts, each an atlas::

    ATLAS["GELU"](torch.tensor([-1.0, 1.0]))        # computed from the coordinates alone
    ATLAS["GELU"].distance(ATLAS["SiLU"])           # how far apart two of them are
    dataclasses.replace(ATLAS["SiLU"].coordinates, selection="lomax")(u)    # other noise in the same slot
"""

from .coordinates import ENTROPIES, SELECTIONS, Affine, Coordinates, Selection, constant, constants, line
from .entry import EXACT, Entry, points
from .gates import GATES
from .kinks import KINKS
from .many import MANY
from .misfits import MISFITS
from .noises import NOISES
from .table import Atlas

FAMILIES = {
    "hard": Atlas(KINKS, "Hard selection: corners and jumps"),
    "entropy": Atlas(GATES, "Soft selection by an entropy"),
    "noise": Atlas(NOISES, "Soft selection under other noise"),
    "many": Atlas(MANY, "Many inputs, each of them a piece"),
    "misfits": Atlas(MISFITS, "As close as can be"),
}
ATLAS = Atlas(entry for family in FAMILIES.values() for entry in family)

__all__ = [
    "ATLAS",
    "ENTROPIES",
    "EXACT",
    "FAMILIES",
    "SELECTIONS",
    "Affine",
    "Atlas",
    "Coordinates",
    "Entry",
    "Selection",
    "constant",
    "constants",
    "line",
    "points",
]
