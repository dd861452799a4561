"""How often six units, each alone, miss the best joint code, and what that costs: over the coherence of filters."""

from __future__ import annotations

from functools import cache
from math import sqrt

import torch
from torch import Tensor

from betavq import mixture as mixtures

from ...interactive import palette
from ...interactive.axes import check_option, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line
from ..layers import COHERENCE_TICKS, COHERENCES, INPUTS, POINTS, UNITS, coherence_axis, equicorrelated, inputs, layer

SEED = 0
GAUSSIAN, NOISY, CLEAR = "Gaussian", "from the model, σ² = 1", "from the model, σ² = 0.05"
VARIANCES = {NOISY: 1.0, CLEAR: 0.05}
KINDS = (GAUSSIAN, NOISY, CLEAR)


@cache
def draws() -> tuple[Tensor, Tensor]:
    """The same for every filter: codes by the toss of a coin ``(N, 6)``, and noise of variance 1 ``(N, 8)``."""
    generator = torch.Generator().manual_seed(SEED)
    codes = torch.randint(0, 2, (POINTS, UNITS), generator=generator).double()
    return codes, torch.randn(POINTS, INPUTS, generator=generator, dtype=torch.float64)


def points(kind: str, filters: Tensor) -> Tensor:
    """Random inputs: Gaussian of variance 4, or made by the factorial model of these filters.

    Raises:
        ValueError: another kind of input.
    """
    check_option("kind", kind, KINDS)
    if kind == GAUSSIAN:
        return inputs()
    codes, noise = draws()
    return codes @ filters + sqrt(VARIANCES[kind]) * noise


def errors(kind: str, coherence: float) -> tuple[float, float]:
    """Share of inputs whose unit-wise code is not the best joint code, and the mean of ‖x − sum‖² that it has more."""
    filters = equicorrelated(UNITS, INPUTS, coherence)
    x, mixture = points(kind, filters), layer(filters).to_mixture()
    alone, joint = mixtures.unitwise_map(mixture, x), mixtures.joint_map(mixture, x)
    # Equal prior weights and σ² = 1: log P differs by half the squares.
    lost = mixtures.joint_log_prob(mixture, x, joint) - mixtures.joint_log_prob(mixture, x, alone)
    return (alone != joint).any(-1).double().mean().item(), 2 * lost.mean().item() + 0.0


@cache
def curves(kind: str) -> Tensor:
    """:func:`errors` at all COHERENCES, ``(20, 2)``."""
    return torch.tensor([errors(kind, coherence) for coherence in COHERENCES], dtype=torch.float64)


def errors_frame(coherence: float, kind: str) -> Frame:
    """How often and how badly, with a mark at this coherence."""
    share, lost = errors(kind, coherence)
    found = curves(kind)
    end = "falls a little at the end" if kind == GAUSSIAN else "stays high"
    grid = (COHERENCES[0], COHERENCES[1] - COHERENCES[0])
    often = Panel(
        title="Wrong codes, %",
        xlabel="coherence ρ of the six filters",
        alt=f"The share of wrong codes is 0 at ρ = 0, rises steeply and {end}: {100 * share:.0f} % at this ρ.",
        traces=[
            line("share of inputs", grid, 100 * found[:, 0], palette.BLUE, width=4.5, label=""),
            dots("at this ρ", [coherence], [100 * share], palette.BLUE, size=12, label=f"{100 * share:.0f} %"),
        ],
        layout=layout(COHERENCE_TICKS, axis(-5, 105, (0, 25, 50, 75, 100))),
    )
    badly = Panel(
        title="What they cost, ‖x − sum‖²",
        xlabel="coherence ρ of the six filters",
        alt=f"The mean squared residual that unit-wise codes have more rises all the way: {lost:.2f} at this ρ.",
        traces=[
            line(
                "what unit-wise codes cost",
                grid,
                found[:, 1],
                palette.BLUE,
                width=4.5,
                label="",
            ),
            dots("at this ρ", [coherence], [lost], palette.BLUE, size=12, label=f"{lost:.2f}"),
        ],
        layout=layout(COHERENCE_TICKS, axis(-0.5, 10.5, (0, 2, 4, 6, 8, 10))),
    )
    readout = f"ρ = {coherence:.2f}: {100 * share:.1f} % of {POINTS} codes wrong; ‖x − sum‖² larger by {lost:.2f}."
    return Frame([often, badly], readout)


def errors_figure() -> InteractiveFigure:
    """A slider for the coherence of six filters, and a choice of inputs."""
    coherence = coherence_axis("ρ, cosine of any two filters", 0.6)
    kinds = choice("kind", "Inputs", KINDS, start=GAUSSIAN)
    caption = (
        "With Gaussian inputs, follow the left curve past ρ = 0.6: it falls again. The right one does not: the codes "
        "that are wrong are wrong by more. Then let the model make the inputs. Its own story is now true, and the "
        "units miss it more often still. Under all inputs both curves start at 0, exactly."
    )
    return InteractiveFigure("wrong-codes", errors_frame, [coherence, kinds], caption=caption)
