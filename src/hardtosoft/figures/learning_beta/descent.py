"""β as a parameter: what moves it, how it finds its way to a goal, and what a detached code leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import isfinite, log

import torch
from torch import Tensor
from torch.nn import functional as F

from betavq import eta_from_beta
from betavq.functional import beta_relu

from ...drawing.looks import ACROSS_TO_1, UP_TO_1
from ...interactive import palette
from ...interactive.axes import Value, beta_axis, check_option, choice, sliding
from ...interactive.figure import InteractiveFigure
from ...interactive.frames import Frame, Panel, axis, dots, layout, line
from ...interactive.numbers import number, raised, saying

REACH, POINTS = 4.0, 321
INPUTS = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
PEAK = 1.5434046384182085  # where v σ(v)(1 − σ(v)) is largest: v tanh(v/2) = 1
GRID = (-REACH, 2 * REACH / (POINTS - 1))
BETAS = torch.linspace(0, 1, 101, dtype=torch.float64)
# The standard normal distribution by the trapezoid rule, fine enough for the bend of β = 0.99.
NORMAL_INPUTS = torch.linspace(-8, 8, 3201, dtype=torch.float64)
NORMAL = torch.exp(-(NORMAL_INPUTS**2) / 2) / torch.exp(-(NORMAL_INPUTS**2) / 2).sum()
RAW, LOGIT, ETA = "β itself", "logit of β", "η"
LOOKS = {RAW: (palette.BLUE, "solid"), LOGIT: (palette.ORANGE, "dash"), ETA: (palette.GREEN, "dot")}
STEPS, RATE = 80, 1.0
TARGETS = {"soft, β = 0.5": 0.5, "harder, β = 0.9": 0.9, "softer, β = 0.2": 0.2}


def pull(u: Tensor, beta: Tensor) -> Tensor:
    """∂y/∂β of the β-ReLU y(u), each u with its β; same shape."""
    beta = beta.expand(u.shape).clone().requires_grad_()
    return torch.autograd.grad(beta_relu(u, beta=beta).sum(), beta)[0]


def slope(u: Tensor, beta: float, *, detached: bool = False) -> Tensor:
    """∂y/∂u as the backward pass has it."""
    u = u.clone().requires_grad_()
    return torch.autograd.grad(beta_relu(u, beta=beta, detach_code=detached).sum(), u)[0]


def left_out_at_most(beta: float) -> float:
    """The largest difference of the two slopes in the drawn range: v σ(v)(1 − σ(v)) at v = PEAK, if it is in there."""
    if beta in (0, 1):
        return 0.0
    at = torch.tensor([min(PEAK / eta_from_beta(beta), REACH)], dtype=torch.float64)
    return (slope(at, beta) - slope(at, beta, detached=True)).item()


@cache
def sizes() -> dict[str, Tensor]:
    """Root mean square of ∂y/∂p under normal inputs at all BETAS, for each parametrisation p; NaN where it is 0."""
    u = NORMAL_INPUTS.expand(len(BETAS), -1)
    raw = (pull(u, BETAS[:, None]).square() @ NORMAL).sqrt()
    found = {RAW: raw, LOGIT: raw * BETAS * (1 - BETAS), ETA: raw * (1 - BETAS) ** 2}
    return {name: torch.where(size > 0, size, torch.nan) for name, size in found.items()}


def pull_frame(beta: float) -> Frame:
    """Which inputs move β, and how strongly, in three parametrisations."""
    now = pull(INPUTS, torch.tensor(beta, dtype=torch.float64))
    found, place = sizes(), min(range(len(BETAS)), key=lambda i: abs(BETAS[i].item() - beta))
    at = {name: size[place].item() for name, size in found.items()}
    bend = "nothing at all: the unit is ReLU" if beta == 1 else "the inputs beside the bend, on both sides alike"
    who = Panel(
        title="Who moves β: ∂y/∂β",
        xlabel="input u of the unit",
        alt=f"At β = {beta:.2f} what moves β is {bend}.",
        traces=[line("∂y/∂β", GRID, now, palette.BLUE, width=4.5, label="")],
        layout=layout(axis(-REACH, REACH, (-4, -2, 0, 2, 4)), axis(-0.2, 4.3, (0, 1, 2, 3, 4))),
    )
    # Powers of ten, as numbers that a linear axis can show.
    strong = Panel(
        title="How strongly, by parametrisation",
        xlabel="β",
        alt="Over the whole range the gradient in β itself stays within a factor of about twelve; "
        "in the logit it fades at both ends, in η it fades towards β = 1.",
        traces=[
            *(
                line(name, (0.0, 0.01), found[name].log10(), colour, dash=dash, label=True)
                for name, (colour, dash) in LOOKS.items()
            ),
            *(dots(f"{name}, now", [beta], [_log(at[name])], LOOKS[name][0], size=9, label="") for name in LOOKS),
        ],
        layout=layout(ACROSS_TO_1, axis(-6.2, 0.6, (-6, -4, -2, 0), ("10⁻⁶", "10⁻⁴", "0.01", "1"))),
    )
    shown = ", ".join(f"in {name} {_size(at[name])}" for name in LOOKS)
    return Frame([who, strong], f"β = {beta:.2f}: gradient {shown}.")


def pull_figure() -> InteractiveFigure:
    """A slider for β."""
    caption = (
        "Move β up: the two humps move in towards the bend, where the unit is undecided, and sink. At β = 1 they are "
        "gone. On the right is their size for inputs of variance 1, and that of the same gradient if you learn the "
        "logit of β or η instead. Mind the scale: each tick is a factor of 100."
    )
    return InteractiveFigure("who-moves-beta", pull_frame, [beta_axis()], caption=caption)


@cache
def descent(start: float, target: float, rate: float = RATE) -> dict[str, Tensor]:
    """β after each of STEPS steps of gradient descent, ``(STEPS + 1,)``, towards a unit of hardness ``target``.

    The loss is the mean squared difference of the two units under normal inputs. A logit or η that is infinite at the
    start has nowhere to go: NaN.
    """
    goal = beta_relu(NORMAL_INPUTS, beta=target)
    first = torch.tensor(start, dtype=torch.float64)
    parameters = torch.stack([first, first.logit(), _inverse_softplus(eta_from_beta(first))])
    can_move, path = parameters.isfinite(), []
    for _ in range(STEPS + 1):
        parameters = parameters.detach().requires_grad_()
        own, logit, before_softplus = parameters.unbind()
        # η/(1+η) is the logistic of log η, which is faster than `beta_from_eta`: a reader waits for every step.
        beta = torch.stack([own, logit.sigmoid(), F.softplus(before_softplus).log().sigmoid()])
        path.append(beta.detach())
        beta = torch.where(can_move, beta, 0.5)
        loss = ((beta_relu(NORMAL_INPUTS.expand(3, -1), beta=beta[:, None]) - goal).square() @ NORMAL).sum()
        (grad,) = torch.autograd.grad(loss, parameters)
        moved = parameters.detach() - rate * grad
        parameters = torch.cat((moved[:1].clamp(0, 1), moved[1:]))
    paths = torch.stack(path, dim=1)
    paths[~can_move] = torch.nan
    return dict(zip(LOOKS, paths, strict=True))


def arrivals(start: float, target: float, rates: Sequence[float]) -> dict[str, tuple[int | None, float]]:
    """For each parametrisation the fewest steps after which β stays within 0.01 of the target, and at which rate.

    None where no rate gets there within STEPS.
    """
    found: dict[str, tuple[int | None, float]] = {}
    for rate in rates:
        for name, path in descent(start, target, rate).items():
            away = (~((path - target).abs() <= 0.01)).nonzero()
            steps = int(away[-1]) + 1 if len(away) else 0
            best, _ = found.setdefault(name, (None, rate))
            if steps <= STEPS and (best is None or steps < best):
                found[name] = (steps, rate)
    return found


@cache
def losses(target: float) -> Tensor:
    """The loss of :func:`descent` at all BETAS."""
    goal = beta_relu(NORMAL_INPUTS, beta=target)
    return (beta_relu(NORMAL_INPUTS.expand(len(BETAS), -1), beta=BETAS[:, None]) - goal).square() @ NORMAL


def descent_frame(start: float, goal: str) -> Frame:
    """A unit that learns the hardness of another one."""
    check_option("goal", goal, TARGETS)
    target = TARGETS[goal]
    paths, found = descent(start, target), losses(target)
    ends = {name: path[-1].item() for name, path in paths.items()}
    ways = Panel(
        title="β over the steps",
        xlabel="steps of gradient descent",
        alt=_told(start, target, ends),
        traces=[
            line("goal", [0, STEPS], [target] * 2, palette.GREY, dash="dashdot", width=1.5, label=True),
            *(
                line(name, (0, 1), path, LOOKS[name][0], dash=LOOKS[name][1], label=True)
                for name, path in paths.items()
            ),
        ],
        layout=layout(axis(-2, STEPS + 2, range(0, STEPS + 1, 20)), UP_TO_1),
    )
    loss = torch.stack([_loss(end, target) for end in ends.values()])
    surface = Panel(
        title="Loss over β",
        xlabel="β",
        alt=f"The loss has one minimum, at β = {target:g}, and is flat at β = 1.",
        traces=[
            line("loss", (0.0, 0.01), found, palette.GREY, label=""),
            *(
                dots(f"{name}, at the end", [end], [value], LOOKS[name][0], size=10, label=name)
                for (name, end), value in zip(ends.items(), loss, strict=True)
            ),
        ],
        layout=layout(ACROSS_TO_1, axis(-0.01, 0.16, (0, 0.05, 0.1, 0.15))),
    )
    said = ", ".join(f"{name} {_size(end)}" for name, end in ends.items())
    return Frame([ways, surface], f"β after {STEPS} steps: {said}.")


def descent_figure() -> InteractiveFigure:
    """A slider for the start, a choice of goals."""
    named: dict[Value, str] = {0.0: "linear", 0.5: "soft", 1.0: "hard"}
    axes = [
        sliding("start", "β at the start", 0, 1, 0.05, start=0.25, named=named, say=saying("β")),
        choice("goal", "Goal", tuple(TARGETS), start="harder, β = 0.9"),
    ]
    caption = (
        "Three units learn the same hardness with the same rate, one through β itself, one through its logit, one "
        "through η. Move the start. Then set it to 1, whatever the goal: the unit does not move. Step back to 0.95."
    )
    return InteractiveFigure("learn-hardness", descent_frame, axes, caption=caption)


def detached_frame(beta: float) -> Frame:
    """Both slopes of the unit, and what parts them."""
    attached, detached = slope(INPUTS, beta), slope(INPUTS, beta, detached=True)
    dropped = attached - detached
    slopes = Panel(
        title="Slope that the backward pass takes",
        xlabel="input u of the unit",
        alt="Both slopes are the step of ReLU."
        if beta == 1
        else "Both slopes are ½ everywhere."
        if beta == 0
        else f"At β = {beta:.2f} the slope of the attached code runs from {number(attached.min())} to "
        f"{number(attached.max())}; that of the detached code stays between 0 and 1 and never falls.",
        traces=[
            line("attached: ∂y/∂u", GRID, attached, palette.BLUE, width=4.5, label="attached: ∂y/∂u"),
            line("detached: the code t₂", GRID, detached, palette.ORANGE, dash="dash", label="detached: t₂"),
        ],
        layout=layout(axis(-REACH, REACH, (-4, -2, 0, 2, 4)), axis(-0.25, 1.25, (0, 0.5, 1), ("0", "½", "1"))),
    )
    largest = left_out_at_most(beta)
    left_out = Panel(
        title="What the detached code leaves out",
        xlabel="input u of the unit",
        alt=f"The difference is odd and at most {largest:.3f} at β = {beta:.2f}.",
        traces=[line("attached − detached", GRID, dropped, palette.PURPLE, width=3, label="")],
        layout=layout(axis(-REACH, REACH, (-4, -2, 0, 2, 4)), axis(-0.3, 0.3, (-0.2, 0, 0.2), ("−0.2", "0", "0.2"))),
    )
    return Frame([slopes, left_out], f"β = {beta:.2f}: the slopes differ by {largest:.3f} at most.")


def detached_figure() -> InteractiveFigure:
    """A slider for β."""
    caption = (
        "Move β: the two slopes agree at both ends. Between them the attached one leaves the range from 0 to 1, and "
        "the detached one does not. On the right is what parts them: as the unit hardens its peaks move in towards "
        "the bend and keep their height, until they are narrower than the grid of the picture."
    )
    return InteractiveFigure("detached-code", detached_frame, [beta_axis(start=0.7)], caption=caption, traced=True)


def _inverse_softplus(eta: Tensor) -> Tensor:
    return torch.expm1(eta).log() if eta < 30 else eta


def _loss(beta: float, target: float) -> Tensor:
    if not isfinite(beta):
        return torch.tensor(torch.nan)
    gap = beta_relu(NORMAL_INPUTS, beta=min(max(beta, 0.0), 1.0)) - beta_relu(NORMAL_INPUTS, beta=target)
    return gap.square() @ NORMAL


def _told(start: float, target: float, ends: dict[str, float]) -> str:
    if start == 1:
        return f"From β = 1 the unit does not move towards {target:g}: there the gradient is 0."
    shown = ", ".join(f"{name} ends at {_size(end)}" for name, end in ends.items() if isfinite(end))
    return f"From β = {start:.2f} towards {target:g}: {shown}."


def _size(value: float) -> str:
    if not isfinite(value):
        return "none"
    if value >= 0.095 or value == 0:
        return f"{value:.2f}"
    digit, _, power = f"{value:.1g}".partition("e")
    return f"{digit}·10{raised(int(power))}" if power else digit


def _log(number: float) -> float:
    return log(number, 10) if number > 0 else float("nan")
