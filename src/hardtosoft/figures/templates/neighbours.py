"""The nearest training digits of a test digit, by its pixels and by what the network selects, hard or softly."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from betavq import code, geometry

from ...drawing.looks import blank
from ...drawing.sheets import outline, sheet, size
from ...interactive import palette
from ...interactive.axes import Axis, Value
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, path, picture
from ...results.networks import digits_model, digits_test_set, digits_training_set, load_digits_network

COLUMNS, SHOWN = 3, 5  # neighbours beside the digit itself
WIDTH, HEIGHT = size(1 + SHOWN, COLUMNS)
QUERIES = tuple(float(digit) for digit in range(10))
TRIED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)  # β that is chosen among
ALL, BLOCK = slice(None), 200
STOPS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@cache
def scores() -> tuple[Tensor, Tensor]:
    """Of each unit's active piece, with the network hard: ``(500, 64)`` for the test digits, then the training."""
    network = load_digits_network()
    new, known = (
        torch.cat(network.preactivations(images, 1.0), 1)
        for images in (digits_test_set()[0], digits_training_set()[0])
    )
    return new, known


def soft_codes(beta: float) -> tuple[Tensor, Tensor]:
    """How much each unit selects its active piece at β: of the test digits ``(500, 64)``, the training digits.

    The network runs hard, and so has the scores that it was trained with; its selections alone are read at β.
    """
    new, known = (code(torch.stack((torch.zeros_like(own), own), -1), beta)[..., 1] for own in scores())
    return new, known


def soft_distance(beta: float, rows: slice = ALL) -> Tensor:
    """The soft VQ distance: the mean of |t − t'| over all units, ``(500, 1297)``; at β = 1 the VQ distance.

    Nothing of it is kept: at all β together it would take more room than the rest of the chapter.
    """
    new, known = soft_codes(beta)
    return torch.cdist(new[rows], known, p=1) / new.shape[1]


@cache
def soft_share(beta: float) -> float:
    """How often the nearest training digit by soft codes has the right class."""
    return nearest_accuracy(soft_distance(beta))[0]


@cache
def right_without_itself(beta: float) -> float:
    """How often a training digit has the class of the training digit nearest to it among the others."""
    known, labels, shares = soft_codes(beta)[1], digits_training_set()[1], []
    for rows in torch.split(torch.arange(len(known)), BLOCK):
        distance = torch.cdist(known[rows], known, p=1)
        distance[torch.arange(len(rows)), rows] = torch.inf
        shares.append(len(rows) * _share_right(distance, labels[rows], labels)[0])
    return sum(shares) / len(known)


def chosen_beta() -> float:
    """The β that does best so, of ``TRIED``: no test digit has a part in it. Of equal ones the hardest."""
    return max(TRIED, key=lambda beta: (right_without_itself(beta), beta))


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
    return _share_right(distance, digits_test_set()[1], digits_training_set()[1])


def _share_right(distance: Tensor, labels: Tensor, known: Tensor) -> tuple[float, float]:
    near = distance <= distance.min(1, keepdim=True).values + 1e-12
    right = labels[:, None] == known
    count = near.sum(1)
    return float(((near & right).sum(1) / count).mean()), float((count > 1).double().mean())


def neighbours_frame(query: float, beta: float = 1.0) -> Frame:
    """The first test image of a digit with its five nearest training digits, by pixels and by codes at β."""
    label = int(query)
    row = int((digits_test_set()[1] == label).nonzero()[0])
    panels, words = [], []
    by_pixels, by_codes = distances()["pixels"][row], soft_distance(beta, slice(row, row + 1))[0]
    for title, own in (("Nearest by pixels", by_pixels), ("Nearest by codes", by_codes)):
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
        words.append(f"{one} nearest, {right} of five of its class")
    share = 100 * soft_share(beta)
    return Frame(
        panels,
        f"{_say_query(query).capitalize()}. By pixels {words[0]}; by codes at β = {beta:g} {words[1]}. Of all 500 "
        f"test digits the nearest by codes has the right class for {share:.1f} %.",
    )


def _pictures(row: int, order: Tensor) -> list[Trace]:
    images = torch.cat([digits_test_set()[0][row : row + 1], digits_training_set()[0][order]])
    around = outline(0, len(images), COLUMNS)
    return [
        picture("digits", sheet(images, COLUMNS), (0.0, WIDTH), (0.0, HEIGHT)),
        path("the digit", around, palette.ORANGE, width=3, label=""),
    ]


def _say_query(value: Value) -> str:
    digit = int(float(value))
    return f"{'an' if digit == 8 else 'a'} {digit}"


def neighbours_figure() -> InteractiveFigure:
    """A slider over ten test images, the first of every digit."""
    query = Axis("query", "digit", QUERIES, 4.0, say=_say_query)
    beta = Axis("beta", "β of the codes", STOPS, 1.0, named={0.5: "½", 1.0: "hard"})
    caption = (
        "Move through ten test images, the first of every digit. Left: the training digits with the nearest pixels. "
        "Right: those whose codes are nearest; at β = 1 the fewest units select another piece. Then lower β: the "
        "network stays the same, its selections are read more softly. Below: how many are nearest of all, with equal "
        "distance (the picture shows the first), and how often the nearest has the right class."
    )
    return InteractiveFigure("neighbours", neighbours_frame, [query, beta], caption=caption)
