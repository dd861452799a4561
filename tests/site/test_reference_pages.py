"""The reference as built: every public name can be found, and what its pages promise is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

from hardtosoft.site.reference import names, public_modules

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "book" / "reference"


@pytest.fixture(scope="module")
def inventory(site: Path) -> dict[str, str]:
    """Every Python name that the site describes, with the address of its description."""
    with (site / "objects.inv").open("rb") as file:
        kinds = InventoryFile.load(file, "", lambda _, address: address)
    return {
        name: address
        for kind, found in kinds.items()
        if kind.startswith("py:")
        for name, (_, _, address, _) in found.items()
    }


@pytest.mark.site
def test_every_public_name_is_described(inventory: dict[str, str]) -> None:
    public = [module.__name__ for module in public_modules()]
    public += [f"{module.__name__}.{name}" for module in public_modules() for name in names(module)]
    assert [name for name in public if name not in inventory] == []


@pytest.mark.site
def test_names_of_two_modules_lead_to_one_description(inventory: dict[str, str]) -> None:
    assert inventory["betavq.code"] == inventory["betavq.inference.code"]
    assert inventory["betavq.functional.beta_maxout"] == inventory["betavq.pooling.beta_maxout"]
    assert inventory["betavq.MASO.to_mixture"] == inventory["betavq.maso.MASO.to_mixture"]


@pytest.mark.site
def test_addresses_in_the_inventory_are_there(inventory: dict[str, str], site: Path) -> None:
    for name, address in inventory.items():
        page, _, anchor = address.replace("$", name).partition("#")
        assert f'id="{anchor}"' in (site / page).read_text(encoding="utf-8"), name


def test_every_module_has_a_page_that_leads_to_its_chapter() -> None:
    for module in public_modules():
        page = PAGES / f"{module.__name__.removeprefix('betavq').lstrip('.') or 'index'}.rst"
        text = page.read_text(encoding="utf-8")
        assert f".. automodule:: {module.__name__}\n" in text
        listed = re.search(r"\.\. autosummary::\n   :nosignatures:\n\n((?:   \w+\n)+)", text)
        assert listed, page.name
        assert sorted(listed[1].split()) == sorted(names(module)), page.name
        assert page.stem == "index" or re.search(r"^Chapters?: :doc:`/", text, re.M), page.name


def test_tests_named_on_the_page_of_devices_are_there() -> None:
    text = (PAGES / "devices.md").read_text(encoding="utf-8")
    rows = [line.split("|")[3] for line in text.splitlines() if "::test_" in line]
    assert len(rows) > 10
    for row in rows:
        file = ""
        for path, name in re.findall(r"`([\w/.]*)::(\w+)`", row):
            file = path or file
            tree = ast.parse((ROOT / "tests" / "betavq" / file).read_text(encoding="utf-8"))
            assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{name}"
