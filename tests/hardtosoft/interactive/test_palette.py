"""The book's colours: text can be read, marks can be seen, and classes are apart for colour-blind readers."""

import math

import numpy as np
import pytest

from hardtosoft.interactive import palette

THEMES = pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
#: What the lack of one kind of cones does to linear red, green and blue (Machado, Oliveira & Fernandes, 2009).
SEEN = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colour):
    channels = np.array(palette.channels(colour))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def hexadecimal(light):
    light = np.clip(light, 0, 1)
    channels = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)


def contrast(one, other, theme):
    dark, light = sorted(linear(palette.COLOURS[name][theme]) @ [0.2126, 0.7152, 0.0722] for name in (one, other))
    return (light + 0.05) / (dark + 0.05)


def apart(one, other, matrix=SEEN["all cones"]):
    """The distance of two colours in OKLab, times 100."""
    first, second = (palette.oklab(hexadecimal(np.array(matrix) @ linear(colour))) for colour in (one, other))
    return 100 * math.dist(first, second)


def test_oklab_is_that_of_its_author():
    assert palette.oklab("#ffffff") == pytest.approx([1, 0, 0], abs=1e-4)
    assert palette.oklab("#ff0000") == pytest.approx([0.6279554, 0.22486, 0.12585], abs=1e-3)
    assert apart("#000000", "#ffffff") == pytest.approx(100, abs=0.01)


@THEMES
@pytest.mark.parametrize("ground", ["paper", "surface"])
@pytest.mark.parametrize("text", ["ink", "muted", "link", "blue", "green", "orange", "purple", "grey", "entropy"])
def test_text_keeps_its_contrast(text, ground, theme):
    """Symbols in prose have the colours of their lines."""
    assert contrast(text, ground, theme) >= 4.5


@THEMES
@pytest.mark.parametrize("side", ["first", "second"])
def test_names_of_classes_can_be_read_and_their_points_seen(side, theme):
    assert contrast(f"name-{side}", f"plane-{side}", theme) >= 4.5
    for ground in ("plane-first", "plane-second"):
        assert contrast(f"point-{side}", ground, theme) >= 3
        assert contrast("plane-line", ground, theme) >= 3


@THEMES
@pytest.mark.parametrize("mark", ["blue", "green", "orange", "purple", "grey", "ink"])
def test_lines_can_be_seen(mark, theme):
    assert contrast(mark, "paper", theme) >= 3


@THEMES
@pytest.mark.parametrize("kind", SEEN)
def test_classes_stay_apart_for_every_eye(kind, theme):
    tints = [palette.COLOURS[name][theme] for name in ("plane-first", "plane-second")]
    assert apart(*tints, SEEN[kind]) >= 15


def test_the_measure_sees_what_some_eyes_cannot():
    assert apart("#c04f00", "#6b8000") > 15
    assert apart("#c04f00", "#6b8000", SEEN["deuteranopia"]) < 15
