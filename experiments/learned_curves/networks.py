"""Networks of one hidden layer that fit a curve, many beside each other, for ``experiments.learned_curves``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from betavq import eta_from_beta
from experiments.shared.training import LARGEST_BETA, rounded

CURVES = {"cosine": lambda x: torch.cos(2 * x), "bump": lambda x: torch.exp(-(x**2))}
DIGITS = 5  # significant ones, kept of every weight


@dataclass(frozen=True)
class Setting:
    """How one network treats β.

    Attributes:
        name: what it is called in the result file.
        learned: fixed; or shared, one β for all units; or unit, one β a unit.
        beta: fixed or at first.
        code: attached, or detached: a constant in the backward pass.
        rate: of learning, at the first step, of weights and β alike.
        scale: slopes and offsets are multiplied by it at first, the weights of the outputs divided.
        through: what the optimiser moves: β itself, or its logit.
    """

    name: str
    learned: str
    beta: float
    code: str
    rate: float
    scale: float = 1.0
    through: str = "beta"


@dataclass(frozen=True)
class Training:
    """Adam on the mean squared error, its rate falling to 0 along a half cosine.

    Attributes:
        points: equally spaced from −``end`` to ``end``.
        batch: points a step, drawn without replacement.
    """

    points: int = 1000
    end: float = 6.0
    steps: int = 2000
    batch: int = 100

    def conditions(self) -> dict[str, Any]:
        """For the result file."""
        return asdict(self) | {"largest_learned_beta": LARGEST_BETA}


@dataclass(frozen=True)
class Fits:
    """Networks of so many settings S and seeds N with H units.

    Attributes:
        weights: slopes, offsets and weights of the units in the output, ``(S, N, H)``; its own offset, ``(S, N, 1)``.
        beta: ``(S, N, H)``.
        log_errors: decimal logarithm of the root mean squared error over all points, ``(S, N)``.
    """

    weights: tuple[Tensor, ...]
    beta: Tensor
    log_errors: Tensor

    def betas(self, i: int, setting: Setting) -> list[list[float]]:
        """The learned β of a setting, for each seed one, or one a unit in ascending order; nothing of a fixed one."""
        if setting.learned == "fixed":
            return []
        kept = self.beta[i] if setting.learned == "unit" else self.beta[i, :, :1]
        return [[round(beta, 4) for beta in seed] for seed in kept.sort(1).values.tolist()]

    def bends(self, i: int) -> list[float]:
        """For each seed the median over the units of η|w|: how many bends of width 1/(η|w|) go into one unit of x."""
        hardness = eta_from_beta(self.beta[i]) * self.weights[0][i].abs()
        return [round(median, 4) for median in hardness.median(1).values.tolist()]


def fit(settings: Sequence[Setting], curve: str, width: int, seeds: Sequence[int], training: Training) -> Fits:
    """Train a network for each setting and seed, none of which sees another."""
    count = (len(settings), len(seeds))
    drawn = [_first_weights(width, seed, training.end) for seed in seeds]
    scale = torch.tensor([setting.scale for setting in settings]).view(-1, 1, 1)
    weights = [
        (torch.stack(parts).expand(*count, -1) * factor).requires_grad_()
        for parts, factor in zip(zip(*drawn, strict=True), (scale, scale, 1 / scale, torch.ones(())), strict=True)
    ]
    is_logit = torch.tensor([[[setting.through == "logit"]] for setting in settings])
    first = _first_betas(settings, count[1], width)
    moved = torch.where(is_logit, first.logit(), first).requires_grad_()  # β, or its logit
    learned = torch.tensor([[[setting.learned != "fixed"]] for setting in settings])
    shared = torch.tensor([[[setting.learned == "shared"]] for setting in settings])
    detached = [i for i, setting in enumerate(settings) if setting.code == "detached"]
    attached = [i for i, setting in enumerate(settings) if setting.code == "attached"]
    rates = torch.tensor([setting.rate for setting in settings]).view(-1, 1, 1)
    x = torch.linspace(-training.end, training.end, training.points)
    y = CURVES[curve](x)
    adam = [_Adam(parameter) for parameter in (*weights, moved)]
    orders = [torch.Generator().manual_seed(seed) for seed in seeds]
    for step in range(training.steps):
        rows = torch.stack([torch.randperm(training.points, generator=order)[: training.batch] for order in orders])
        loss, beta = x.new_zeros(()), _hardness(moved, is_logit)
        for part, is_detached in ((attached, False), (detached, True)):
            out = _outputs([weight[part] for weight in weights], beta[part], x[rows], is_detached)
            loss = loss + (out - y[rows]).square().mean(-1).sum()
        grads = list(torch.autograd.grad(loss, (*weights, moved)))
        grads[-1] = torch.where(shared, grads[-1].sum(-1, keepdim=True), grads[-1]) * learned
        rate = rates * (1 + math.cos(math.pi * step / training.steps)) / 2
        with torch.no_grad():
            for one, grad in zip(adam, grads, strict=True):
                one.step(grad, rate)
            moved.copy_(torch.where(learned & ~is_logit, moved.clamp(0, LARGEST_BETA), moved))
    with torch.no_grad():
        beta = _hardness(moved, is_logit)
        error = (_outputs(weights, beta, x.expand(count[1], -1), False) - y).square().mean(-1).sqrt().log10()
    return Fits(tuple(weight.detach() for weight in weights), beta.detach(), error)


def _outputs(weights: Sequence[Tensor], beta: Tensor, x: Tensor, is_detached: bool) -> Tensor:
    """Of networks ``(S, N)`` at the points ``(N, P)`` of each seed: ``(S, N, P)``.

    The units are those of `betavq.functional.beta_relu`, in plain operators, so that no version of it changes their
    last bits.
    """
    slope, offset, out, last = weights
    scores = x[None, :, :, None] * slope[:, :, None] + offset[:, :, None]
    seen = scores.detach() if is_detached else scores  # β learns from a detached code as well
    units = scores * torch.sigmoid(seen * eta_from_beta(beta[:, :, None]))
    return (units @ out[..., None])[..., 0] + last


def _hardness(moved: Tensor, is_logit: Tensor) -> Tensor:
    return torch.where(is_logit, moved.sigmoid(), moved)


def _first_weights(width: int, seed: int, end: float) -> tuple[Tensor, ...]:
    """The bends at random places of the interval, each with a random slope."""
    generator = torch.Generator().manual_seed(seed)
    slope = torch.randn(width, generator=generator)
    places = (2 * torch.rand(width, generator=generator) - 1) * end
    out = torch.randn(width, generator=generator) / width**0.5
    return slope, -slope * places, out, torch.zeros(1)


def _first_betas(settings: Sequence[Setting], seeds: int, width: int) -> Tensor:
    first = torch.tensor([setting.beta for setting in settings])
    return first.view(-1, 1, 1).repeat(1, seeds, width)


class _Adam:
    """Adam with a rate for each network, which torch's has not."""

    def __init__(self, parameter: Tensor) -> None:
        self.parameter, self.count = parameter, 0
        self.mean, self.square = torch.zeros_like(parameter), torch.zeros_like(parameter)

    def step(self, grad: Tensor, rate: Tensor) -> None:
        self.count += 1
        self.mean.lerp_(grad, 0.1)
        self.square.lerp_(grad.square(), 0.001)
        mean, square = self.mean / (1 - 0.9**self.count), self.square / (1 - 0.999**self.count)
        self.parameter.sub_(rate * mean / (square.sqrt() + 1e-8))


def stored(fits: Fits, i: int) -> dict[str, list[float]]:
    """One network of a setting, that of the first seed, to so many digits."""
    names = ("slopes", "offsets", "outputs", "last", "beta")
    tensors = (*(weight[i, 0] for weight in fits.weights), fits.beta[i, 0])
    return {name: rounded(tensor.double(), DIGITS).tolist() for name, tensor in zip(names, tensors, strict=True)}
