"""Sigmoid, tanh and softmax as posteriors, and the mixture that a reader writes down."""

import numpy as np
import pytest
import torch

import betavq
from hardtosoft.figures.gaussian_mixtures import gates
from hardtosoft.interactive.frames import array


def named(frame, name, panel=1):
    (found,) = [trace for trace in frame.panels[panel].traces if trace["name"] == name]
    return found


def read_out(gate, beta):
    """What the figure reads out of the posterior: for sigmoid and softmax some of its weights themselves."""
    names = {"sigmoid": [2], "tanh": [], "softmax": [1, 2, 3]}[gate]
    shown = gates.gates_frame(gate, beta)
    curves = [named(shown, f"posterior t of component {r}")["y"] for r in names] or [
        named(shown, "read-out t₂ − t₁")["y"]
    ]
    return np.stack(curves)


@pytest.mark.claim("C5")
@pytest.mark.parametrize("gate", gates.GATES)
def test_the_soft_read_out_is_pytorchs_function(gate):
    """At β = ½ what is read out of the posterior is torch.sigmoid, torch.tanh and torch.softmax."""
    expected = gates.pytorch(gate, gates.INPUTS)
    np.testing.assert_allclose(read_out(gate, 0.5), array(expected).T, rtol=0, atol=1e-14)
    rings = named(gates.gates_frame(gate, 0.5), f"torch.{gate}")["y"]
    np.testing.assert_allclose(rings[np.isfinite(rings)], array(expected)[::10].T.ravel(), rtol=0, atol=1e-14)


@pytest.mark.claim("C5")
@pytest.mark.parametrize("beta", [0.2, 0.5, 0.8])
def test_at_other_hardnesses_the_scores_are_scaled_by_eta(beta):
    """At any β the read-outs are sigmoid(ηu), tanh(ηu) and softmax(ηz)."""
    eta = beta / (1 - beta)
    u = gates.INPUTS
    scores = gates.gate_unit("softmax")[0].scores(u[:, None])[:, 0].detach()
    expected = {
        "sigmoid": torch.sigmoid(eta * u)[None],
        "tanh": torch.tanh(eta * u)[None],
        "softmax": torch.softmax(eta * scores, 1).T,
    }
    for gate, curves in expected.items():
        np.testing.assert_allclose(read_out(gate, beta), curves, rtol=0, atol=1e-12)


@pytest.mark.parametrize("gate", gates.GATES)
def test_bells_cross_where_posteriors_cross(gate):
    frame = gates.gates_frame(gate, 0.4)
    bells = np.stack([named(frame, f"component {r + 1}", panel=0)["y"] for r in range(3)])
    posterior = np.stack([named(frame, f"posterior t of component {r + 1}")["y"] for r in range(3)])
    together = np.nansum(bells, 0)
    np.testing.assert_allclose(posterior, bells / together, rtol=0, atol=1e-12)
    np.testing.assert_allclose(named(frame, "all components together", panel=0)["y"], together, atol=1e-12)
    drawn = np.isfinite(posterior).all(1)
    assert list(drawn) == [True, True, gate == "softmax"]  # a component of weight 0 takes no part


def test_densities_are_bells_under_the_top_of_their_panel():
    for gate in gates.GATES:
        for beta in gates.gates_figure().axes[1].values:
            panel = gates.gates_frame(gate, beta).panels[0]
            total = next(t["y"] for t in panel.traces if t["name"] == "all components together")
            assert total.max() < panel.layout["yaxis"]["range"][1]
            assert total.sum() * gates.GRID[1] == pytest.approx(1.0, abs=0.2)  # what lies outside is little


@pytest.mark.parametrize(
    ("weights", "variance", "words"),
    [
        ((1, 1, 1), 1.0, "Every component is somewhere"),
        ((2, 1, 2), 1.0, "The second component is nowhere"),
        ((2, 1, 2), 0.71, "Every component is somewhere"),  # below 1/(2 log 2)
        ((2, 1, 2), 0.73, "The second component is nowhere"),
        ((0, 1, 0), 1.0, "The first and the third component are nowhere"),
    ],
)
def test_a_component_of_little_weight_is_nowhere_the_most_probable(weights, variance, words):
    frame = gates.components_frame((-1, 0, 1), weights, variance)
    assert frame.readout.startswith(words)
    assert words[1:] in frame.panels[1].alt


def test_shares_of_the_line_are_those_of_the_borders():
    """Equal weights: the borders lie halfway between the means, whatever the noise."""
    for variance in (0.05, 1.0, 4.0):
        readout = gates.components_frame((-1, 0, 1), (1, 1, 1), variance).readout
        assert readout.endswith("%: 43.8, 12.5, 43.8.")


@pytest.mark.parametrize(
    ("means", "weights", "message"),
    [
        ((0, 1), (1, 1, 1), "means must be three numbers from −4 to 4"),
        ((0, 1, 5), (1, 1, 1), "means must be three numbers from −4 to 4"),
        ((0, 1, float("nan")), (1, 1, 1), "means must be three numbers from −4 to 4"),
        ((0, 1, 2), (1, 1), "weights must be three numbers, none negative and not all 0, got"),
        ((0, 1, 2), (1, -1, 1), "weights must be three numbers, none negative and not all 0, got"),
        ((0, 1, 2), (0, 0, 0), "weights must be three numbers, none negative and not all 0, got"),
    ],
)
def test_what_is_no_mixture_of_three_is_refused(means, weights, message):
    with pytest.raises(ValueError, match=message):
        gates.components_figure(means, weights)


def test_unknown_gates_are_refused():
    with pytest.raises(ValueError, match="gate must be one of 'sigmoid', 'tanh', 'softmax', got 'relu'"):
        gates.gate_unit("relu")


@pytest.mark.claim("C4")
def test_expected_scores_under_the_posterior_are_the_soft_units():
    """The posterior's expected score is SiLU for the pieces of ReLU, u·tanh u for |u|, softmax pooling for max."""
    u = gates.INPUTS
    for gate, soft in {"sigmoid": torch.nn.functional.silu(u), "tanh": u * torch.tanh(u)}.items():
        unit = gates.gate_unit(gate)[0]
        posterior = unit.to_mixture().responsibilities(u[:, None])[:, 0, :2]
        torch.testing.assert_close((posterior * unit.scores(u[:, None])[:, 0, :2]).sum(1), soft, rtol=0, atol=1e-12)
    patches = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)).double()
    pool = betavq.MASO(torch.eye(4).double()[None], torch.zeros(1, 4).double())
    posterior = pool.to_mixture().responsibilities(patches)[:, 0]
    expected = (torch.softmax(patches, 1) * patches).sum(1)
    torch.testing.assert_close((posterior * patches).sum(1), expected, rtol=0, atol=1e-12)
