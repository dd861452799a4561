"""The controls beside learning β: the unit is betavq's, and a start of another scale is the same but for the scale."""

from __future__ import annotations

import pytest
import torch

from betavq.nn import BetaReLU
from experiments.learned_controls.__main__ import KINDS, kinds
from experiments.learned_controls.runs import LearnedControlBench, Run, Unit
from experiments.learned_curves.__main__ import settings
from experiments.learned_curves.networks import Training, fit
from experiments.shared.small_cnn import Recipe

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = Recipe(filters=(4, 5, 6), epochs=2, batch=20, most_images=40)


@pytest.mark.parametrize("learned", ["fixed", "shared", "channel"])
@pytest.mark.parametrize("code", ["attached", "detached"])
def test_the_unit_is_that_of_betavq(learned, code):
    unit = Unit(Run(learned, 0.7, code, 1.0, 0.1, 0, "test"), 3)
    layer = BetaReLU(
        0.7,
        learnable=learned != "fixed",
        num_channels=3 if learned == "channel" else None,
        detach_code=code == "detached",
    )
    u = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    found = []
    for module in (unit, layer):
        given = u.clone().requires_grad_()
        out = module(given)
        out.square().sum().backward()
        beta = [] if learned == "fixed" else [module.beta.grad.reshape(-1)]
        found.append([out.detach(), given.grad, *beta])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_scaled_start_sees_three_times_as_much_and_puts_out_as_much_at_a_third_of_the_hardness(digits, tmp_path):
    bench = LearnedControlBench(digits, TINY, tmp_path)
    images = torch.randn(8, 1, 8, 8)
    plain, scaled = (bench.build(Run("fixed", 0.5, "attached", scale, 0.1, 3, "test")) for scale in (1.0, 3.0))
    for network in (plain, scaled):
        network.train()
    assert torch.equal(scaled.get_submodule("first").weight, plain.get_submodule("first").weight)
    torch.testing.assert_close(scaled[:2](images), 3 * plain[:2](images))
    hard = bench.build(Run("fixed", 1.0, "attached", 1.0, 0.1, 3, "test")).train()
    relu = bench.build(Run("fixed", 1.0, "attached", 3.0, 0.1, 3, "test")).train()
    bias = hard.get_submodule("output").bias
    torch.testing.assert_close(relu(images), hard(images), rtol=1e-3, atol=1e-4)
    assert torch.equal(bias, relu.get_submodule("output").bias)


def test_runs_tell_beta_and_the_hardness_seen(digits, tmp_path):
    bench = LearnedControlBench(digits, TINY, tmp_path)
    found = {kind.name: bench.run(kind.run((0.1,), 0, "test")) for kind in kinds()[:4]}
    assert found["relu"]["beta"] == found["relu"]["hardness"] == []
    assert found["soft"]["beta"] == [0.5] * 3
    assert found["soft_scaled"]["hardness"][0] == pytest.approx(3, abs=0.5)
    assert all(beta != 0.5 for beta in found["shared"]["beta"])
    assert len(kinds()) == len(KINDS) == 9


def test_curves_learn_through_the_logit_and_from_another_scale():
    chosen = [setting for setting in settings(0.05) if " " in setting.name]
    assert [setting.name for setting in chosen] == [
        "0.5 scaled",
        "shared scaled",
        "unit scaled",
        "shared logit",
        "unit logit",
    ]
    start = fit(chosen, "bump", 4, (0,), Training(points=40, steps=0, batch=10))
    slope, offset, out, _ = start.weights
    torch.testing.assert_close(slope[0], 3 * slope[3])
    torch.testing.assert_close(offset[0], 3 * offset[3])
    torch.testing.assert_close(out[0], out[3] / 3)
    torch.testing.assert_close(start.beta, torch.full_like(start.beta, 0.5))
    one = fit(chosen, "bump", 4, (0,), Training(points=40, steps=1, batch=10))
    # Adam's first step has the size of the rate, in whatever is moved.
    assert (one.beta[1:3] - 0.5).abs().flatten().tolist() == pytest.approx([0.05] * 8, abs=1e-4)
    assert (one.beta[3:].logit().abs()).flatten().tolist() == pytest.approx([0.05] * 8, abs=1e-4)
