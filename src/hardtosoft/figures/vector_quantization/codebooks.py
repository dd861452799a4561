"""Codebooks of handwritten digits: centroids as pictures, and what is lost when an image is sent as an index."""

from __future__ import annotations

from functools import cache
from math import ceil, log2, sqrt

import numpy as np
import torch
from torch import Tensor

from betavq.mixture import GaussianMixture

from ...interactive import palette
from ...interactive.axes import Axis, Value
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, array, axis, dots, layout, line, picture
from ...interactive.names import label
from ...interactive.overlays import area
from ...results.networks import digits_test_set, digits_training_set
from .cells import nearest_centroid_unit

SIDE = 8  # an image has SIDE² pixels
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
SEEDS = range(10)
SHOWN_SEED = 0
#: The picture of a codebook, rows by columns: 128 images with a line of paper between them fit exactly.
CANVAS = (72, 144)
SHOWN = 8  # digits sent, as large as the centroids of a codebook of 32
STRIP, GAP = 18, 6  # rows of the picture that they take, and that part them from the codebook
RAW_BITS = SIDE**2 * log2(17)  # grey levels 0 to 16


def fit_codebook(images: Tensor, size: int, seed: int) -> Tensor:
    """The centroids that K-means finds from a k-means++ start, run until nothing moves: ``(size, D)``."""
    mixture = GaussianMixture.from_data(images, size, generator=torch.Generator().manual_seed(seed))
    mixture.fit(images, method="kmeans", max_iterations=300, tolerance=0.0)
    return mixture.means[0]


@cache
def codebook(size: int, seed: int) -> Tensor:
    """:func:`fit_codebook` of the digits to learn from, ``(size, 64)``."""
    return fit_codebook(digits_training_set()[0], size, seed)


def quantized(centroids: Tensor, images: Tensor) -> Tensor:
    """Each image replaced by its nearest centroid."""
    return centroids[nearest_centroid_unit(centroids).selection(images)[:, 0]]


def share_lost(replaced: Tensor, images: Tensor) -> float:
    """Squared error in percent of what the mean of the digits to learn from leaves."""
    mean = digits_training_set()[0].mean(0)
    return 100 * float((images - replaced).square().sum() / (images - mean).square().sum())


@cache
def losses(on_new: bool) -> Array:
    """The share lost, ``(len(SIZES), len(SEEDS))``: on new digits, or on those that the codebook was learnt from."""
    images, _ = digits_test_set() if on_new else digits_training_set()
    return np.array(
        [[share_lost(quantized(codebook(size, seed), images), images) for seed in SEEDS] for size in SIZES]
    )


def shown_digits() -> Tensor:
    """The first new images: ``(SHOWN, 64)``."""
    return digits_test_set()[0][:SHOWN]


def tiled(images: Array) -> Array:
    """Up to 128 images on one canvas, as large as they fit, from the left to the right and from the top down."""
    count = len(images)
    # Sides double from one size to the next but one, so that every image has whole pixels.
    tile = CANVAS[0] // 2 ** ceil(log2(sqrt(count / 2)))
    columns = CANVAS[1] // tile if log2(count) % 2 else CANVAS[0] // tile
    canvas = np.zeros(CANVAS)
    left = (CANVAS[1] - columns * tile) // 2
    scale = tile // (SIDE + 1)
    for place, image in enumerate(images.reshape(-1, SIDE, SIDE)):
        row, column = divmod(place, columns)
        top, side = row * tile + scale // 2, left + column * tile + scale // 2
        large = image.repeat(scale, 0).repeat(scale, 1)
        canvas[top : top + SIDE * scale, side : side + SIDE * scale] = large
    return canvas.clip(0, 1)  # a mean may leave its range by rounding


def exchange(centroids: Tensor) -> Array:
    """New digits in a row, under each one its nearest centroid, and below them the whole codebook."""
    images = shown_digits()
    # Four times the eight digits are as many as 32 centroids: the first strip of that picture is theirs.
    rows = [tiled(np.concatenate([array(part)] * 4))[:STRIP] for part in (images, quantized(centroids, images))]
    return np.concatenate([*rows, np.zeros((GAP, CANVAS[1])), tiled(array(centroids))])


def codebook_frame(size: float) -> Frame:
    """The codebook of (about) this size, some digits sent through it, and the error against the bits."""
    place = int(np.argmin([abs(log2(max(size, 1)) - log2(known)) for known in SIZES]))
    count = SIZES[place]
    centroids = codebook(count, SHOWN_SEED)
    new, seen = losses(True), losses(False)
    many = f"{count} centroids" if count > 1 else "1 centroid"
    height = 2 * STRIP + GAP + CANVAS[0]
    heights = [height - STRIP / 2, height - 1.5 * STRIP, CANVAS[0] / 2]
    book = Panel(
        title="New digits, what arrives, the codebook",
        xlabel="each centroid is a picture",
        alt=f"{many}: blurred digits where one has to stand for many images, sharper ones the more there are.",
        traces=[picture("digits", exchange(centroids), (0, CANVAS[1]), (0, height))],
        layout=layout(
            axis(0, CANVAS[1], (), grid=False),
            axis(0, height, heights, ("in", "out", "all"), grid=False),
        ),
        aspect=CANVAS[1] / height,
    )
    bits = [log2(known) for known in SIZES]
    shown = [new[place, SHOWN_SEED]]
    error = Panel(
        title="What is lost, in % of the variance",
        xlabel="bits an image, log₂ R",
        alt=f"More bits lose less: {new[place].mean():.0f} % on new digits at {place} bits.",
        traces=[
            line(
                "digits learnt from",
                bits,
                seen.mean(1),
                palette.GREY,
                dash="dash",
                width=2,
                label=True,
            ),
            line("new digits", bits, new.mean(1), palette.BLUE, width=3, label=label("new digits", side="ne")),
            area("new digits, least to most of ten seeds", bits, new.min(1), new.max(1), palette.BLUE),
            dots("the codebook shown", [bits[place]], shown, palette.ORANGE, symbol="square", size=12, label="shown"),
        ],
        layout=layout(axis(-0.2, 7.2, range(8)), axis(0, 105, (0, 25, 50, 75, 100))),
    )
    shares = f"{new[place, SHOWN_SEED]:.1f} % of the variance is lost on new digits"
    return Frame([book, error], f"{place} bits an image instead of {RAW_BITS:.0f}; {shares}.")


def _say_size(value: Value) -> str:
    return f"R = {value:g}"


def codebook_figure() -> InteractiveFigure:
    """One slider for the number of centroids."""
    caption = (
        "The first row goes in, the second one comes out: for each digit the nearest of all the centroids below. With "
        "each step of the slider their number doubles, and an index costs one bit more. (An image as it is, 64 pixels "
        f"of 17 grey levels, takes {RAW_BITS:.0f} bits.) A single centroid turns every image into the mean. With more "
        "of them the digits appear one after another, then their ways of being written. Look for images that arrive "
        f"as another digit. The curves are means over {len(SEEDS)} seeds; the veil goes "
        "from the least to the most of them."
    )
    named: dict[Value, str] = {1.0: "the mean", 16.0: "4 bits", 128.0: "7 bits"}
    sizes = Axis("size", "R, the number of centroids", tuple(map(float, SIZES)), 16.0, named, say=_say_size)
    return InteractiveFigure("codebooks", codebook_frame, [sizes], caption=caption)
