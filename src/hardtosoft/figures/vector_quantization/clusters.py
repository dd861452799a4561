"""K-means step by step: images of digits as points of a plane, seven centroids, and what every half-step gains."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from betavq.mixture import GaussianMixture

from ...drawing.edges import edges
from ...drawing.strokes import parted
from ...interactive import palette
from ...interactive.axes import Value, check_option, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, array, axis, dots, layout, line, path
from ...results.datasets import load_digits
from .cells import nearest_centroid_unit

IMAGES, CENTROIDS, SEED, BUNCH = 400, 7, 0, 5
STARTS = ("bunched", "spread out")
HALF_STEPS = 32
BOX_X, BOX_Y = (-2.1, 2.1), (-2.0, 1.8)
ASPECT = (BOX_X[1] - BOX_X[0]) / (BOX_Y[1] - BOX_Y[0])


@cache
def points() -> Tensor:
    """The first images of digits, each as two numbers: its first two principal components, ``(IMAGES, 2)``."""
    images, _ = load_digits()
    centred = images - images.mean(0)
    directions = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -2:].flip(-1)
    # An eigenvector has no sign of its own: its largest number is made positive, on every machine.
    signs = directions.gather(0, directions.abs().argmax(0, keepdim=True)).sign()
    placed: Tensor = centred[:IMAGES] @ (directions * signs)
    return placed


def start_means(start: str) -> Tensor:
    """Where K-means begins, ``(CENTROIDS, 2)``: on images of one digit, or where k-means++ puts it.

    Raises:
        ValueError: another start than the two.
    """
    check_option("start", start, STARTS)
    if start == "bunched":
        _, labels = load_digits()
        return points()[(labels[:IMAGES] == BUNCH).nonzero()[:CENTROIDS, 0]]
    generator = torch.Generator().manual_seed(SEED)
    return GaussianMixture.from_data(points(), CENTROIDS, generator=generator).means[0]


@cache
def history(start: str) -> Tensor:
    """The centroids at the start and after each iteration, ``(HALF_STEPS / 2 + 1, CENTROIDS, 2)``."""
    means = [start_means(start)]
    equal = torch.full((1, CENTROIDS), 1 / CENTROIDS, dtype=torch.float64)
    for _ in range(HALF_STEPS // 2):
        mixture = GaussianMixture(means[-1][None], equal)
        mixture.fit(points(), method="kmeans", max_iterations=1)
        means.append(mixture.means[0])
    return torch.stack(means)


def at(start: str, step: int) -> tuple[Tensor, Tensor]:
    """The centroids after ``step`` half-steps, and those whose cells give the code: the old ones after an odd step."""
    means = history(start)
    return means[(step + 1) // 2], means[step // 2]


def squared_error(centroids: Tensor, coders: Tensor) -> float:
    """Mean squared distance of the images to the centroid of the cell, among those of ``coders``, they lie in."""
    code = nearest_centroid_unit(coders).selection(points())[:, 0]
    return float((points() - centroids[code]).square().sum(1).mean())


@cache
def errors(start: str) -> Array:
    """The squared error after every half-step, ``(HALF_STEPS + 1,)``."""
    return np.array([squared_error(*at(start, step)) for step in range(HALF_STEPS + 1)])


def k_means_frame(start: str, step: float) -> Frame:
    """The images, the centroids on their way, and the squared error so far; a step is one half of an iteration."""
    done = min(HALF_STEPS, max(0, round(step)))
    centroids, coders = (array(means) for means in at(start, done))
    borders = edges(nearest_centroid_unit(torch.from_numpy(coders)), BOX_X, BOX_Y).reshape(-1, 2)
    gone = errors(start)
    steps = np.arange(HALF_STEPS + 1)
    so_far = np.where(steps <= done, gone, np.nan)
    x, y = array(points()).T
    trails = _trails(start, done)
    words = "Start" if done == 0 else ("Centroids moved" if done % 2 else "Cells drawn anew")
    plane = Panel(
        title="Images of digits as points, and the cells",
        xlabel="principal components: first (across), second (up)",
        alt=f"After {done} half-steps seven centroids share the images among them, with a squared error of "
        f"{gone[done]:.3f}.",
        traces=[
            dots("an image of a digit", x, y, palette.GREY, size=3, label=""),
            path("edges of the cells", borders, palette.INK, width=2, label=""),
            path("path of the centroids", trails, palette.ORANGE, width=2, label=""),
            dots(
                "centroids",
                centroids[:, 0],
                centroids[:, 1],
                palette.ORANGE,
                symbol="square",
                size=11,
                label="a centroid",
            ),
        ],
        layout=layout(axis(*BOX_X, (-2, -1, 0, 1, 2), grid=False), axis(*BOX_Y, (-1, 0, 1), grid=False)),
        aspect=ASPECT,
    )
    fall = Panel(
        title="Mean squared distance to the centroid",
        xlabel="half-steps",
        alt="The squared error falls with every half-step until it stands still; it never rises.",
        traces=[
            line("so far", (0.0, 1.0), so_far, palette.GREY, width=1.5, label=""),
            dots("cells drawn anew", steps[::2], so_far[::2], palette.BLUE, size=8, label="cells drawn anew"),
            dots(
                "centroids moved",
                steps[1::2],
                so_far[1::2],
                palette.ORANGE,
                symbol="square",
                size=7,
                label="centroids moved",
            ),
        ],
        layout=layout(axis(-1, HALF_STEPS + 1, (0, 8, 16, 24, 32)), axis(0, 0.7, (0, 0.2, 0.4, 0.6))),
    )
    return Frame([plane, fall], f"{words}. Mean squared distance {gone[done]:.5f}{_change(gone, done)}.")


def _trails(start: str, done: int) -> Tensor:
    """Each centroid's path so far, parted by NaN, with as many numbers in every state."""
    ways = array(history(start)).copy()
    ways[(done + 1) // 2 + 1 :] = np.nan
    return parted(ways.transpose(1, 0, 2))


def _change(gone: Array, done: int) -> str:
    if done == 0:
        return ""
    fall = gone[done - 1] - gone[done]
    return f", {fall:.5f} less" if fall > 1e-9 else ", as before: nothing moves any more"


def _say_step(value: Value) -> str:
    return f"{int(value)} half-steps" if value != 1 else "1 half-step"


def k_means_figure() -> InteractiveFigure:
    """K-means from two starts, one half-step after the other."""
    caption = (
        "Go to “start” and take one half-step at a time; the right arrow key does it. Odd ones move every "
        "centroid to the mean of the images in its cell, even ones draw the cells anew around the moved centroids. "
        "Each kind lowers the squared error, or leaves it as it is. Then choose the other start: it ends elsewhere."
    )
    starts = choice("start", "Start", STARTS, start="bunched")
    named: dict[Value, str] = {0.0: "start", 32.0: "end"}
    steps = sliding("step", "Half-steps of K-means", 0, HALF_STEPS, 1, start=32.0, named=named, say=_say_step)
    return InteractiveFigure("k-means", k_means_frame, [starts, steps], caption=caption)
