"""Small networks that were trained at β = 1: their accuracy and their codes at every β."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ...drawing.looks import ACROSS_TO_1
from ...interactive import palette
from ...interactive.axes import beta_axis
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line
from ...interactive.names import label
from ...interactive.overlays import area
from ...results.networks import (
    Experiment,
    Network,
    digits_test_set,
    load_digits_network,
    load_two_moons,
    results,
    two_moons_test_set,
)

LAYERS = ("layer 1", "layer 2")
UNDECIDED = (label("undecided, layer 1", x=0.3), label("layer 2", x=0.7))


def small_frame(beta: float) -> Frame:
    """Test accuracy and code entropy against β, for digits and for two moons."""
    digits = _sweep("digits", "Digits", load_digits_network(), digits_test_set(), beta)
    moons = _sweep("two_moons", "Two moons", load_two_moons(), two_moons_test_set(), beta)
    means = (np.interp(beta, found.beta, found.accuracy.mean) for found in (results("digits"), results("two_moons")))
    numbers = [*(100 * mean for mean in means), *(panel.traces[-1]["y"][0] for panel in (digits, moons))]
    words = "Right, mean: digits {:.1f} %, moons {:.1f} %. The one drawn as dots: {:.1f} % and {:.1f} %."
    return Frame([digits, moons], words.format(*numbers))


def _sweep(experiment: Experiment, title: str, network: Network, test: tuple[Tensor, Tensor], beta: float) -> Panel:
    """Means over trained networks as curves, and one of the networks, computed at this β, as dots."""
    found = results(experiment)
    grid = (0.0, float(found.beta[1] - found.beta[0]))
    styles = (("dot", 11), ("dashdot", 8))
    entropies = [
        line(f"undecided, {name}, %", grid, 100 * band.mean, palette.ENTROPY, dash=dash, width=2, label=told)
        for name, band, (dash, _), told in zip(LAYERS, found.entropy, styles, UNDECIDED, strict=True)
    ]
    undecided = [
        dots("one network: undecided", [beta], [100 * share], palette.ENTROPY, size=size, showlegend=False)
        for share, (_, size) in zip(network.normalised_entropy(test[0], beta), styles, strict=True)
    ]
    right = [100 * network.accuracy(*test, beta)]
    return Panel(
        title=f"{title}: trained once at β = 1",
        xlabel="β of all units",
        alt=f"{title}: mean test accuracy is {100 * found.accuracy.mean[0]:.1f} % at β = 0 and "
        f"{100 * found.accuracy.mean[-1]:.1f} % at β = 1.",
        traces=[
            *entropies,
            area("95 % interval", found.beta, 100 * found.accuracy.low, 100 * found.accuracy.high, palette.BLUE),
            line("right on test points, %", grid, 100 * found.accuracy.mean, palette.BLUE, width=3, label="right"),
            *undecided,
            dots("one network: right", [beta], right, palette.BLUE, symbol="square", size=10, showlegend=False),
        ],
        layout=layout(ACROSS_TO_1, axis(-3, 103, (0, 25, 50, 75, 100))),
    )


def small_figure() -> InteractiveFigure:
    """One slider for the β of all units of networks that were trained at β = 1."""
    caption = (
        "Curves are means over networks trained from different seeds, thin lines their 95 % intervals; the dots are "
        "one of these networks, computed at this β. Move β from 1 to 0. In both tasks the units grow undecided; only "
        "for the moons does the accuracy follow them far down."
    )
    return InteractiveFigure("softening", small_frame, [beta_axis(0.02, start=1.0, plays=True)], caption=caption)
