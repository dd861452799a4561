"""Curves fitted side by side: each network learns as it would alone, with torch's own Adam, and work is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from experiments.learned_curves import __main__ as learned_curves
from experiments.learned_curves.__main__ import Plan, experiment, settings
from experiments.learned_curves.networks import CURVES, Setting, Training, _first_weights, _outputs, fit, stored
from experiments.shared.training import LARGEST_BETA

pytestmark = pytest.mark.usefixtures("one_thread")

SHORT = Training(points=40, steps=5, batch=10)
SMALL = Plan(SHORT, widths=(3,), rates=(0.01, 0.1), seeds=(0, 1, 2), seeds_of_rates=(100, 101))


def test_networks_side_by_side_learn_as_each_alone():
    chosen = settings(0.05)
    together = fit(chosen, "cosine", 4, (0, 1), SHORT)
    for i in (0, 5, 10, 13):
        for n, seed in enumerate((0, 1)):
            alone = fit([chosen[i]], "cosine", 4, (seed,), SHORT)
            torch.testing.assert_close(together.beta[i, n], alone.beta[0, 0])
            torch.testing.assert_close(together.log_errors[i, n], alone.log_errors[0, 0])


def test_training_is_torchs_adam_on_swish():
    # With β = ½ and an attached code the layer is torch's SiLU.
    made = fit([Setting("0.5", "fixed", 0.5, "attached", 0.05)], "bump", 4, (3,), replace(SHORT, batch=40))
    weights = [weight.clone().requires_grad_() for weight in _first_weights(4, 3, SHORT.end)]
    optimiser = torch.optim.Adam(weights, lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, SHORT.steps)
    x = torch.linspace(-SHORT.end, SHORT.end, SHORT.points)
    for _ in range(SHORT.steps):
        optimiser.zero_grad()
        slope, offset, out, last = weights
        drawn = F.silu(x[:, None] * slope + offset) @ out + last
        (drawn - torch.exp(-(x**2))).square().mean().backward()
        optimiser.step()
        schedule.step()
    for found, expected in zip(made.weights, weights, strict=True):
        torch.testing.assert_close(found[0, 0], expected.detach(), rtol=1e-4, atol=1e-5)


def test_what_is_learned_moves_and_what_is_fixed_does_not():
    chosen = settings(0.3)
    made = fit(chosen, "cosine", 4, (0,), replace(SHORT, steps=40))
    for i, setting in enumerate(chosen):
        beta = made.beta[i, 0]
        if setting.learned == "fixed":
            assert (beta == torch.tensor(setting.beta)).all()
            assert made.betas(i, setting) == []
            continue
        assert (beta != 0.5).all()
        assert ((beta >= 0) & (beta <= LARGEST_BETA)).all()
        assert (beta == beta[0]).all() == (setting.learned == "shared")
        assert len(made.betas(i, setting)[0]) == (1 if setting.learned == "shared" else 4)


def test_a_detached_code_is_another_way_down():
    attached, detached = (
        fit([Setting("0.5", "fixed", 0.5, code, 0.05)], "cosine", 4, (0,), SHORT) for code in ("attached", "detached")
    )
    assert not torch.equal(attached.weights[0], detached.weights[0])
    # The weights of the outputs see the same values, and so take the same first step.
    one = replace(SHORT, steps=1)
    first = [fit([Setting("", "fixed", 0.5, code, 0.05)], "cosine", 4, (0,), one) for code in ("attached", "detached")]
    assert torch.equal(first[0].weights[2], first[1].weights[2])


def test_result_file_and_a_stopped_run(tmp_path, monkeypatch):
    whole = experiment(SMALL, tmp_path / "whole")
    json.dumps(whole, allow_nan=False)
    assert len(whole["fits"]) == len(CURVES) * len(settings())
    for entry in whole["fits"]:
        assert entry["rate"] in SMALL.rates
        assert entry["rate"] == SMALL.rates[entry["log_errors_of_rates"].index(min(entry["log_errors_of_rates"]))]
        assert len(entry["log_errors"]) == len(entry["bends"]) == 3
        assert len(entry["network"]["slopes"]) == entry["width"] == 3
    soft = [entry for entry in whole["fits"] if (entry["name"], entry["code"]) == ("0.5", "attached")]
    assert all(entry["minus_soft"] == {"mean": 0.0, "half_width": 0.0} for entry in soft)

    fitted, done = learned_curves.fitted, []

    def stop(plan, curve, width):
        if done:
            raise KeyboardInterrupt
        done.append(curve)
        return fitted(plan, curve, width)

    monkeypatch.setattr(learned_curves, "fitted", stop)
    with pytest.raises(KeyboardInterrupt):
        experiment(SMALL, tmp_path / "stopped")
    left = []
    monkeypatch.setattr(learned_curves, "fitted", lambda *args: (left.append(args[1]), fitted(*args))[1])
    assert experiment(SMALL, tmp_path / "stopped") == whole
    assert left == ["bump"]


def test_the_stored_network_is_that_of_the_first_seed():
    chosen = settings(0.05)
    made = fit(chosen, "cosine", 4, (0, 1), SHORT)
    kept = {name: torch.tensor(numbers).float() for name, numbers in stored(made, 5).items()}
    x = torch.linspace(-3, 3, 7)
    weights = [kept[name].view(1, 1, -1) for name in ("slopes", "offsets", "outputs", "last")]
    again = _outputs(weights, kept["beta"].view(1, 1, -1), x[None], False)[0, 0]
    exact = _outputs(made.weights, made.beta, x.expand(2, -1), False)[5, 0]
    torch.testing.assert_close(again, exact, rtol=0, atol=1e-3)
