"""Chapters as packages: each gives its own figures, the book's are theirs, and none draws in another."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

from hardtosoft.figures import CHAPTERS, every_figure
from hardtosoft.tree import source_tree

LOADED = """
import json, sys
from hardtosoft.figures import {chapter}
print(json.dumps([name for name in sys.modules if name.startswith("hardtosoft.figures.")]))
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
def test_a_chapter_offers_what_it_says_and_is_imported_alone(chapter):
    package = import_module(f"hardtosoft.figures.{chapter}")
    assert all(hasattr(package, name) for name in package.__all__)
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED.format(chapter=chapter)], capture_output=True, text=True, check=True
    )
    packages = {name.split(".")[2] for name in json.loads(loaded.stdout)}
    assert packages <= {chapter, "layers"}
