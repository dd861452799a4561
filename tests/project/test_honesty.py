"""Numbers that a reader sees are checked: a changed digit and a failing cell are both noticed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


def checked_cells(notebook):
    return [cell for cell in notebook.cells if "nbval-check-output" in cell.metadata.get("tags", [])]


def run_nbval(notebook, folder):
    path = folder / "copy.ipynb"
    nbformat.write(notebook, path)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        str(path),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_notebooks_store_text_and_check_numbers(path):
    notebook = nbformat.read(path, as_version=4)
    assert checked_cells(notebook)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert set(output.get("data", {"text/plain": ""})) == {"text/plain"}
    for cell in checked_cells(notebook):
        assert any(re.search(r"\d|True", output.text) for output in cell.outputs)


@pytest.fixture
def small_notebook():
    """The chapter up to its first checked number."""
    notebook = nbformat.read(ROOT / "book" / "relu-to-swish.ipynb", as_version=4)
    first = notebook.cells.index(checked_cells(notebook)[0])
    notebook.cells = notebook.cells[: first + 1]
    return notebook


def test_nbval_fails_when_a_printed_digit_is_changed(small_notebook, tmp_path):
    output = small_notebook.cells[-1].outputs[0]
    assert "0.731" in output.text
    output.text = output.text.replace("0.731", "0.732", 1)
    tampered = run_nbval(small_notebook, tmp_path)
    assert tampered.returncode == 1
    assert "0.732" in tampered.stdout
    assert "1 failed" in tampered.stdout  # and untouched it passes, as every run of this suite shows


def test_the_build_fails_when_a_cell_raises(tmp_path):
    (tmp_path / "index.md").write_text("# Home\n\n```{toctree}\nbroken\n```\n")
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        cells=[nbformat.v4.new_markdown_cell("# Broken"), nbformat.v4.new_code_cell("1 / 0")],
    )
    nbformat.write(notebook, tmp_path / "broken.ipynb")
    execute = re.search(r"^execute:\n(?:[ ].*\n)+", (ROOT / "_config.yml").read_text(encoding="utf-8"), re.M)[0]
    (tmp_path / "_config.yml").write_text(f"title: broken\nonly_build_toc_files: true\n{execute}")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: broken\n")
    options = ["--config", "_config.yml", "--toc", str(tmp_path / "_toc.yml"), "-W", "--keep-going"]
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", *options]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert built.returncode != 0
    assert "ZeroDivisionError" in built.stdout + built.stderr
