"""Chapters as packages: each gives its own figures, the book's are theirs, and none draws in another."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

from hardtosoft.figures import CHAPTERS, every_figure
from hardtosoft.tree import source_tree

#: What each chapter loads of the others, imported one after another and forgotten in between.
LOADED = """
import importlib, json, sys
found = {}
for chapter in sys.argv[1:]:
    for name in [name for name in sys.modules if name.startswith("hardtosoft.figures")]:
        del sys.modules[name]
    importlib.import_module(f"hardtosoft.figures.{chapter}")
    found[chapter] = [name for name in sys.modules if name.startswith("hardtosoft.figures.")]
print(json.dumps(found))
"""


def test_the_chapters_stand_in_the_order_of_the_book():
    lines = (source_tree() / "_toc.yml").read_text(encoding="utf-8").splitlines()
    pages = [line.split()[-1].replace("-", "_") for line in lines if "file:" in line]
    assert [page for page in pages if page in CHAPTERS] == list(CHAPTERS)


def test_every_figure_belongs_to_one_chapter():
    found = [
        figure.name for chapter in CHAPTERS for figure in import_module(f"hardtosoft.figures.{chapter}").figures()
    ]
    assert found == [figure.name for figure in every_figure()]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_offers_what_it_says(chapter):
    package = import_module(f"hardtosoft.figures.{chapter}")
    assert all(hasattr(package, name) for name in package.__all__)


def test_a_chapter_is_imported_without_the_others():
    run = subprocess.run([sys.executable, "-c", LOADED, *CHAPTERS], capture_output=True, text=True, check=True)
    loaded = {chapter: {name.split(".")[2] for name in names} for chapter, names in json.loads(run.stdout).items()}
    assert all(packages <= {chapter, "layers"} for chapter, packages in loaded.items())
    assert loaded.keys() == set(CHAPTERS)
