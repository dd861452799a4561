"""A mixture that learns the digits: its means as pictures, iteration by iteration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from betavq.mixture import GaussianMixture

from ...drawing.looks import blank
from ...interactive import palette
from ...interactive.axes import Value, check_option, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, array, axis, dots, layout, line, picture
from ...interactive.numbers import number
from ...results.datasets import load_digits

COMPONENTS = 12
ITERATIONS = 30
SEED = 0
SIDE = 8  # pixels of a digit
ACROSS, DOWN = 4, 3  # pictures in the tile
VARIANCES = {"one for all": True, "one for each": False}
SURE = 0.99


@dataclass(frozen=True)
class Step:
    """A mixture on its way: its means ``(R, 64)``, variances ``(R,)`` or ``()``, and how it does on the images.

    Attributes:
        means, variance: of the components.
        log_likelihood: mean of log p(x) over the images.
        sure: share of the images of which one component has more than 99 % of the posterior.
    """

    means: Tensor
    variance: Tensor
    log_likelihood: float
    sure: float


@cache
def fit_digits(shared_variance: bool, seed: int = SEED) -> list[Step]:
    """EM on all 1797 digits from a k-means++ start: the start, and then every iteration."""
    images, _ = load_digits()
    generator = torch.Generator().manual_seed(seed)
    mixture = GaussianMixture.from_data(images, COMPONENTS, shared_variance=shared_variance, generator=generator)
    steps = [_step(mixture, images)]
    for _ in range(ITERATIONS):
        mixture.fit(images, max_iterations=1)
        steps.append(_step(mixture, images))
    return steps


def _step(mixture: GaussianMixture, images: Tensor) -> Step:
    largest = mixture.responsibilities(images).amax((1, 2))
    return Step(
        mixture.means[0].clone(),
        mixture.variance.clone(),
        mixture.log_prob(images).mean().item(),
        (largest > SURE).double().mean().item(),
    )


def tile(images: Tensor) -> Array:
    """Pictures ``(ACROSS·DOWN, 64)`` side by side with a pixel of paper around each, as one array in [0, 1]."""
    canvas = np.zeros((DOWN * (SIDE + 1) + 1, ACROSS * (SIDE + 1) + 1))
    for place, image in enumerate(array(images).reshape(-1, SIDE, SIDE)):
        row, column = (1 + (SIDE + 1) * part for part in divmod(place, ACROSS))
        canvas[row : row + SIDE, column : column + SIDE] = image.clip(0, 1)
    return canvas


def digits_frame(variance: str, iteration: float) -> Frame:
    """The means of the digits' mixture after some iterations of EM, and how well the mixture explains the digits.

    Raises:
        ValueError: a choice of variance that is not offered.
    """
    check_option("variance", variance, VARIANCES)
    done = min(max(round(iteration), 0), ITERATIONS)
    step = fit_digits(VARIANCES[variance])[done]
    pixels = tile(step.means)
    rows, columns = pixels.shape
    kind = "images it starts from" if done == 0 else "blurred digits"
    means = Panel(
        title=f"The {COMPONENTS} means",
        xlabel="each is an image of 8 × 8 pixels",
        alt=f"After {done} iterations the means are {kind}.",
        traces=[picture("means", pixels, (0, columns), (0, rows))],
        layout=blank(columns, rows),
        aspect=columns / rows,
    )
    styles = ((palette.ORANGE, "dash"), (palette.BLUE, "solid"))
    curves = [
        line(
            f"variance {name}",
            (0, 1),
            [each.log_likelihood for each in fit_digits(shared)],
            colour,
            dash=dash,
            label=True,
        )
        for (name, shared), (colour, dash) in zip(VARIANCES.items(), styles, strict=True)
    ]
    rising = Panel(
        title="Log-likelihood, mean over the images",
        xlabel="iteration of EM",
        alt="Both curves rise at every iteration, steeply at first; with a variance for each component, higher.",
        traces=[
            *curves,
            dots("this iteration", [done], [step.log_likelihood], palette.INK, size=12, label=""),
        ],
        layout=layout(axis(-1, ITERATIONS + 1, (0, 10, 20, 30)), axis(-6.5, 14, (-5, 0, 5, 10))),
    )
    spread = [f"{float(end):.3f}" for end in (step.variance.min(), step.variance.max())]
    noise = spread[0] if VARIANCES[variance] else " to ".join(spread)
    level = f"Log-likelihood {number(step.log_likelihood)}; σ² = {noise}."
    readout = f"{level} {100 * step.sure:.0f} % of images are over 99 % sure."
    return Frame([means, rising], readout)


def digits_figure() -> InteractiveFigure:
    """A slider over the iterations of EM on the digits, with one variance or one for each component."""
    variance = choice("variance", "Variance of the noise", tuple(VARIANCES), start="one for each")
    named: dict[Value, str] = {0.0: "start", float(ITERATIONS): "end"}
    iteration = sliding(
        "iteration", "Iteration", 0, ITERATIONS, 1, start=float(ITERATIONS), named=named, say=_say_iteration
    )
    caption = (
        f"Go to iteration 0 and step on with the arrow key. The start is {COMPONENTS} images of the data; every "
        "iteration first asks which component made which image, then moves each mean to the images it is given. The "
        "log-likelihood never falls."
    )
    return InteractiveFigure("digits-mixture", digits_frame, [variance, iteration], caption=caption)


def _say_iteration(value: Value) -> str:
    return f"iteration {float(value):.0f}"
