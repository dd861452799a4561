"""Three radii, and two penalties: figures against the library and the result file."""

import numpy as np
import pytest
import torch

from betavq import geometry
from hardtosoft.figures.risk_and_flatness import penalty, radii
from hardtosoft.results import risks


def named(panel, name):
    (found,) = [trace for trace in panel.traces if trace["name"] == name]
    return found


@pytest.mark.parametrize("network", risks.SHOWN)
def test_radii_bracket_what_the_attack_finds(network):
    shown = risks.shown(risks.SHOWN[network])
    assert shown.network(shown.images).argmax(1).tolist() == list(range(10))
    risk = geometry.adversarial_risk(shown.network, shown.images, torch.arange(10))
    for digit, own in enumerate(radii.radii_of(network)):
        assert own.certified == risk.certified[digit].item()
        assert own.linearised == risk.linearised[digit].item()
        assert own.certified < min(own.linearised, own.flipped)
        assert own.flipped < 1.5 * own.linearised + 0.1  # to the next stop


@pytest.mark.parametrize("network", risks.SHOWN)
def test_attacked_digits_stay_within_the_radius_and_are_read_as_it_is_said(network):
    found = radii.attacks(network)
    shown = risks.shown(risks.SHOWN[network])
    lengths = (found.images - shown.images[:, None]).norm(dim=2)
    assert (lengths <= torch.tensor(radii.STOPS) * (1 + 1e-6)).all()
    frame = radii.radius_frame(network, 3.0, 1.0)
    read = shown.network(found.images[3, 10:11]).argmax(1).item()
    assert frame.panels[0].xlabel == f"moved by 1.0: read as {read}"
    picture = named(frame.panels[0], "digits")["z"][::-1][2:10, 12:20]
    np.testing.assert_allclose(picture, (found.images[3, 10] + shown.mean).clamp(0, 1).view(8, 8), atol=1e-9)


@pytest.mark.parametrize("network", risks.SHOWN)
def test_no_share_of_flips_exceeds_that_of_certificates_passed(network):
    panel = radii.radius_frame(network, 0.0, 0.5).panels[1]
    certified, linearised, flipped = (named(panel, name)["y"] for name in radii.NAMES)
    assert (flipped <= certified + 1e-9).all()
    assert (np.diff(certified) >= 0).all()
    assert np.abs(flipped - linearised).max() < 25
    assert named(panel, "now")["y"][0] == flipped[5]


@pytest.mark.parametrize("kind", penalty.PENALTIES)
def test_curves_are_the_means_of_the_splits(kind):
    found = risks.penalised(penalty.PENALTIES[kind])
    assert tuple(each.strength for each in found) == penalty.STRENGTHS
    frame = penalty.penalty_frame(kind, 1e-2)
    for name, words, *_ in penalty.CURVES:
        means = [100 * np.mean([run[name] for run in each.runs]) for each in found]
        np.testing.assert_allclose(named(frame.panels[0], words)["y"], means, atol=1e-4)
        assert named(frame.panels[0], f"{words}, now")["y"][0] == pytest.approx(means[5], abs=1e-4)
    assert [len(each.runs) for each in found] == [5] * 7
    shares = named(frame.panels[1], "at this λ")["y"][::2]
    np.testing.assert_allclose(shares, found[5].slopes / 15, atol=1e-9)  # of 1500 slopes, in per cent
    assert shares.sum() == pytest.approx(100, abs=0.5)
    assert max(each.slopes.max() for each in found) / 15 <= 90  # the axis


@pytest.mark.claim("R1")
@pytest.mark.claim("R2")
def test_what_the_book_says_of_penalties_holds():
    """Slopes: attacks lose fifteen points and more, accuracy half a point at most. No flip inside a certificate.
    Flatness: slopes fall as far, attacks do not lose."""
    (pressed,) = [each for each in risks.penalised("slopes") if each.strength == 3e-3]
    assert pressed.bands["attacked_0.5_minus_none"].low > 0.15
    assert pressed.bands["accuracy_minus_none"].mean > -0.005
    for kind in ("slopes", "flatness"):
        for each in risks.penalised(kind):
            assert each.mean("flips_certified") == 0
    plain = risks.penalised("slopes")[0]
    assert np.mean([run["flips_linearised"]["1.2"] for run in plain.runs]) >= 0.9
    flat = risks.penalised("flatness")
    assert all(each.bands["attacked_0.5_minus_none"].mean <= 0 for each in flat)
    assert min(each.mean("slope") for each in flat) < 0.4 * plain.mean("slope")
