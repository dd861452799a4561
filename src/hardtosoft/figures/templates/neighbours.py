"""The nearest training digits of a test digit, by its pixels and by what the network selects."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from betavq import geometry

from ...drawing.looks import blank
from ...drawing.sheets import outline, sheet, size
from ...interactive import palette
from ...interactive.axes import Axis, Value
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, path, picture
from ...results.networks import digits_model, digits_test_set, digits_training_set

COLUMNS, SHOWN = 3, 5  # neighbours beside the digit itself
WIDTH, HEIGHT = size(1 + SHOWN, COLUMNS)
QUERIES = tuple(float(digit) for digit in range(10))


@cache
def distances() -> dict[str, Tensor]:
    """From every test digit to every training digit, ``(500, 1297)``: by pixels, by layer, and the layers' mean."""
    new, known = digits_test_set()[0], digits_training_set()[0]
    found = geometry.vq_distance(digits_model(), new, known, pairwise=True)
    layers = {f"VQ, layer {n}": distance for n, distance in enumerate(found.by_layer.values(), start=1)}
    return {"pixels": torch.cdist(new, known), **layers, "VQ, mean of both": found.mean}


def nearest_accuracy(distance: Tensor) -> tuple[float, float]:
    """How often the nearest training digit has the right class, and how often several are equally near.

    Among several each counts with its share.
    """
    near = distance <= distance.min(1, keepdim=True).values + 1e-12
    right = digits_test_set()[1][:, None] == digits_training_set()[1]
    count = near.sum(1)
    return float(((near & right).sum(1) / count).mean()), float((count > 1).double().mean())


def neighbours_frame(query: float) -> Frame:
    """The first test image of a digit with its five nearest training digits, twice."""
    label = int(query)
    row = int((digits_test_set()[1] == label).nonzero()[0])
    panels, words = [], []
    for title, name in (("Nearest by pixels", "pixels"), ("Nearest by VQ distance", "VQ, mean of both")):
        own = distances()[name][row]
        order = own.argsort(stable=True)[:SHOWN]
        labels = digits_training_set()[1][order]
        tied = int((own <= own.min() + 1e-12).sum())
        right = int((labels == label).sum())
        shown = ", ".join(map(str, labels.tolist()))
        panels.append(
            Panel(
                title=title,
                xlabel=f"framed: the {label}; then {shown}",
                alt=f"{title}: of the five nearest training digits of this {label}, {right} are of its class.",
                traces=_pictures(row, order),
                layout=blank(WIDTH, HEIGHT),
                aspect=WIDTH / HEIGHT,
            )
        )
        one = "one training digit is" if tied == 1 else f"{tied} training digits are"
        words.append(f"by {'pixels' if name == 'pixels' else 'VQ distance'} {one} nearest")
    return Frame(panels, f"{_say_query(query).capitalize()}. {words[0][0].upper()}{words[0][1:]}, {words[1]}.")


def _pictures(row: int, order: Tensor) -> list[Trace]:
    images = torch.cat([digits_test_set()[0][row : row + 1], digits_training_set()[0][order]])
    around = outline(0, len(images), COLUMNS)
    return [
        picture("digits", sheet(images, COLUMNS), (0.0, WIDTH), (0.0, HEIGHT)),
        path("the digit", around, palette.ORANGE, width=3),
    ]


def _say_query(value: Value) -> str:
    digit = int(float(value))
    return f"{'an' if digit == 8 else 'a'} {digit}"


def neighbours_figure() -> InteractiveFigure:
    """A slider over ten test images, the first of every digit."""
    query = Axis("query", "digit", QUERIES, 4.0, say=_say_query)
    caption = (
        "Move through ten test images, the first of every digit. Left: the training digits with the nearest pixels. "
        "Right: those for which the fewest units of the network select another piece. Below: how many are nearest of "
        "all, with equal distance; of those, the right picture shows the first."
    )
    return InteractiveFigure("neighbours", neighbours_frame, [query], caption=caption)
