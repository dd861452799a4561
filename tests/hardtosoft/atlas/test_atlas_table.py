"""The atlas as a collection and as a table, in HTML and Markdown."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from hardtosoft.atlas import ATLAS, FAMILIES, Affine, Atlas, constant, line, words
from hardtosoft.atlas.table import COLUMNS


def plain(text: str) -> str:
    """With spaces that may break."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_look_up_and_parts() -> None:
    assert ATLAS["GELU"].module == "GELU"
    assert "GELU" in repr(ATLAS["GELU"])
    with pytest.raises(KeyError, match="'Gelu' is not in the atlas; it has Identity, ReLU, "):
        ATLAS["Gelu"]
    assert [entry.name for entry in ATLAS.choose("Mish", "ELU")] == ["Mish", "ELU"]
    with pytest.raises(ValueError, match="entries must have different names, got 'ELU' twice"):
        Atlas([ATLAS["ELU"], ATLAS["ELU"]])
    assert repr(ATLAS) == f"Atlas of {len(ATLAS)} nonlinearities: {len(ATLAS.exact)} exact, 3 as close as can be"


def test_html_is_one_well_formed_table() -> None:
    root = ElementTree.fromstring(ATLAS._repr_html_())
    table = root.find("table")
    assert table is not None
    head = [cell.text for cell in table.iterfind("thead/tr/th")]
    assert head == list(COLUMNS)
    rows = table.findall("tbody/tr")
    assert [row.findtext("th") for row in rows] == [entry.name for entry in ATLAS]
    for row in rows:
        assert len(row) == len(COLUMNS)
        assert all("".join(cell.itertext()).strip() for cell in row)


def test_families_are_the_parts_of_the_atlas_and_their_boxes_are_named_and_reached_by_keyboard() -> None:
    assert [entry for family in FAMILIES.values() for entry in family] == list(ATLAS)
    for family in FAMILIES.values():
        box = ElementTree.fromstring(family._repr_html_())
        assert box.get("tabindex") == "0"
        assert box.get("aria-label") == box.findtext("table/caption") == family.title
    assert len({family.title for family in FAMILIES.values()}) == len(FAMILIES)
    assert list(FAMILIES["misfits"]) == list(ATLAS.inexact)


def test_markdown_has_as_many_cells_in_every_row() -> None:
    lines = ATLAS._repr_markdown_().splitlines()
    assert len(lines) == len(ATLAS) + 2
    for text in lines:
        cells = re.split(r"(?<!\\)\|", text)[1:-1]
        assert len(cells) == len(COLUMNS)
        assert all(cell.strip() for cell in cells)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ReLU6", ("0, u, 2u − 6", "hard", "1", "0, u, 6")),
        ("SiLU", ("0, u", "Shannon entropy", "½", "value")),
        ("Hardtanh", ("−u, u", "quadratic entropy", "⅓", "−1, 1")),
        ("ELU", ("−1, u − 1", "exponential noise", "½", "expected maximum")),
        ("LogSigmoid", ("0, −u", "Shannon entropy", "½", "−free energy")),
        ("SELU", ("−1, u − 1", "exponential noise", "½", "1.051 × expected maximum, plus −0.7074, 0")),
        ("Average-pooling", ("x₁, …, x_R", "even", "0", "value")),
        ("GLU", ("0, b", "Shannon entropy", "½", "0, a")),
        ("Identity", ("u", "none", "1", "value")),
    ],
)
def test_coordinates_in_words(name: str, shown: tuple[str, str, str, str]) -> None:
    columns = ("Pieces", "Selection", "β", "Read-out")
    assert tuple(plain(COLUMNS[column](ATLAS[name])) for column in columns) == shown


def test_numbers_in_words() -> None:
    assert plain(words.affine(line(-0.5, -1))) == "−0.5u − 1"
    assert words.affine(constant(0)) == "0"
    assert words.affine(Affine((1.0, 0.0, -2.0))) == "x₁\N{NO-BREAK SPACE}−\N{NO-BREAK SPACE}2x₃"
    assert words.error(0.0) == "0"
    assert words.error(4.2615e-4) == "0.00043"
    assert plain(words.error(3.55e-15)) == "4 × 10⁻¹⁵"
