"""The simplex of three pieces: the problem drawn over all codes, and the path of its solution as β grows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import nan, sqrt
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

import betavq

from ...drawing.looks import UP_TO_1
from ...interactive import palette
from ...interactive.axes import beta_axis, choice
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, Trace, axis, dots, layout, line, path
from ...interactive.marks import weighed
from ...interactive.names import label
from ...interactive.numbers import number
from ...interactive.overlays import texts, veil
from ...interactive.vectors import vector

#: How far from 0 a score that is typed may be.
MOST = 30.0


class Style(NamedTuple):
    """A weight's name, and how its line and its dots are drawn."""

    name: str
    colour: str
    dash: str
    width: float
    symbol: str
    size: float


#: Scores of three pieces; only the second changes.
SCORES = {"clear winner": (1.0, 2.0, 0.0), "near tie": (1.0, 1.2, 0.0), "exact tie": (1.0, 1.0, 0.0)}
#: How each weight is drawn; widths and sizes differ so that all stay visible where weights are equal.
WEIGHTS = (
    Style("t₁", palette.GREEN, "dash", 2.5, "circle", 15),
    Style("t₂", palette.ORANGE, "solid", 4.5, "square", 11),
    Style("t₃", palette.PURPLE, "dashdot", 2.5, "circle", 7),
)
HEIGHT = sqrt(3) / 2
WIDE, TALL = (-0.2, 1.2), (-0.13, HEIGHT + 0.13)
#: A hardness so close to 1 that codes have reached their limits, ties included: the rule for ties holds at 1 itself.
ALMOST_ONE = 1 - 1e-9
HARDNESSES = torch.linspace(0, ALMOST_ONE, 101, dtype=torch.float64)
STOPS = torch.tensor([0, 0.5, ALMOST_ONE], dtype=torch.float64)
HARDNESS_GRID = (0.0, 0.01)
#: How far below the top the level lines run, as shares of the whole height: evenly spaced on a parabola.
DEPTHS = tuple((step / 6) ** 2 for step in range(1, 6))
SIDE_POINTS = 13  # of each level line, towards each side of the triangle
#: β/(1−β) from 0 to about e⁷, dense where codes change: the points of the path.
PATH = torch.cat([torch.zeros(1, dtype=torch.float64), torch.logspace(-1.5, 3, 60, dtype=torch.float64)])


def grid_of_codes(steps: int) -> Tensor:
    """All codes of three pieces whose weights are whole multiples of 1/``steps``, ``(N, 3)``."""
    first, second = torch.cartesian_prod(*[torch.arange(steps + 1)] * 2).T
    inside = first + second <= steps
    first, second = first[inside], second[inside]
    return torch.stack([first, second, steps - first - second], dim=-1).double() / steps


def scores_of(scores: Sequence[float]) -> Tensor:
    """Three scores as a float64 tensor.

    Raises:
        ValueError: not three finite numbers.
    """
    offered = torch.as_tensor(scores, dtype=torch.float64)
    if offered.shape != (3,) or not torch.isfinite(offered).all():
        raise ValueError(f"scores must be three finite numbers, one for each corner, got {scores!r}")
    return offered


def place(codes: Tensor) -> Tensor:
    """Where codes of three weights lie in the triangle: ``(..., 3)`` to ``(..., 2)``; t₃ = 1 is the corner on top."""
    return torch.stack([codes[..., 1] + codes[..., 2] / 2, HEIGHT * codes[..., 2]], dim=-1)


def entropy(codes: Tensor) -> Tensor:
    """How undecided codes are, in nats: ``(..., R)`` to ``(...)``."""
    undecided: Tensor = torch.special.entr(codes).sum(-1)
    return undecided


def goal(codes: Tensor, scores: Tensor, beta: float) -> Tensor:
    """What the problem makes large, β⟨t, z⟩ + (1 − β)H(t), for codes of shape ``(..., 3)``."""
    return beta * (codes * scores).sum(-1) + (1 - beta) * entropy(codes)


@cache
def rim() -> Tensor:
    """Codes along the triangle's sides, ``(3 · SIDE_POINTS, 3)``; each corner ends one and begins the next."""
    corners, way = torch.eye(3, dtype=torch.float64), torch.linspace(0, 1, SIDE_POINTS, dtype=torch.float64)
    return torch.cat([torch.lerp(corners[r], corners[(r + 1) % 3], way[:, None]) for r in range(3)])


