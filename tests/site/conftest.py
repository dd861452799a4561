"""The built site, and small ones with other settings."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder that holds the built site."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.fail("the site is not built: run `make site` first")
    return folder


@pytest.fixture(scope="session")
def small_book(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Build a book of a front page and a chapter with the real configuration; give the folder of its site."""

    @functools.cache
    def build(repository: str = "", baseurl: str = "") -> Path:
        tree = tmp_path_factory.mktemp("tree")
        (tree / "book").mkdir()
        for name in ("index", "beta-vq"):
            cells = [nbformat.v4.new_markdown_cell(f"# Title of {name}")]
            metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
            nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), tree / "book" / f"{name}.ipynb")
        (tree / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: beta-vq\n")
        shutil.copytree(ROOT / "book" / "_assets", tree / "book" / "_assets")
        shutil.copytree(ROOT / "book" / "_templates", tree / "book" / "_templates")
        shutil.copy(ROOT / "book" / "references.bib", tree / "book")
        config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
        config["repository"]["url"] = repository
        config["html"]["baseurl"] = baseurl
        config["execute"]["execute_notebooks"] = "off"
        config["sphinx"]["local_extensions"]["book_site"] = str(ROOT / "book" / "_ext")
        (tree / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        command = [Path(sys.executable).with_name("jupyter-book"), "build", "book", "--path-output", "."]
        options = ["--config", "_config.yml", "--toc", str(tree / "_toc.yml"), "-W", "--keep-going"]
        environment = {**os.environ, "PYTHONWARNINGS": ""}
        built = subprocess.run(
            [*command, *options], cwd=tree, capture_output=True, text=True, check=False, env=environment
        )
        assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
        return tree / "_build" / "html"

    return build
