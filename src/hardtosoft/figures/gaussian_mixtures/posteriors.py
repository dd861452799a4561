"""The mixture behind a unit of two inputs: its posterior from hard to soft, and what its prior has to be."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

import betavq
from betavq.mixture import GaussianMixture

from ...drawing.edges import crossings, edges
from ...drawing.looks import STYLES, UP_TO_1, piece_lines
from ...drawing.looks import SYMBOLS as WEIGHT_NAMES
from ...drawing.raster import Plane
from ...drawing.strokes import upright
from ...interactive import palette
from ...interactive.axes import Axis, Value, check_option, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, axis, dots, layout, line, path
from ...interactive.marks import weighed
from .. import layers

SLOPES = torch.tensor([[-1.6, -0.7], [1.5, -1.0], [0.3, 1.5]], dtype=torch.float64)
#: B + ½‖A‖² of the three pieces: what makes their components' weights unequal.
ADVANTAGES = torch.tensor([1.6, 0.0, -0.4], dtype=torch.float64)
COLOURS = tuple(colour for colour, _ in STYLES[:3])
SYMBOLS = ("circle", "square", "circle")
SIZES = (10, 10, 15)
PLANE = Plane((-3.0, 3.0), (-2.4, 2.4), 46, 37)
CUT_HEIGHT = 1.0
CUT = torch.stack([torch.linspace(-3, 3, 201, dtype=torch.float64), torch.full((201,), CUT_HEIGHT).double()], -1)
CUT_GRID = (-3.0, 0.03)
#: Where the numbers under the figure are read.
PROBE = torch.tensor([-0.6, CUT_HEIGHT], dtype=torch.float64)

PRIORS = ("1/σ² in it", "1/σ² forgotten", "equal weights")
#: As the edges to which each prior leads are drawn: those of the hard unit, the mixture's own, the nearest centroid's.
PRIOR_STYLES = ((palette.INK, "solid"), (palette.BLUE, "dash"), (palette.GREY, "dot"))
VARIANCES = tuple(float(f"{10 ** (step / 20):.2g}") for step in range(-26, 13))  # 0.05 to 4, evenly on a log scale


@cache
def unit() -> betavq.MASO:
    """The unit of the chapter: three pieces of two inputs."""
    return betavq.MASO(SLOPES[None], (ADVANTAGES - 0.5 * SLOPES.square().sum(-1))[None])


@cache
def nearest() -> betavq.MASO:
    """The unit of the same slopes that selects the nearest of them, as K-means does."""
    return layers.nearest(SLOPES[None])


def variance_of(beta: float) -> float:
    """σ² = (1 − β)/β, the variance at which the mixture's posterior is the code at β."""
    return (1 - beta) / beta


def posterior_frame(beta: float) -> Frame:
    """The posterior of the unit's mixture over the plane, and along a cut through it."""
    variance = variance_of(beta)
    if beta == 1:  # no noise is left: the limit of the mixtures is the hard unit
        weights, along, here = (unit().code(points)[..., 0, :] for points in (PLANE.points, CUT, PROBE))
        words = "No noise: one component is certain, and the code is the hard unit’s."
    else:
        mixture = unit().to_mixture(variance)
        weights, along, here = (mixture.responsibilities(x)[..., 0, :] for x in (PLANE.points, CUT, PROBE))
        words = f"β = {beta:.3g} is σ² = {variance:.3g}. Prior weights {weighed(mixture.weights[0].tolist())}."
    readout = f"{words} Where it is read: posterior {weighed(here.tolist())}."
    return Frame([_plane_panel(beta, weights), _cut_panel(beta, along)], readout)


def _plane_panel(beta: float, weights: Tensor) -> Panel:
    borders = edges(unit(), PLANE.x, PLANE.y).reshape(-1, 2)
    look = "three flat cells" if beta == 1 else "tints that melt into each other across the same edges"
    return Panel(
        title="Which component made x? Tint: probability",
        xlabel="inputs x₁ (across) and x₂ (up)",
        alt=f"At β = {beta:.2f} the posterior shows {look}; the edges of the hard unit lie where two tints are equal.",
        traces=[
            *PLANE.tints(weights, COLOURS),
            line("the cut", [PLANE.x[0], PLANE.x[1]], [CUT_HEIGHT] * 2, palette.GREY, dash="dot", width=2, label=True),
            path("edges of the hard unit", borders, palette.INK, width=2, label=""),
            *component_marks(),
            dots("place of the numbers below", PROBE[:1], PROBE[1:], palette.INK, size=8, label="read here"),
        ],
        layout=PLANE.layout((-2, 0, 2), (-2, 0, 2)),
        aspect=PLANE.aspect,
    )


def _cut_panel(beta: float, along: Tensor) -> Panel:
    places = CUT_GRID[0] + 200 * CUT_GRID[1] * crossings(unit(), CUT[[0, -1]])
    steps = "are steps" if beta == 1 else "cross"
    return Panel(
        title="Along the cut",
        xlabel=f"input x₁ (x₂ = {CUT_HEIGHT:g})",
        alt=f"Along the cut the three posteriors {steps} exactly where the hard unit changes its piece.",
        traces=[
            path("edges of the hard unit", upright(places, 0, 1), palette.INK, width=1.5, label="hard edges"),
            *piece_lines([f"posterior of component {r}" for r in (1, 2, 3)], CUT_GRID, along, labels=WEIGHT_NAMES),
        ],
        layout=layout(axis(-3, 3, (-2, 0, 2)), UP_TO_1),
    )


