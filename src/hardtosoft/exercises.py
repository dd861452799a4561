"""What checks a reader's answers to the coding exercises: it says *Right*, or what is not yet right and why.

An answer is a function, or a model, that the reader wrote in a notebook. Whatever it does, the check says so.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import torch
from torch import Tensor, nn

import betavq

RIGHT = "Right."
CLOSE = 1e-9


def not_yet(why: str) -> str:
    """The sentence for an answer that is not right yet."""
    return f"Not yet: {why}" if why.endswith("?") else f"Not yet: {why}."


def _try(answer: Callable[..., object], *arguments: object) -> tuple[object, str]:
    """What the answer returns, and a sentence if it raises."""
    try:
        return answer(*arguments), ""
    except Exception as error:  # any error of the reader's own is something to read, not to stop at
        return None, not_yet(f"your function raises {type(error).__name__}: {error}")


def check_code(answer: Callable[[Tensor, float], object]) -> str:
    """Whether ``answer(scores, beta)`` is the code of one unit at β, for β from 0 to 1.

    Example:
        >>> check_code(lambda scores, beta: torch.softmax(scores, -1))
        'Not yet: at β = 0 the code of (1, 2, 0) is (0.333, 0.333, 0.333), yours is (0.245, 0.665, 0.090).'
        >>> check_code(lambda scores, beta: betavq.code(scores, beta))
        'Right.'
    """
    for beta in (0.0, 0.5, 0.9, 1.0):
        for numbers in ([1.0, 2.0, 0.0], [1.0, 1.0, 0.0], [900.0, 1000.0]):
            scores = torch.tensor(numbers, dtype=torch.float64)
            found, raised = _try(answer, scores, beta)
            if raised:
                return raised
            if not isinstance(found, Tensor) or found.shape != scores.shape:
                return not_yet(f"return a tensor with one weight for each of the {len(numbers)} scores")
            right = betavq.code(scores, beta)
            if not torch.allclose(found.double(), right, rtol=0, atol=CLOSE):
                unit = ", ".join(f"{number:g}" for number in numbers)
                return not_yet(
                    f"at β = {beta:g} the code of ({unit}) is {_weights(right)}, yours is {_weights(found)}"
                )
    return RIGHT


def _weights(code: Tensor) -> str:
    return "(" + ", ".join(f"{weight:.3f}" for weight in code.tolist()) + ")"


def check_prior(answer: Callable[[Tensor, Tensor, float], object]) -> str:
    """Whether ``answer(slopes, offsets, variance)`` gives the prior weights of the mixture behind one unit.

    Example:
        >>> slip = lambda slopes, offsets, variance: torch.softmax(offsets + slopes.square().sum(-1) / 2, -1)
        >>> check_prior(slip)
        'Not yet: right at σ² = 1, wrong at σ² = 0.5. What has to hold the edges in place when the noise is less?'
    """
    generator = torch.Generator().manual_seed(0)
    slopes = torch.randn(3, 2, generator=generator, dtype=torch.float64)
    offsets = torch.randn(3, generator=generator, dtype=torch.float64)
    unit = betavq.MASO(slopes[None], offsets[None])
    for variance in (1.0, 0.5, 4.0):
        found, raised = _try(answer, slopes, offsets, variance)
        if raised:
            return raised
        right = unit.to_mixture(variance).weights[0].detach()
        if not isinstance(found, Tensor) or found.shape != right.shape:
            return not_yet("return a tensor with one weight for each piece")
        if not torch.allclose(found.sum(), right.sum(), rtol=0, atol=CLOSE):
            return not_yet("the weights must sum to 1")
        if not torch.allclose(found, right, rtol=0, atol=CLOSE):
            if variance == 1.0:
                return not_yet(f"at σ² = 1 the weights are {_weights(right)}, yours are {_weights(found)}")
            wrong = f"right at σ² = 1, wrong at σ² = {variance:g}"
            return f"Not yet: {wrong}. What has to hold the edges in place when the noise is less?"
    return RIGHT


def check_softened(soft: nn.Module, yours: nn.Module, *inputs: Tensor) -> str:
    """Whether ``soft`` is ``yours`` with a β behind its hard choices: the same at β = 1, and another below.

    β is left as it was.

    Example:
        >>> yours = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).eval()
        >>> check_softened(yours, yours, torch.ones(1, 2))
        'Not yet: soft has no β. What does betavq.soften return?'
        >>> check_softened(betavq.soften(yours, 0.9), yours, torch.ones(1, 2))
        'Right. 1 site replaced, 0 left alone; smoothing value, share all, β = 0.9'
    """
    try:
        report = betavq.report(soft)
    except (TypeError, ValueError):
        return "Not yet: soft has no β. What does betavq.soften return?"
    if yours.training or soft.training:
        return not_yet("put your network into evaluation mode, yours.eval(), before you soften it")
    if not any(site.replaced for site in report.sites):
        reasons = "; ".join(f"{site.where} ({site.what}): {site.reason}" for site in report.sites)
        return not_yet(f"nothing was softened{': ' if reasons else ''}{reasons}")
    kept = {name: beta.detach().clone() for name, beta in betavq.betas(soft).items()}
    if all(bool((beta == 1).all()) for beta in kept.values()):
        return not_yet("β is 1, and soft is as hard as yours: set a smaller one with betavq.set_beta")
    with torch.no_grad():
        hard, now = yours(*inputs), soft(*inputs)
        at_one = betavq.set_beta(soft, 1.0)(*inputs)
        betavq.set_beta(soft, kept)
    if not torch.equal(at_one, hard):
        return not_yet("at β = 1 soft and yours differ. Are they the same network, with the same weights?")
    if torch.equal(now, hard):
        return not_yet("your inputs do not tell soft and yours apart: take others")
    return f"{RIGHT} {str(report).splitlines()[0]}"


def check_regions(answer: Callable[[int], object]) -> str:
    """Whether ``answer(lines)`` is the largest number of regions that so many lines cut the plane into.

    Example:
        >>> check_regions(lambda lines: 2**lines)
        'Not yet: 3 lines cut the plane into 7 regions at most, not 8. Each pair of lines crosses only once.'
        >>> check_regions(lambda lines: 1 + lines + lines * (lines - 1) // 2)
        'Right. Six lines make 22.'
    """
    for lines in range(11):
        found, raised = _try(answer, lines)
        if raised:
            return raised
        right = 1 + lines + comb(lines, 2)
        if found != right:
            why = f"{lines} lines cut the plane into {right} regions at most, not {found}"
            return f"Not yet: {why}. Each pair of lines crosses only once."
    return f"{RIGHT} Six lines make 22."