def level_lines(scores: Tensor, beta: float) -> Tensor:
    """Points (N, 2) of lines along which all codes are equally good; NaN parts them, and stays where all are.

    The goal is concave: around its summit lies what is at least as good as a level, and a ray from the summit to a
    point of the rim leaves it once, or ends on the rim within it. There the line runs on along the triangle's side.
    """
    best = betavq.code(scores, beta)
    height = goal(best, scores, beta)
    depth = height - beta * scores.min()  # the goal's lowest point is a corner
    levels = (height - depth * torch.tensor(DEPTHS, dtype=torch.float64))[:, None]
    ends = rim().expand(len(DEPTHS), -1, -1)
    within = goal(ends, scores, beta) >= levels
    # From the summit to the rim; and where the line reaches a side it does so between two points of the rim.
    starts = torch.stack([best.expand_as(ends), ends, ends])
    beyond = torch.stack([ends, ends.roll(1, 1), ends.roll(-1, 1)])
    left, *sides = _last_within(starts, beyond, levels, scores, beta)
    points = torch.where(within[..., None], ends, left)
    for step, side in zip((1, -1), sides, strict=True):
        points = torch.where((within & ~within.roll(step, 1))[..., None], side, points)
    closed = place(torch.cat([points, points[:, :1]], 1)).where(depth >= 1e-9, nan)
    return F.pad(closed, (0, 0, 0, 1), value=nan).flatten(0, 1)


def _last_within(start: Tensor, end: Tensor, levels: Tensor, scores: Tensor, beta: float) -> Tensor:
    """The last codes on the ways from ``start`` to ``end`` that reach the levels: ``(..., 3)``, by bisection."""
    share = torch.zeros(start.shape[:-1], dtype=torch.float64)
    for halvings in range(1, 45):
        further = share + 0.5**halvings
        reached = goal(torch.lerp(start, end, further[..., None]), scores, beta) >= levels
        share = torch.where(reached, further, share)
    return torch.lerp(start, end, share[..., None])


def triangle_panel(scores: Tensor, beta: float) -> Panel:
    """All codes of three pieces, how good they are at β, and which is best."""
    code = betavq.code(scores, beta)
    corners = place(torch.eye(3, dtype=torch.float64))
    outline = corners[[0, 1, 2, 0]]
    levels = level_lines(scores, beta)
    hill = [veil("as good as this, or better", ring, palette.BLUE) for ring in levels.reshape(len(DEPTHS), -1, 2)]
    stops = place(betavq.code(scores.expand(3, 3), STOPS))
    way = place(betavq.code(scores.expand(len(PATH), 3), betavq.beta_from_eta(PATH)))
    best = place(code)
    marks = [
        dots(
            f"{of.name} = 1: only piece {r + 1}",
            corners[r, :1],
            corners[r, 1:],
            of.colour,
            symbol=of.symbol,
            size=11,
            label=label(f"only piece {r + 1}", side="ssn"[r]),
        )
        for r, of in enumerate(WEIGHTS)
    ]
    weights = _weights(code)
    return Panel(
        title="Every code is a point; one is best",
        xlabel="corners: piece 1 left, 2 right, 3 top",
        alt=f"At β = {beta:.2f} the best code is {weights}: {_where(code)}.",
        traces=[
            *hill,
            path("equally good codes", levels, palette.BLUE, width=0.8, label=""),
            path("the simplex: all codes", outline, palette.GREY, width=2.5, label=""),
            path("the best code’s path, β from 0 to 1", way, palette.INK, dash="dot", width=2, label=""),
            *marks,
            dots("the best code at this β", best[:1], best[1:], palette.INK, size=13, label=""),
            texts(("β = 0", "β = ½", "β = 1"), stops[:, 0], stops[:, 1], side="w"),
        ],
        layout=layout(axis(*WIDE, (), grid=False), axis(*TALL, (), grid=False)),
        aspect=(WIDE[1] - WIDE[0]) / (TALL[1] - TALL[0]),
    )


