"""Checks of a reader's answers: right ones pass, and the usual slips are told apart by their sentence."""

import doctest

import pytest
import torch
from torch import nn

import betavq
from hardtosoft import exercises


def test_examples_are_as_they_say():
    assert doctest.testmod(exercises).failed == 0


def numpy_like_softmax(scores, beta):
    weights = torch.exp(betavq.eta_from_beta(beta) * scores)
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda *_: None, "return a tensor with one weight for each of the 3 scores"),
        (lambda scores, _: scores[:2], "one weight for each"),
        (numpy_like_softmax, "(900, 1000) is (0.000, 1.000), yours is (nan, nan)"),
        (lambda scores, beta: torch.softmax(beta * scores, -1), "at β = 0.5"),
        (lambda scores, beta: torch.softmax(beta / (1 - beta) * scores, -1), "raises ZeroDivisionError"),
        (
            lambda scores, beta: torch.softmax(min(beta / (1 - beta + 1e-12), 1e12) * scores, -1),
            "at β = 1 the code of (1, 1, 0) is (1.000, 0.000, 0.000), yours is (0.500, 0.500, 0.000)",
        ),
    ],
)
def test_slips_in_the_code_are_named(answer, said):
    assert said in exercises.check_code(answer)
    assert exercises.check_code(answer).startswith("Not yet: ")


def test_a_code_by_softmax_and_argmax_is_right():
    def code(scores, beta):
        if beta == 1:
            return nn.functional.one_hot(scores.argmax(), len(scores)).double()
        return torch.softmax(beta / (1 - beta) * scores, -1)

    assert exercises.check_code(code) == exercises.RIGHT


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            lambda _, offsets, variance: torch.softmax(offsets / variance, -1),
            "Not yet: at σ² = 1 the weights are",
        ),
        (lambda _slopes, offsets, _: offsets, "must sum to 1"),
        (lambda *_: 1 / 0, "raises ZeroDivisionError"),
        (lambda _slopes, offsets, _: offsets[None], "one weight for each piece"),
    ],
)
def test_slips_in_the_prior_are_named(answer, said):
    assert said in exercises.check_prior(answer)


def test_the_prior_of_the_chapter_is_right():
    def prior(slopes, offsets, variance):
        return torch.softmax((offsets + slopes.square().sum(-1) / 2) / variance, -1)

    assert exercises.check_prior(prior) == exercises.RIGHT


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 3)).eval()


INPUTS = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))


def test_a_softened_network_is_right_and_keeps_its_beta():
    yours = net()
    soft = betavq.soften(yours, 0.8, share="site")
    assert exercises.check_softened(soft, yours, INPUTS).startswith("Right. 1 site replaced")
    assert all(beta.item() == pytest.approx(0.8) for beta in betavq.betas(soft).values())


def test_slips_in_softening_are_named():
    yours = net()
    say = exercises.check_softened
    assert "β is 1" in say(betavq.soften(yours, 1.0), yours, INPUTS)
    assert "at β = 1 soft and yours differ" in say(
        betavq.soften(nn.Sequential(*net(), nn.ReLU()).eval(), 0.8), yours, INPUTS
    )
    assert "evaluation mode" in say(betavq.soften(yours, 0.8).train(), yours, INPUTS)
    smooth = nn.Sequential(nn.Linear(2, 3), nn.GELU()).eval()
    with pytest.warns(UserWarning, match="nothing to soften"):
        left_alone = betavq.soften(smooth, 0.8)
    assert say(left_alone, smooth, INPUTS) == "Not yet: nothing was softened: 1 (gelu): is smooth already."
    flat = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).eval()
    nn.init.zeros_(flat[0].weight), nn.init.zeros_(flat[0].bias)
    assert "take others" in say(betavq.soften(flat, 0.8), flat, INPUTS)


def test_regions_that_grow_too_slowly_are_named_too():
    assert "2 lines cut the plane into 4 regions at most, not 3" in exercises.check_regions(lambda lines: 1 + lines)
    assert "raises" in exercises.check_regions(lambda lines: [][lines])
