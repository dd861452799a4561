"""Mixtures on the line: the weighted densities of their components, and the posterior that sigmoid and tanh are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

import betavq
from betavq.mixture import GaussianMixture

from ...drawing.looks import ORDINALS, STYLES, SYMBOLS, UP_TO_1, even_ticks, piece_lines
from ...interactive import palette
from ...interactive.axes import Value, check_option, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Array, Frame, Panel, Trace, array, axis, dots, layout, line
from ...interactive.marks import weighed
from ...interactive.names import label
from ...interactive.overlays import area
from .posteriors import VARIANCES, say_noise, variance_axis, variance_of

INPUTS = torch.linspace(-4, 4, 161, dtype=torch.float64)
GRID = (-4.0, 0.05)
#: The same stretch in 1600 equal parts, by their middles: where shares of the line are counted.
FINE = -4 + 0.005 * (torch.arange(1600, dtype=torch.float64) + 0.5)
NONE = -torch.inf  # the offset of a piece that is not on offer
#: Slopes and offsets of the pieces in u, and the read-outs c: rows of what each component's weight is multiplied by.
GATES = {
    "sigmoid": ((0.0, 1.0, 0.0), (0.0, 0.0, NONE), ((0.0, 1.0, 0.0),)),
    "tanh": ((-1.0, 1.0, 0.0), (0.0, 0.0, NONE), ((-1.0, 1.0, 0.0),)),
    "softmax": ((-1.5, 0.0, 1.5), (-1.0, 0.0, -0.5), ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))),
}
CHECKED = INPUTS[::10]  # where PyTorch's own function is drawn


@cache
def gate_unit(gate: str) -> tuple[betavq.MASO, Tensor]:
    """The unit of one input whose code a gate reads out, and its read-outs, ``(outputs, 3)``.

    Raises:
        ValueError: a gate that is not one of the three.
    """
    check_option("gate", gate, GATES)
    slopes, offsets, outputs = (torch.tensor(part, dtype=torch.float64) for part in GATES[gate])
    return betavq.MASO(slopes[None, :, None], offsets[None]), outputs


def pytorch(gate: str, inputs: Tensor) -> Tensor:
    """PyTorch's own function of the name, ``(N, outputs)``; softmax of the unit's three scores."""
    if gate == "softmax":
        return torch.softmax(gate_unit(gate)[0].scores(inputs[:, None])[:, 0], dim=-1)
    return {"sigmoid": torch.sigmoid, "tanh": torch.tanh}[gate](inputs)[:, None]


def gates_frame(gate: str, beta: float) -> Frame:
    """The mixture behind a gate: weighted densities, the posterior of its components, and what is read out of it."""
    unit, outputs = gate_unit(gate)
    variance = variance_of(beta)
    mixture = unit.to_mixture(variance)
    posterior = mixture.responsibilities(INPUTS[:, None])[:, 0]
    own = pytorch(gate, CHECKED)
    reached = (mixture.responsibilities(CHECKED[:, None])[:, 0] @ outputs.T - own).abs().max().item()
    # Where a posterior itself is read out, it is drawn already.
    read = (posterior @ outputs.T)[:, 0] if gate == "tanh" else INPUTS * torch.nan
    x_own, y_own = _one_after_another(CHECKED, own)
    densities = densities_panel(mixture, 0.85)
    weights = Panel(
        title="Posterior, and what is read out of it",
        xlabel="input u",
        alt=f"At β = {beta:.2f} the read-out of the {gate} unit "
        + ("is PyTorch’s function." if beta == 0.5 else f"is {'softer' if beta < 0.5 else 'harder'} than PyTorch’s."),
        traces=[
            *posterior_lines(present(posterior, mixture)),
            line("read-out t₂ − t₁", INPUTS, read, palette.BLUE, width=4.5, label=label("t₂ − t₁", x=1.6, side="nw")),
            dots(f"torch.{gate}", x_own, y_own, palette.INK, size=8, label=label(f"rings: torch.{gate}", at=0.6)),
            dots("within", x_own, y_own, "var(--hts-paper)", size=5, label=""),
        ],
        layout=layout(axis(-4, 4, (-4, -2, 0, 2, 4)), axis(-1.06, 1.06, (-1, 0, 0.5, 1), ("−1", "0", "½", "1"))),
    )
    shown = weighed(weight for weight in mixture.weights[0].tolist() if weight)
    exact = "0 but for rounding" if reached < 1e-12 else f"{reached:.3f}"
    readout = f"σ² = {variance:.3g}, prior weights {shown}. Largest distance to torch.{gate}: {exact}."
    return Frame([densities, weights], readout)


def _one_after_another(inputs: Tensor, curves: Tensor) -> tuple[Array, Array]:
    """Curves ``(N, outputs)`` as one polyline with gaps, of three curves' length whatever their number."""
    columns = [array(curve) for curve in curves.T]
    gap, nothing = np.array([np.nan]), np.full(len(inputs), np.nan)
    columns += [nothing] * (3 - len(columns))
    x = np.concatenate([array(inputs), gap] * 3)
    return x, np.concatenate([part for column in columns for part in (column, gap)])


