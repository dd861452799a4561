"""One small network for digits, softened live: what it makes of single images, and of the plane through three."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

import betavq

from .. import palette
from ..axes import choice
from ..contours import level_line
from ..frames import Frame, Panel, Trace, axis, dots, heatmap, layout, line, picture
from ..interactive import InteractiveFigure
from ..networks import digits_test_set, digits_training_set
from ..softened import load_digits_cnn
from .softening_curves import near_one

KEPT, RENEWED = "kept from training", "computed again"
STATISTICS = (KEPT, RENEWED)
CORNERS = (("triangle's top", palette.BLUE), ("left corner", palette.ORANGE), ("right corner", palette.GREEN))
SIDE, CELLS, BOUNDARY_POINTS = 1.75, 48, 160
PLACES = torch.tensor([[0.0, 1.0], [-(3**0.5) / 2, -0.5], [3**0.5 / 2, -0.5]], dtype=torch.float64)  # of the corners


def images(kind: str = "test") -> tuple[Tensor, Tensor]:
    """The digits as the network takes them, ``(N, 1, 8, 8)`` of float32 in [0, 1], and their labels."""
    pixels, labels = digits_test_set() if kind == "test" else digits_training_set()
    return pixels.float().view(-1, 1, 8, 8), labels


def softened(beta: float, statistics: str = KEPT) -> nn.Module:
    """The stored network at β; its batch statistics as they were, or computed again on the training digits.

    Raises:
        ValueError: other statistics.
    """
    if statistics not in STATISTICS:
        raise ValueError(f"statistics must be one of {', '.join(map(repr, STATISTICS))}, got {statistics!r}")
    net = betavq.soften(load_digits_cnn(), beta)
    return renew(net) if statistics == RENEWED else net


def renew(net: nn.Module) -> nn.Module:
    """A copy whose batch normalisation has the mean and variance of its own activations on the training digits."""
    again = copy.deepcopy(net)
    update_bn(images("training")[0].split(500), again)
    return again.eval()


@torch.no_grad()
def probabilities(net: nn.Module, pixels: Tensor) -> Tensor:
    """Of the ten classes, ``(N, 10)``."""
    return torch.cat([net(part) for part in pixels.split(1000)]).double().softmax(-1)


@cache
def cases() -> dict[str, int]:
    """Rows of test digits that the hard network finds easy, hard, or gets wrong."""
    pixels, labels = images()
    found = probabilities(load_digits_cnn(), pixels)
    sure, named = found.max(-1)
    right = named == labels
    wrong_row = int(torch.where(right, -1.0, sure).argmax())
    unsure_row = int(torch.where(right, sure, 2.0).argmin())
    rest = (torch.arange(len(labels)) != wrong_row) & (torch.arange(len(labels)) != unsure_row)
    return {
        "a clear one": int(torch.where(right & rest, sure, -1.0).argmax()),
        "one it is unsure of": unsure_row,
        "one it misreads": wrong_row,
    }


def digit_frame(case: str, statistics: str, beta: float) -> Frame:
    """One test digit, and the probabilities of its ten classes at β beside those of the hard network.

    Raises:
        ValueError: a case that is not offered.
    """
    if case not in cases():
        raise ValueError(f"case must be one of {', '.join(map(repr, cases()))}, got {case!r}")
    pixels, labels = images()
    row = cases()[case]
    image, label = pixels[row], int(labels[row])
    hard = 100 * probabilities(load_digits_cnn(), image[None])[0]
    soft = 100 * probabilities(softened(beta, statistics), image[None])[0]
    digits = np.arange(10)
    stems = np.repeat(digits, 3), np.outer(soft.numpy(), [0, 1, np.nan]).ravel() + np.outer(
        np.ones(10), [0, 0, 0]
    ).ravel()
    named = int(soft.argmax())
    shown = Panel(
        title=f"A test digit: {label}",
        xlabel="8 × 8 pixels",
        alt=f"A handwritten {label}, {case}.",
        traces=[picture("pixels", image[0], (0.0, 8.0), (0.0, 8.0))],
        layout=layout(axis(0, 8, (), grid=False), axis(0, 8, (), grid=False)),
        aspect=1.0,
    )
    bars = Panel(
        title="Probability of each class, %",
        xlabel="class",
        alt=f"At β = {beta:.4g} the network says {named} with {soft[named]:.1f} %; hard it says "
        f"{int(hard.argmax())} with {hard.max():.1f} %.",
        traces=[
            line("softened", *stems, palette.BLUE, width=7, showlegend=False),
            dots("softened", digits, soft, palette.BLUE, symbol="square", size=9),
            dots("hard", digits, hard, palette.ORANGE, size=8),
        ],
        layout=layout(axis(-0.6, 9.6, digits.tolist(), grid=False), axis(-3, 103, (0, 25, 50, 75, 100))),
    )
    readout = f"β = {beta:.4g}: it says {named} with {soft[named]:.1f} %; the {label} has {soft[label]:.1f} %."
    return Frame([shown, bars], readout)


@cache
def corners() -> tuple[Tensor, Tensor]:
    """Three test digits of the classes 3, 8 and 9 that the hard network reads rightly; images and labels."""
    pixels, labels = images()
    found = probabilities(load_digits_cnn(), pixels)
    rows = []
    for digit in (3, 8, 9):
        own = torch.where(labels == digit, found[:, digit], -1.0)
        rows.append(int(own.argsort(descending=True)[10]))  # neither the clearest nor an odd one
    return pixels[rows], labels[rows]


@cache
def plane() -> Tensor:
    """The images of the plane through the three corners, ``(CELLS², 1, 8, 8)``, row by row from the bottom.

    A point of the drawn plane is the mix of the corners whose weights, summing to 1, put it there; outside the
    triangle some are negative.
    """
    centres = _centres()
    points = torch.cartesian_prod(centres, centres).flip(-1)
    system = torch.cat((PLACES.T, torch.ones(1, 3, dtype=torch.float64)))
    weights = torch.linalg.solve(system, torch.cat((points.T, torch.ones(1, len(points), dtype=torch.float64))))
    mixed = weights.T @ corners()[0].double().flatten(1)
    return mixed.float().view(-1, 1, 8, 8)


def slice_frame(beta: float) -> Frame:
    """The plane through three digits, tinted by what the network says, with both kinds of statistics."""
    panels = [_slice(beta, statistics) for statistics in STATISTICS]
    readouts = []
    for statistics in STATISTICS:
        found = probabilities(softened(beta, statistics), images()[0])
        right = 100 * (found.argmax(1) == images()[1]).double().mean().item()
        readouts.append(f"{right:.1f} %")
    return Frame(panels, f"β = {beta:.4g}: right on test digits {readouts[0]}; statistics computed again {readouts[1]}.")


def _slice(beta: float, statistics: str) -> Panel:
    digits, labels = corners()
    net = softened(beta, statistics)
    found = probabilities(net, plane())
    box, traces = (-SIDE, SIDE), []
    for label, (_, colour) in zip(labels.tolist(), CORNERS, strict=True):
        traces.append(heatmap(f"says {label}", found[:, label].view(CELLS, CELLS), box, box, colour))
    for label in labels.tolist():
        others = found.clone()
        others[:, label] = 0
        ahead = (found[:, label].clamp_min(1e-300).log() - others.amax(1).clamp_min(1e-300).log()).view(CELLS, CELLS)
        edge = level_line(_centres(), _centres(), ahead, 0.0, BOUNDARY_POINTS)
        traces.append(line("boundary", edge[:, 0], edge[:, 1], palette.INK, width=1.5, showlegend=label == labels[0]))
    own = probabilities(net, digits)[torch.arange(3), labels]
    for (label, place), (_, colour) in zip(zip(labels.tolist(), PLACES.tolist(), strict=True), CORNERS, strict=True):
        traces.append(dots(f"a test digit {label}", [place[0]], [place[1]], colour, size=10))
    told = ", ".join(f"{label}: {100 * share:.0f} %" for label, share in zip(labels.tolist(), own.tolist(), strict=True))
    return Panel(
        title=f"Statistics {statistics}",
        xlabel="the plane through three digits",
        alt=f"At β = {beta:.4g}, statistics {statistics}, the three digits get their own class with {told}; "
        f"{_edges(beta)}.",
        traces=traces,
        layout=layout(axis(-SIDE, SIDE, (), grid=False), axis(-SIDE, SIDE, (), grid=False)),
        aspect=1.0,
    )


def _edges(beta: float) -> str:
    if beta == 0:
        return "all boundaries are straight, for the network is affine"
    return "the boundaries are bent at many places" if beta == 1 else "the boundaries are smooth curves"


def _centres() -> Tensor:
    step = 2 * SIDE / CELLS
    return -SIDE + step * (torch.arange(CELLS, dtype=torch.float64) + 0.5)


def digit_figure() -> InteractiveFigure:
    """A test digit and its probabilities."""
    caption = ""
    axes = [
        choice("case", "Digit", tuple(cases()), start="one it is unsure of"),
        choice("statistics", "Batch statistics", STATISTICS, start=KEPT),
        near_one(0.9),
    ]
    return InteractiveFigure("softened-digit", digit_frame, axes, caption=caption)


def slice_figure() -> InteractiveFigure:
    """The plane through three digits."""
    caption = ""
    return InteractiveFigure("softened-plane", slice_frame, [near_one(0.9)], caption=caption)
