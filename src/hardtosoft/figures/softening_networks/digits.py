"""One small network for digits, softened live: what it makes of single images, and of the plane through three."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

import betavq

from ...drawing.looks import blank
from ...drawing.raster import Plane
from ...interactive import palette
from ...interactive.axes import check_option, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, array, axis, dots, layout, line, path, picture
from ...interactive.names import label
from ...results.networks import digits_test_set, digits_training_set
from ...results.softened import load_digits_cnn
from .curves import near_one

KEPT, RENEWED = "kept from training", "computed again"
STATISTICS = (KEPT, RENEWED)
CLASSES = (3, 8, 9)
COLOURS = (palette.BLUE, palette.ORANGE, palette.GREEN)
PLANE = Plane((-1.75, 1.75), (-1.75, 1.75), 40, 40, finer=1)  # probabilities have no edges, but kinks
BOUNDARY_POINTS = 160
PLACES = torch.tensor([[0.0, 1.0], [-(3**0.5) / 2, -0.5], [3**0.5 / 2, -0.5]], dtype=torch.float64)  # of the corners

HELD_OUT = 0.2  # of the training digits


def images(kind: str = "test") -> tuple[Tensor, Tensor]:
    """The digits as the network takes them, ``(N, 1, 8, 8)`` of float32 in [0, 1], and their labels.

    Args:
        kind: test; training; or of the training digits those that the stored network has learned from (learned), and
            the fifth that it has not (held out), as ``experiments.softening`` draws them.
    """
    check_option("kind", kind, ("test", "training", "learned", "held out"))
    pixels, labels = digits_test_set() if kind == "test" else digits_training_set()
    if kind in ("learned", "held out"):
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
        count = round(HELD_OUT * len(labels))
        rows = order[:count] if kind == "held out" else order[count:]
        pixels, labels = pixels[rows], labels[rows]
    return pixels.float().view(-1, 1, 8, 8), labels


def softened(beta: float, statistics: str = KEPT) -> nn.Module:
    """The stored network at β; its batch statistics as they were, or computed again on the training digits.

    Raises:
        ValueError: other statistics.
    """
    check_option("statistics", statistics, STATISTICS)
    net = betavq.set_beta(copy.deepcopy(_ready()), beta)
    return renew(net) if statistics == RENEWED else net


@cache
def _ready() -> nn.Module:
    """The stored network with its units found: at another β only that is set, in a third of the time."""
    return betavq.soften(load_digits_cnn(), 1.0)


def renew(net: nn.Module) -> nn.Module:
    """A copy whose batch normalisation has the mean and variance of its own activations on the training digits."""
    again = copy.deepcopy(net)
    update_bn(torch.split(images("training")[0], 500), again)
    return again.eval()


@torch.no_grad()
def probabilities(net: nn.Module, pixels: Tensor) -> Tensor:
    """Of the ten classes, ``(N, 10)``."""
    return torch.cat([net(part) for part in torch.split(pixels, 1000)]).double().softmax(-1)


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
    check_option("case", case, cases())
    pixels, labels = images()
    row = cases()[case]
    image, truth = pixels[row], int(labels[row])
    hard = 100 * probabilities(load_digits_cnn(), image[None])[0]
    soft = 100 * probabilities(softened(beta, statistics), image[None])[0]
    digits = np.arange(10)
    stems = np.column_stack([np.zeros(10), array(soft), np.full(10, np.nan)])
    named = int(soft.argmax())
    at = named / 9
    shown = Panel(
        title=f"A test digit: {truth}",
        xlabel="8 × 8 pixels",
        alt=f"A handwritten {truth}, {case}.",
        traces=[picture("pixels", image[0], (0.0, 8.0), (0.0, 8.0))],
        layout=blank(8, 8),
        aspect=1.0,
    )
    bars = Panel(
        title="Probability of each class, %",
        xlabel="class",
        alt=f"At β = {beta:.4g} the network says {named} with {soft[named]:.1f} %; hard it says "
        f"{int(hard.argmax())} with {hard.max():.1f} %.",
        traces=[
            line("softened", np.repeat(digits, 3), stems.ravel(), palette.BLUE, width=7, label=""),
            dots("softened", digits, soft, palette.BLUE, symbol="square", size=9, label=label("softened", at=at)),
            dots("hard", digits, hard, palette.ORANGE, size=8, label=label("hard", at=int(hard.argmax()) / 9)),
        ],
        layout=layout(axis(-0.6, 9.6, digits.tolist(), grid=False), axis(-3, 103, (0, 25, 50, 75, 100))),
    )
    readout = f"β = {beta:.4g}: it says {named} with {soft[named]:.1f} %; the {truth} has {soft[truth]:.1f} %."
    return Frame([shown, bars], readout)


@cache
def corners(classes: tuple[int, ...] = CLASSES) -> tuple[Tensor, Tensor]:
    """For each of three classes a test digit that the hard network reads correctly: images and labels.

    Raises:
        ValueError: not three different classes from 0 to 9.
    """
    if len(set(classes)) != 3 or not set(classes) <= set(range(10)):
        raise ValueError(f"classes must be three different digits from 0 to 9, got {list(classes)}")
    pixels, labels = images()
    found = probabilities(load_digits_cnn(), pixels)
    # The eleventh surest of its class: neither the clearest nor an odd one.
    rows = [int(torch.where(labels == digit, found[:, digit], -1.0).argsort(descending=True)[10]) for digit in classes]
    return pixels[rows], labels[rows]


@cache
def plane_images(classes: tuple[int, ...]) -> Tensor:
    """The images of the plane through the corners, ``(N, 1, 8, 8)``, at the points of ``PLANE``.

    A point stands for the mix of the corners whose weights sum to 1 and put it there; outside the triangle some are
    negative.
    """
    ones = torch.ones(1, len(PLANE.points), dtype=torch.float64)
    system = torch.cat((PLACES.T, torch.ones(1, 3, dtype=torch.float64)))
    weights = torch.linalg.solve(system, torch.cat((PLANE.points.T, ones)))
    mixed: Tensor = weights.T @ corners(classes)[0].double().flatten(1)
    return mixed.float().view(-1, 1, 8, 8)


def plane_frame(classes: tuple[int, ...], beta: float) -> Frame:
    """The plane through three digits, tinted by what the network says, with both kinds of statistics."""
    pixels, labels = images()
    right = []
    panels = []
    kept = softened(beta)
    for statistics, net in ((KEPT, kept), (RENEWED, renew(kept))):
        panels.append(_plane(net, classes, beta, statistics))
        right.append(100 * (probabilities(net, pixels).argmax(1) == labels).double().mean().item())
    readout = (
        f"β = {beta:.4g}: {right[0]:.1f} % of test digits right; with statistics computed again {right[1]:.1f} %."
    )
    return Frame(panels, readout)


def _plane(net: nn.Module, classes: tuple[int, ...], beta: float, statistics: str) -> Panel:
    digits, labels = corners(classes)
    found = probabilities(net, plane_images(classes))
    own = probabilities(net, digits)[torch.arange(3), labels]
    traces = PLANE.tints(found[:, list(classes)], COLOURS)
    for digit in classes:
        others = found.clone()
        others[:, digit] = 0
        ahead = PLANE.means((1 + found[:, digit] - others.amax(1)) / 2)
        edge = PLANE.level_line(ahead, 0.5, BOUNDARY_POINTS)
        traces.append(path("where the answer changes", edge, palette.INK, width=1.5, label=""))
    for digit, place, colour in zip(classes, PLACES.tolist(), COLOURS, strict=True):
        traces.append(dots(f"a test digit {digit}", place[:1], place[1:], colour, size=11, label=f"a {digit}"))
    told = ", ".join(f"{digit} with {100 * share:.0f} %" for digit, share in zip(classes, own.tolist(), strict=True))
    return Panel(
        title=f"Statistics {statistics}",
        xlabel="the plane through three digits",
        alt=f"At β = {beta:.4g}, statistics {statistics}, the network says {told} at the three digits themselves; "
        f"{_edges(beta)}.",
        traces=traces,
        layout=PLANE.layout((), ()),
        aspect=PLANE.aspect,
    )


def _edges(beta: float) -> str:
    if beta == 0:
        return "what boundaries there are between classes are straight, for the network is affine"
    return "the boundaries between classes have kinks" if beta == 1 else "the boundaries between classes are smooth"


def digit_figure() -> InteractiveFigure:
    """A test digit and its probabilities."""
    caption = (
        "Orange is the hard network, blue the softened one. Move β from 1 down. Then let the batch statistics be "
        "computed again and go down once more: the answers hold much longer."
    )
    axes = [
        choice("case", "Digit", tuple(cases()), start="one it is unsure of"),
        choice("statistics", "Batch statistics", STATISTICS, start=KEPT),
        near_one(0.9),
    ]
    return InteractiveFigure("softened-digit", digit_frame, axes, caption=caption)


def plane_figure() -> InteractiveFigure:
    """The plane through three digits of the chapter."""
    caption = (
        "Move β from 1 to 0. Left: the statistics are those of training; right: they are computed again at every "
        "β. The tints are the probabilities of the three classes; where there is none, the network says something "
        "else."
    )
    beta = replace(near_one(0.6019), plays=True)
    return InteractiveFigure("softened-plane", partial(plane_frame, CLASSES), [beta], caption=caption)


def your_plane_figure(classes: Sequence[int] = CLASSES) -> InteractiveFigure:
    """The plane through digits of three classes that a reader names.

    Raises:
        ValueError: as :func:`corners`, at once: a reader's mistake should show in the reader's own cell.
    """
    corners(tuple(classes))
    caption = "Move β: where do the two planes part?"
    return InteractiveFigure(
        "your-softened-plane", partial(plane_frame, tuple(classes)), [near_one(0.6019)], caption=caption
    )
