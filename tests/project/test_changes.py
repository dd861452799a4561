"""Each chapter ends with a line to change; here it is changed, and the chapter run as a reader would run it."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = sorted(path for path in BOOK.glob("*.ipynb") if path.stem != "index")
TAG = "now-change-this-line"


@pytest.fixture
def reader(monkeypatch):
    """A reader's kernel: live figures, and quiet about transport."""
    monkeypatch.delenv("HARDTOSOFT_STATIC", raising=False)
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")


def marked(notebook):
    """The marked cell, by its place, and the words after it."""
    (place,) = [i for i, cell in enumerate(notebook.cells) if TAG in cell.metadata.get("tags", ())]
    return place, notebook.cells[place], "\n".join(cell.source for cell in notebook.cells[place + 1 :])


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_suggested_change_does_what_the_chapter_says(path):
    notebook = nbformat.read(path, as_version=4)
    place, cell, words = marked(notebook)
    change = cell.metadata["change"]
    assert f"`{change['from']}`" in words
    assert f"`{change['to']}`" in words
    assert cell.source.count(change["from"]) == 1
    cell.source = cell.source.replace(change["from"], change["to"])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(BOOK)}}).execute()
    before = json.dumps(nbformat.read(path, as_version=4).cells[place].outputs, ensure_ascii=False)
    after = json.dumps(notebook.cells[place].outputs, ensure_ascii=False)
    assert change["then"] in after
    assert change["then"] not in before


def test_every_chapter_ends_with_a_line_to_change():
    assert CHAPTERS
    for path in CHAPTERS:
        place, _, words = marked(notebook := nbformat.read(path, as_version=4))
        assert "\n## " not in words
        assert notebook.cells[place - 1].source.startswith("## Now change this line")