def densities_panel(mixture: GaussianMixture, top: float) -> Panel:
    """π_r times the density of each component on the line, and their sum, up to the height ``top``."""
    parts = mixture.log_joint(INPUTS[:, None])[:, 0].exp()
    total, bells = parts.sum(-1), present(parts, mixture)
    names = [f"component {r}" for r in (1, 2, 3)]
    told = [f"prior {weight:.2f}" for weight in mixture.weights[0].tolist()]
    return Panel(
        title="Prior weight times density",
        xlabel="input u",
        alt="Where two bells cross, both components are equally probable.",
        traces=[
            *(area("a bell", INPUTS, 0, bell, style[0]) for bell, style in zip(bells.T, STYLES, strict=False)),
            line("all components together", GRID, total, palette.GREY, width=1.5, label="together"),
            *piece_lines(names, GRID, bells, labels=told),
        ],
        layout=layout(axis(-4, 4, (-4, -2, 0, 2, 4)), axis(-0.03 * top, top, even_ticks(0, top))),
    )


def present(curves: Tensor, mixture: GaussianMixture) -> Tensor:
    """Curves of the components, ``(N, R)``, with NaN for those of weight 0: they take no part, and are not drawn."""
    return curves.where(mixture.weights[0] > 0, torch.nan)


def posterior_lines(posterior: Tensor) -> list[Trace]:
    """The weights of the components, ``(N, R)``, as lines over the inputs."""
    return piece_lines([f"posterior t of component {r}" for r in (1, 2, 3)], GRID, posterior, labels=SYMBOLS)


def check_mixture(means: Sequence[float], weights: Sequence[float]) -> tuple[Tensor, Tensor]:
    """A reader's three components on the line as tensors: means, and weights divided by their sum.

    Raises:
        ValueError: not three finite means between −4 and 4; not three weights, none negative, not all 0.
    """
    places, shares = (torch.as_tensor(numbers, dtype=torch.float64) for numbers in (means, weights))
    if places.shape != (3,) or not bool((places.abs() <= 4).all()):
        raise ValueError(f"means must be three numbers from −4 to 4, where the figure draws, got {means!r}")
    if shares.shape != (3,) or not bool(((shares >= 0) & shares.isfinite()).all()) or not shares.sum() > 0:
        raise ValueError(f"weights must be three numbers, none negative and not all 0, got {weights!r}")
    return places, shares / shares.sum()


def components_frame(means: Sequence[float], weights: Sequence[float], variance: float) -> Frame:
    """A reader's mixture: its weighted densities, its posterior, and which component is the most probable where."""
    places, shares = check_mixture(means, weights)
    mixture = GaussianMixture(places[None, :, None], shares[None], variance)
    posterior = mixture.responsibilities(INPUTS[:, None])[:, 0]
    winners = torch.bincount(mixture.map_code(FINE[:, None])[:, 0], minlength=3)
    never = [ORDINALS[r] for r in range(3) if not winners[r]]
    found = f"The {' and the '.join(never)} component {'are' if len(never) > 1 else 'is'} nowhere"
    words = f"{found if never else 'Every component is somewhere'} the most probable"
    sharpest = GaussianMixture(places[None, :, None], shares[None], VARIANCES[0])  # more noise only lowers the peaks
    top = 1.05 * sharpest.log_prob(INPUTS[:, None]).exp().max().item()
    densities = densities_panel(mixture, top)
    answer = Panel(
        title="Posterior of your components",
        xlabel="input u",
        alt=f"At σ² = {variance:.2g}: {words[0].lower() + words[1:]}.",
        traces=posterior_lines(present(posterior, mixture)),
        layout=layout(axis(-4, 4, (-4, -2, 0, 2, 4)), UP_TO_1),
    )
    owned = ", ".join(f"{100 * int(won) / len(FINE):.1f}" for won in winners)
    return Frame([densities, answer], f"{words} between −4 and 4. Share of that stretch, %: {owned}.")


def gates_figure() -> InteractiveFigure:
    """Sigmoid, tanh and softmax as what is read out of a posterior."""
    gates = choice("gate", "Read-out", tuple(GATES), start="sigmoid")
    named: dict[Value, str] = {0.2: "much noise", 0.5: "soft", 0.8: "little"}
    beta = sliding("beta", "β, from much noise to little", 0.2, 0.8, 0.025, start=0.5, named=named, say=say_noise)
    caption = (
        "The rings are PyTorch’s own. At β = ½ the read-out passes through all of them; for the sigmoid it "
        "is the posterior t₂ itself. Move β to 0.8: the bells grow narrow, and the read-out leaves the rings and "
        "grows steep. Then choose tanh, which multiplies the two posteriors by −1 and 1, and softmax, which has three "
        "components and reads out all their posteriors."
    )
    return InteractiveFigure("gates", gates_frame, [gates, beta], caption=caption)


def components_figure(
    means: Sequence[float] = (-1.0, 0.0, 1.0), weights: Sequence[float] = (1.0, 1.0, 1.0)
) -> InteractiveFigure:
    """The figure of a mixture of three components on the line that a reader writes down.

    Raises:
        ValueError: as :func:`check_mixture`, at once: a reader's mistake should show in the reader's own cell.
    """
    check_mixture(means, weights)
    caption = "Move σ² with these weights as they are: does every component keep its share of the line?"
    return InteractiveFigure(
        "your-mixture",
        lambda variance: components_frame(means, weights, variance),
        [variance_axis(1.0)],
        caption=caption,
    )
