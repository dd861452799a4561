"""The benchmark of softened networks: what is compared is what it says, and the bars are judged. Never a time."""

import torch

import betavq
from benchmarks import softening
from benchmarks.bars import judge
from benchmarks.resnet import ResNet
from benchmarks.timing import BOTH


def test_softened_copies_take_turns_with_the_original():
    x = torch.randn(2, 3, 16, 16)
    pairs = list(softening.pairs(ResNet(4).eval(), x))
    for pair in pairs:
        assert pair.layer.training == pair.other.training == (pair.passes == BOTH)
        assert type(pair.other) is ResNet
        near = betavq.set_beta(pair.layer.eval(), 1.0)(x)
        torch.testing.assert_close(near, pair.other.eval()(x))
    assert {(bar.operator, bar.passes) for bar in softening.BARS} <= {(pair.operator, pair.passes) for pair in pairs}


def test_both_bars_are_judged(capsys):
    with torch.random.fork_rng():
        found = softening.measure(2, softening.SOFTENED, batch=2, planes=4)
    assert [verdict.met is not None for verdict in judge(found, softening.BARS)] == [True, True]
    assert "÷ the original" in capsys.readouterr().out