def weights_panel(scores: Tensor, beta: float) -> Panel:
    """The three weights of the best code against β."""
    codes = betavq.code(scores.expand(len(HARDNESSES), 3), HARDNESSES)
    here = betavq.code(scores, beta).tolist()
    limit = codes[-1]
    curves: list[Trace] = [
        line(f"weight {of.name}", HARDNESS_GRID, codes[:, r], of.colour, dash=of.dash, width=of.width, label=of.name)
        for r, of in enumerate(WEIGHTS)
    ]
    now = [
        dots(f"{of.name} at this β", [beta], [here[r]], of.colour, symbol=of.symbol, size=of.size, label="")
        for r, of in enumerate(WEIGHTS)
    ]
    return Panel(
        title="The weights of the best code",
        xlabel="hardness β",
        alt=f"All three weights start at ⅓ at β = 0; as β goes to 1 they go to {_weights(limit)}.",
        traces=[*curves, *now],
        layout=layout(
            UP_TO_1,
            axis(-0.1, 1.1, (0, 1 / 3, 0.5, 1), ("0", "⅓", "½", "1")),
        ),
    )


def simplex_frame(beta: float, scores: Sequence[float]) -> Frame:
    """The problem over the simplex and its solution at every β, for three scores.

    Raises:
        ValueError: as :func:`scores_of`.
    """
    return _frame(beta, scores_of(scores))


def _frame(beta: float, offered: Tensor) -> Frame:
    code = betavq.code(offered, beta)
    score, undecided = (code * offered).sum().item(), entropy(code).item()
    sum_ = f"{beta:.2f}·{number(score, 3)} + {1 - beta:.2f}·[entropy|{number(undecided, 3)}]"
    tied, rule = (offered == offered.max()).sum(), ""
    if beta == 1 and tied > 1:
        rule = f" The {'two' if tied == 2 else 'three'} best tie: the first takes all."
    readout = (
        f"Code {weighed(code.tolist())}.\nβ·⟨t, z⟩ + (1 − β)·[entropy|H(t)]\n"
        f"= {sum_}\n= {number(goal(code, offered, beta), 3)}.{rule}"
    )
    return Frame([triangle_panel(offered, beta), weights_panel(offered, beta)], readout)


def _weights(code: Tensor) -> str:
    return "(" + ", ".join(f"{weight:.3f}" for weight in code.tolist()) + ")"


def _where(code: Tensor) -> str:
    best, pieces = code == code.max(), torch.tensor([1, 2, 3])
    first, last = pieces.where(best, 3).amin(), pieces.where(best, 1).amax()
    if best.all():
        return "the centre, wholly undecided"
    if first != last:
        return f"as near to the corner of piece {first:d} as to that of piece {last:d}"
    return f"the corner of piece {first:d}" if code.max() == 1 else f"nearest to the corner of piece {first:d}"


def simplex_figure() -> InteractiveFigure:
    """The problem on the simplex for three sets of scores."""
    sets = choice("scores", "Scores", tuple(SCORES), start="clear winner")
    told = "; ".join(f"{name} ({', '.join(f'{score:g}' for score in scores)})" for name, scores in SCORES.items())
    caption = (
        "The darker, the better the code; thin lines join equally good ones, as contour lines join places of one "
        "height; the big dot is the summit. Move β from 0 to 1. At β = 0 only the entropy counts, and the summit is "
        "the centre. It then moves along the dotted path, and the lines straighten, because the "
        "score is straight. Then choose the near and the exact tie: there the path first leads to the middle of a "
        f"side. The scores: {told}."
    )
    return InteractiveFigure(
        "simplex",
        lambda scores, beta: simplex_frame(beta, SCORES[scores]),
        [sets, beta_axis(0.025, plays=True)],
        caption=caption,
    )


def scores_figure(scores: Sequence[float] = (1.0, 3.0, 0.0)) -> InteractiveFigure:
    """The same figure for three scores that a reader writes down.

    Raises:
        ValueError: as :func:`scores_of`, at once: a reader's mistake should show in the reader's own cell.
    """
    offered = scores_of(scores)
    most = max(MOST, offered.abs().max().ceil().item())
    typed = vector("scores", "Scores", ("z₁", "z₂", "z₃"), -most, most, start=tuple(offered.tolist()))
    caption = (
        "Move β from 0 to 1: the best code leaves the centre, and its path shows which pieces compete. Then type "
        "other scores."
    )
    return InteractiveFigure(
        "your-scores",
        lambda scores, beta: _frame(beta, scores),
        [beta_axis(0.025), typed],
        caption=caption,
        traced=True,
    )
