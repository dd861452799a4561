"""What every chapter is asked in the kernel that has run it (tests/chapters_plugin.py), and that it can fail."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from chapters_plugin import allowed, marked

TESTS = Path(__file__).parents[1]
NOTEBOOKS = sorted((TESTS.parent / "book").glob("*.ipynb"))
CHANGE = {"from": "n = 1", "to": "n = 2", "then": "two"}


def notebook(*sources, change=None):
    """A notebook of code cells, run; with ``change`` its last cell but one, code or words, is the one to change."""
    cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in sources]
    if change:
        cells[-1].metadata.update(tags=["now-change-this-line"], change=change)
        cells.append(nbformat.v4.new_markdown_cell(f"Change `{change['from']}` to `{change['to']}`."))
    return nbformat.v4.new_notebook(cells=cells)


def run(folder, notebook):
    nbformat.write(notebook, folder / "chapter.ipynb")
    command = [sys.executable, "-m", "pytest", "-p", "chapters_plugin", "--nbval-lax", "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, "-rA", "chapter.ipynb"]
    paths = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def outcomes(printed):
    """Outcome of each test by its name."""
    lines = [line.split(maxsplit=1) for line in printed.splitlines() if line.startswith(("PASSED ", "FAILED "))]
    return {rest.rpartition("::")[2].partition(" - ")[0]: outcome for outcome, rest in lines}


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_every_chapter_ends_with_a_line_to_change():
    for path in (path for path in NOTEBOOKS if path.stem != "index"):
        chapter = nbformat.read(path, as_version=4)
        place = marked(chapter)
        assert place is not None, path.name
        assert "\n## " not in "\n".join(cell.source for cell in chapter.cells[place + 1 :])
        assert chapter.cells[place - 1].source.startswith("## Now change this line")


def test_only_a_notebook_that_says_it_trains_may_take_more():
    cell = nbformat.v4.new_code_cell("1")
    assert allowed(nbformat.v4.new_notebook(cells=[cell])) == 350
    cell.metadata["tags"] = ["hide-input", "trains"]
    assert allowed(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(), cell])) == 430


def test_a_large_kernel_and_a_change_that_does_nothing_are_noticed(tmp_path):
    printed = run(tmp_path, notebook("large = bytearray(400_000_000)", "n = 1\nprint(n)", change=CHANGE))
    assert outcomes(printed) == {"Cell 0": "PASSED", "Cell 1": "PASSED", "memory": "FAILED", "change": "FAILED"}
    assert "'VmRSS'" in printed
    assert "two" in printed


def test_a_library_that_no_figure_needs_and_a_change_that_raises_are_noticed(tmp_path):
    cells = "import hardtosoft.interactive.live, scipy", "n = 1\nprint('two' if n == 2 else n)", "1 / (n - 2)"
    chapter = notebook(*cells[:2], change=CHANGE)
    chapter.cells.append(nbformat.v4.new_code_cell(cells[2], execution_count=1))
    printed = run(tmp_path, chapter)
    assert [name for name, outcome in outcomes(printed).items() if outcome == "FAILED"] == ["memory", "change"]
    assert "scipy" in printed
    assert "ZeroDivisionError" in printed


def test_this_suite_asks_its_chapters(pytestconfig: pytest.Config):
    assert pytestconfig.pluginmanager.hasplugin("chapters_plugin")
