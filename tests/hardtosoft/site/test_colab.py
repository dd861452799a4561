"""The first cell of every notebook: what it does on a stand-in for Colab, and that it does nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

from hardtosoft.site import colab, notebooks
from hardtosoft.site.repository import read_repository

ROOT = Path(__file__).parents[3]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
ADDRESS = "https://github.com/owner/a-book"


@pytest.fixture
def pip_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the cell asks of ``%pip``; nothing is installed."""
    calls: list[str] = []
    shell = InteractiveShell.instance()
    monkeypatch.setitem(shell.magics_manager.magics["line"], "pip", calls.append)
    return calls


@pytest.fixture
def turned_on(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the module that Colab's kernels have imported; holds a word each time widgets are turned on."""
    calls: list[str] = []
    google, module, output = ModuleType("google"), ModuleType("google.colab"), ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: calls.append("on")  # type: ignore[attr-defined]
    module.output = output  # type: ignore[attr-defined]
    for stand_in in (google, module, output):
        monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    return calls


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let Python find no ``hardtosoft``, as on a machine that has never seen it."""

    def hide() -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    return hide


def run(source: str) -> BaseException | None:
    """Run a cell as a notebook does; give what it raised."""
    result = InteractiveShell.instance().run_cell(source, silent=True)
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    return error


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_elsewhere_the_cell_does_nothing(pip_calls: list[str], missing: Callable[[], None], address: str) -> None:
    assert "google.colab" not in sys.modules
    missing()
    assert run(colab.cell_source(address)) is None
    assert pip_calls == []


def test_on_colab_it_installs_the_package_and_turns_widgets_on(
    pip_calls: list[str], turned_on: list[str], missing: Callable[[], None]
) -> None:
    missing()
    assert run(colab.cell_source(ADDRESS)) is None
    book = f"hardtosoft @ git+{ADDRESS}#subdirectory=book"
    assert pip_calls == [f'install --quiet "betavq @ git+{ADDRESS}" "{book}"']
    assert turned_on == ["on"]


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_on_colab_with_the_package_it_installs_nothing(
    pip_calls: list[str], turned_on: list[str], address: str
) -> None:
    assert run(colab.cell_source(address)) is None
    assert pip_calls == []
    assert turned_on == ["on"]


def test_without_an_address_it_says_what_is_missing(
    pip_calls: list[str], turned_on: list[str], missing: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    missing()
    error = run(colab.cell_source(""))
    assert isinstance(error, ImportError)
    assert "No address to install from" in str(error)
    assert "upload the repository" in str(error)
    assert pip_calls == turned_on == []
    capsys.readouterr()


@pytest.mark.parametrize("address", ['https://a.org/b"; rm', "git@github.com:owner/book.git", "https://a.org/b c"])
def test_an_address_that_would_break_the_cell_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address must be"):
        colab.cell_source(address)


def test_the_cell_is_short() -> None:
    assert len(colab.cell_source(ADDRESS).splitlines()) <= 10


def notebook(*sources: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
    return nbformat.v4.new_notebook(cells=cells)


def test_the_cell_is_placed_once_and_renewed() -> None:
    chapter = notebook("1 + 1")
    assert colab.named_address(chapter) == ""
    colab.place_cell(chapter, "")
    colab.place_cell(chapter, ADDRESS)
    assert [cell.id for cell in chapter.cells] == ["colab", "cell-0"]
    assert chapter.cells[0].source == colab.cell_source(ADDRESS)
    assert chapter.cells[0].metadata.tags == ["remove-cell"]
    assert colab.named_address(chapter) == ADDRESS
    nbformat.validate(chapter)


def test_a_tree_without_an_address_keeps_the_one_that_is_written() -> None:
    chapter = notebook("1 + 1")
    colab.place_cell(chapter, ADDRESS)
    colab.place_cell(chapter, "")
    assert colab.named_address(chapter) == ADDRESS


def test_refreshing_writes_the_cell_and_stores_text(tmp_path: Path) -> None:
    path = tmp_path / "chapter.ipynb"
    chapter = notebook("print(1 + 1)")
    chapter.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(chapter, path)
    notebooks.refresh(path, ADDRESS)
    cell, printed = nbformat.read(path, as_version=4).cells
    assert cell.source == colab.cell_source(ADDRESS)
    assert cell.outputs == []
    assert [output.text for output in printed.outputs] == ["2\n"]
    renewed = nbformat.read(path, as_version=4)
    colab.place_cell(renewed, ADDRESS)
    assert renewed == nbformat.read(path, as_version=4), "a notebook that has run would never pass as up to date"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_notebooks_start_with_the_cell_as_it_is_written_now(path: Path) -> None:
    committed, renewed = nbformat.read(path, as_version=4), nbformat.read(path, as_version=4)
    # A fork or a copy has another address or none, and its notebooks are right all the same.
    colab.place_cell(renewed, colab.named_address(committed))
    assert committed == renewed, "run `make notebooks`"


def test_committed_notebooks_name_one_address_where_there_is_one() -> None:
    named = {colab.named_address(nbformat.read(path, as_version=4)) for path in NOTEBOOKS}
    assert len(named) == 1
    if read_repository(ROOT).github:
        assert named != {""}, "the repository has an address now: run `make notebooks` and commit what it writes"
