"""The landing page's figure without a script: exact polygons, named curves, and what a reader is told."""

import re

import numpy as np
import pytest
from bs4 import BeautifulSoup

from hardtosoft.drawing.moons import moons_boundary, moons_partition
from hardtosoft.figures.relu_to_swish import opening_figure
from hardtosoft.hero import script
from hardtosoft.hero.markup import facets

SOUP = BeautifulSoup(opening_figure().html(), "html.parser")


def places(path):
    return np.array([[float(part) for part in pair] for pair in re.findall(r"([-\d.e+]+) ([-\d.e+]+)", path["d"])])


def area(corners):
    x, y = corners.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def test_the_polygons_are_the_exact_regions_cut_where_the_network_decides():
    drawn = SOUP.select(".hero-exact path[fill]")
    assert len(drawn) == len(facets()) > len(moons_partition())
    for path, facet in zip(drawn, facets(), strict=True):
        np.testing.assert_allclose(places(path), 100 * (facet * [1, -1] + [1.6, 1.7]), atol=0.06)
        assert re.fullmatch("#[0-9a-f]{6}", str(path["fill"]))
    assert sum(map(area, facets())) == pytest.approx(moons_partition().areas.sum())


def test_the_line_has_every_bend_of_the_boundary():
    known = np.concatenate([100 * (part.points * [1, -1] + [1.6, 1.7]) for part in moons_boundary()])
    np.testing.assert_allclose(places(SOUP.select_one(".hero-line")), known, atol=0.06)


def test_each_moon_has_all_its_points():
    counts = [path["d"].count("M") for path in SOUP.select(".hero-dots")]
    assert counts == [100, 100]


def test_what_is_said_of_accuracy_is_the_networks():
    said = script.settings()["right"]
    assert len(said) == script.STEPS + 1
    assert [said[at] for at in (0, 50, 100)] == [f"{n} % of new points classified right" for n in (79, 97, 98)]
    assert SOUP.select_one(".hero-right").get_text() == said[100]


def test_the_script_closes_no_tag_and_knows_no_formula_of_its_own():
    driver = script.script().partition("const config")[2]
    assert "</" not in SOUP.select_one("script").get_text()
    assert "exp(" not in driver
    assert "gl_FragColor" in script.fragment_shader()