def component_marks() -> list[Trace]:
    """The means of the three components, which are the slopes of the pieces."""
    styles = zip(SLOPES, COLOURS, SYMBOLS, SIZES, strict=True)
    names = ("A₁, mean of component 1", "A₂, mean of component 2", "A₃, mean of component 3")
    return [
        dots(name, mean[:1], mean[1:], colour, symbol=symbol, size=size, label=name[:2])
        for name, (mean, colour, symbol, size) in zip(names, styles, strict=True)
    ]


def mixture_of(prior: str, variance: float) -> GaussianMixture:
    """The chapter's components with one of the three priors.

    Raises:
        ValueError: a prior that is not one of the three.
    """
    check_option("prior", prior, PRIORS)
    divisor = {"1/σ² in it": variance, "1/σ² forgotten": 1.0, "equal weights": float("inf")}[prior]
    return GaussianMixture.from_log_weights(SLOPES[None], ADVANTAGES[None] / divisor, variance)


def changed_share(prior: str, variance: float) -> float:
    """Share of the drawn plane where the mixture's most probable component is not the piece the unit selects."""
    selected = unit().selection(PLANE.points)
    return float((mixture_of(prior, variance).map_code(PLANE.points) != selected).double().mean())


@cache
def changed_curve(prior: str) -> Tensor:
    """:func:`changed_share` at all VARIANCES."""
    return torch.tensor([changed_share(prior, variance) for variance in VARIANCES], dtype=torch.float64)


def prior_frame(prior: str, variance: float) -> Frame:
    """The most probable component over the plane under one of three priors, and where it is not the unit's piece."""
    mixture = mixture_of(prior, variance)
    cells = torch.nn.functional.one_hot(mixture.map_code(PLANE.points)[:, 0], 3)
    own, hard, middle = (
        edges(maso, PLANE.x, PLANE.y).reshape(-1, 2) for maso in (mixture.to_maso(), unit(), nearest())
    )
    share = changed_share(prior, variance)
    plane = Panel(
        title="Most probable component",
        xlabel="inputs x₁ (across) and x₂ (up)",
        alt=f"Prior “{prior}”, σ² = {variance:.3g}: in {100 * share:.0f} % of the drawn plane the most probable "
        "component is not the piece that the unit selects.",
        traces=[
            *PLANE.tints(cells, COLOURS),
            path("edges of nearest-centroid cells (K-means)", middle, palette.GREY, dash="dot", label="K-means"),
            path("edges of the hard unit", hard, palette.INK, width=5, label="hard unit"),
            path("edges of the mixture’s cells", own, palette.BLUE, dash="dash", width=2.5, label="mixture"),
            *component_marks(),
        ],
        layout=PLANE.layout((-2, 0, 2), (-2, 0, 2)),
        aspect=PLANE.aspect,
    )
    exponents = torch.tensor(VARIANCES, dtype=torch.float64).log10()
    names = ("1/σ² in the prior", "1/σ² forgotten", "equal weights")
    curves = [
        line(name, exponents, 100 * changed_curve(option), colour, dash=dash, label=True)
        for name, option, (colour, dash) in zip(names, PRIORS, PRIOR_STYLES, strict=True)
    ]
    here = torch.tensor([variance], dtype=torch.float64).log10()
    shares = Panel(
        title="How much of the plane changed its code, %",
        xlabel="variance σ² of the noise",
        alt="With 1/σ² in the prior nothing changes at any variance. Without it only σ² = 1 is right.",
        traces=[
            *curves,
            dots("this prior, this σ²", here, [100 * share], palette.BLUE, symbol="square", size=11, label=""),
        ],
        layout=layout(axis(-1.35, 0.65, (-1, 0, 0.4771), ("0.1", "1", "3")), axis(-1.5, 38, (0, 10, 20, 30))),
    )
    prior_weights = weighed(mixture.weights[0].tolist())
    readout = f"Prior weights {prior_weights}. Code changed in {100 * share:.1f} % of the drawn plane."
    return Frame([plane, shares], readout)


def variance_axis(start: float) -> Axis:
    """A slider for the variance of the noise."""
    named: dict[Value, str] = {VARIANCES[0]: "little noise", 1.0: "σ = 1", VARIANCES[-1]: "much"}
    label = "σ², variance of the noise"
    return Axis("variance", label, VARIANCES, start, named, lambda value: f"σ² = {float(value):.2g}")


def say_noise(value: Value) -> str:
    """β, and the variance that it stands for."""
    beta = float(value)
    return f"β = {beta:.3g}, σ² = {variance_of(beta):.2g}"


def posterior_figure() -> InteractiveFigure:
    """One slider for the noise: the posterior from soft to hard over the cells of the hard unit."""
    named: dict[Value, str] = {0.1: "noisy", 0.5: "soft", 1.0: "hard"}
    beta = sliding("beta", "β, from much noise to none", 0.1, 1, 0.025, start=0.5, named=named, say=say_noise)
    caption = (
        "Move β from ½ to 1 and back to 0.1. The tints run into each other over a narrower or a wider strip, and the "
        "prior weights in the line below change all the time. The solid edges do not move: on each of them the "
        "two most probable components are equally probable, whatever the noise."
    )
    return InteractiveFigure("posterior", posterior_frame, [beta], caption=caption)


def prior_figure() -> InteractiveFigure:
    """Three priors and a slider for the variance: when the cells stay, and where they go."""
    priors = choice("prior", "Prior weights", PRIORS, start="1/σ² forgotten")
    variance = variance_axis(VARIANCES[16])
    caption = (
        "Thick and solid: the edges of the hard unit. Blue and dashed: those of the mixture. Move σ². With 1/σ² "
        "forgotten they agree at σ² = 1 alone. Towards σ² = 0 the mixture’s edges go to the dotted ones, where the "
        "nearest centroid changes; for much noise one component takes over the plane. Then choose the other two "
        "priors and move σ² again."
    )
    return InteractiveFigure("prior", prior_frame, [priors, variance], caption=caption)
