"""The slot for the noise, two nonlinearities side by side, and one of the reader's own."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from betavq import noise
from hardtosoft.atlas import ATLAS, Coordinates, constant, constants, line
from hardtosoft.figures.atlas import grid, yours
from hardtosoft.figures.atlas import noise as slot

EVERY_NOISE = pytest.mark.parametrize("name", slot.NOISES)
RELU = (constant(0), line(1))


def traces(panel, name):
    return [np.asarray(trace["y"]) for trace in panel.traces if trace["name"] == name]


def test_the_slot_takes_every_noise_of_the_library():
    assert tuple(slot.NOISES.values()) == noise.NOISES
    assert slot.OWN.keys() == slot.NOISES.keys()


@EVERY_NOISE
def test_the_curves_pass_through_pytorchs_own_at_the_named_scale_and_at_no_other(name):
    own = slot.OWN[name]
    for scale in (0.5, 1.0, 3.0):
        _, gate, output = slot.slot_frame(name, scale, 1.0).panels
        (share,), (value,), (maximum,) = (
            traces(gate, "its chance, t₂"),
            traces(output, "value"),
            traces(output, "expected maximum"),
        )
        behind = [*traces(gate, "PyTorch's own"), *traces(output, "PyTorch's own")]
        for curve, above, there in zip(
            behind, (share, value, maximum), (own.share, own.value, own.maximum), strict=True
        ):
            assert np.isnan(curve).all() == (there is None)
            if there:
                distance = np.abs(curve - above[::5]).max()
                assert distance < 1e-12 if scale == own.scale else distance > 0.05


def test_the_dots_are_pytorchs():
    u = slot.INPUTS[::5]
    expected = {"logistic": F.silu, "uniform": F.hardswish, "Gaussian": F.gelu}
    for name, function in expected.items():
        output = slot.slot_frame(name, 1.0, 1.0).panels[2]
        np.testing.assert_array_equal(traces(output, "PyTorch's own")[0], function(u))
    output = slot.slot_frame("exponential", 1.0, 1.0).panels[2]
    np.testing.assert_array_equal(traces(output, "PyTorch's own")[1], F.elu(u) + 1)


@EVERY_NOISE
@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_density_is_the_one_of_the_textbooks(name, scale):
    places = torch.linspace(-4.95, 4.95, 100, dtype=torch.float64)  # no kink among them
    x = places / scale
    expected = {
        "logistic": torch.sigmoid(x) * torch.sigmoid(-x),
        "uniform": (x.abs() < 1) / 2,
        "Gaussian": torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi),
        "exponential": torch.where(x > 0, torch.exp(-x), 0.0),
        "Lomax": 1 / (2 * (1 + x.abs()) ** 2),
    }[name]
    torch.testing.assert_close(slot.density(name, scale, places), expected.double() / scale)


@EVERY_NOISE
def test_the_tinted_area_is_the_chance(name):
    for scale in (1.0, 3.0):
        for u in (-3.0, -1.0, 0.5, 3.0):
            panels = slot.slot_frame(name, scale, u).panels
            tint = panels[0].traces[0]
            area = np.asarray(tint["z"]).sum() * tint["dx"] * tint["dy"]
            (dot,) = traces(panels[1], "at this u")
            # Above 5 there is no picture, but there is noise.
            edge = torch.tensor([0.0, -slot.REACH], dtype=torch.float64)
            beyond = noise.code(edge, slot.NOISES[name], scale)[1].item()
            assert area + beyond == pytest.approx(dot[0], abs=5e-3)


def test_without_noise_all_are_the_relu():
    for name in slot.NOISES:
        frame = slot.slot_frame(name, 0.0, -1.0)
        for curve in (traces(frame.panels[2], "value"), traces(frame.panels[2], "expected maximum")):
            np.testing.assert_array_equal(curve[0], F.relu(slot.INPUTS))


def test_lomax_noise_says_that_its_maximum_is_not_finite():
    frame = slot.slot_frame("Lomax", 1.0, 1.0)
    assert "no finite expected maximum" in frame.readout
    assert np.isnan(traces(frame.panels[2], "expected maximum")[0]).all()


def test_a_noise_that_is_not_offered_is_refused():
    with pytest.raises(ValueError, match=r"noise must be one of 'logistic', .*, got 'cauchy'"):
        slot.slot_frame("cauchy", 1.0, 1.0)


@pytest.mark.parametrize(
    ("beta", "noises"), [(0.5, {"logistic", "Gaussian", "exponential", "Lomax"}), (0.25, {"uniform"})]
)
def test_names_light_up_where_the_grid_holds_pytorchs_own_curves(beta, noises):
    """Every named cell's curve is PyTorch's function at the β at which its name is dark, and at no other."""
    frame = grid.grid_frame(beta)
    lit = frame.readout.partition(": ")[2].rstrip(".").split(", ")
    own = {kind: slot.OWN[kind] for kind in slot.NOISES if kind in noises}
    assert lit == [name for found in own.values() for _, r, *_ in grid.READOUTS if (name := grid.own_name(found, r))]
    for column, (heading, readout, _, _, (low, high)) in enumerate(grid.READOUTS):
        trace = next(t for t in frame.panels[0].traces if t["name"] == heading)
        cells = trace["y"].reshape(len(slot.NOISES), -1)[:, :-1]
        for row, kind in enumerate(slot.NOISES):
            if kind not in own or not getattr(own[kind], readout):
                continue
            expected = getattr(own[kind], readout)[1](grid.INPUTS).numpy()
            drawn = low + (high - low) * (cells[row] - (len(slot.NOISES) - 1 - row)) / grid.TALL
            seen = np.isfinite(drawn)
            assert seen.mean() > 0.9, column
            np.testing.assert_allclose(drawn[seen], expected[seen], rtol=0, atol=1e-9)


def test_a_readers_own_coordinates_are_drawn_at_every_beta():
    figure = yours.your_activation_figure(Coordinates(RELU, "exponential"))
    u = yours.INPUTS
    (curve,) = traces(figure.frame(beta=0.5).panels[0], "at this β")
    np.testing.assert_allclose(curve, torch.where(u < 0, u * torch.exp(u), u), rtol=0, atol=1e-14)
    (curve,) = traces(figure.frame(beta=1.0).panels[0], "at this β")
    np.testing.assert_array_equal(curve, F.relu(u))
    assert "lowest value is −0.368, at u = −1.00" in figure.frame(beta=0.5).readout


@pytest.mark.parametrize("entry", [entry for entry in ATLAS if entry.coordinates.inputs == 1], ids=lambda e: e.name)
def test_entries_of_the_atlas_can_be_changed_too(entry):
    if len(entry.coordinates.pieces) == 1:
        with pytest.raises(ValueError, match="have 2 to 4 pieces, got 1 in, 1 out and 1"):
            yours.your_activation_figure(entry.coordinates)
        return
    figure = yours.your_activation_figure(entry.coordinates)
    for beta in (0.0, 0.5, 1.0):
        frame = figure.frame(beta=beta)
        assert not any(np.isinf(np.asarray(t["y"])).any() for panel in frame.panels for t in panel.traces)
        sums = sum(np.asarray(t["y"]) for t in frame.panels[1].traces)
        np.testing.assert_allclose(sums, 1, atol=1e-12)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match=r"coordinates must be Coordinates\(…\), got 'swish'"):
        yours.your_activation_figure("swish")
    two = Coordinates(RELU, readouts=(constants(0, 1), constants(1, 0)))
    with pytest.raises(ValueError, match="got 1 in, 2 out and 2"):
        yours.your_activation_figure(two)
