"""What the repository's documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIGURES = ("src/hardtosoft/interactive", "src/hardtosoft/interactive/tracing")
ROOMS = ("", "src", "src/betavq", "src/betavq/geometry", "src/hardtosoft", *FIGURES, "book")
# Written as `folder/` or `file.py`: a place in the tree, from its top or from one of its rooms.
PLACE = re.compile(r"`([\w./-]+(?:/|\.py|\.js|\.yml|\.md))`")


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_place_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    places = set(PLACE.findall(text)) | set(re.findall(r"\]\((?!https?:)([^)#]+)\)", text))
    assert len(places) >= 3
    missing = [place for place in sorted(places) if not any((ROOT / room / place).exists() for room in ROOMS)]
    assert not missing


def test_the_tables_of_rooms_leave_out_no_folder() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [
        folder
        for parent in ("src/betavq", "src/betavq/geometry", "src/hardtosoft")
        for folder in (ROOT / parent).iterdir()
        if folder.is_dir() and (folder / "__init__.py").exists()
    ]
    assert len(rooms) > 15
    assert not [folder.name for folder in rooms if f"{folder.name}/" not in text]
