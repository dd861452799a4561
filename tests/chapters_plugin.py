"""Pytest plugin: what a chapter is asked in the kernel in which nbval has run its cells.

A notebook is run once, as a reader on Binder runs it. Then its kernel must fit beside others on a small machine (one
with a cell tagged ``trains`` may take more), and the line that the chapter tells its reader to change is changed, and
run with all that follows it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

MEGABYTES, MEGABYTES_TO_TRAIN = 350, 430
TAG = "now-change-this-line"
#: They take a quarter of the room and are not needed to show a figure.
NOT_NEEDED = {"sklearn", "scipy", "pandas", "matplotlib"}

PROBE = """
import json, sys
from pathlib import Path
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
sizes = {name: int(status[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM", "RssAnon", "RssFile")}
print(json.dumps({"sizes": sizes, "modules": sorted(sys.modules)}))
"""


def pytest_configure() -> None:
    """Give kernels the surroundings that Binder's readers have."""
    start = (Path(__file__).parents[1] / "start").read_text(encoding="utf-8")
    for line in re.findall(r"^export (.*)$", start, re.MULTILINE):
        for name, value in re.findall(r"(\w+)=(\S+)", line):
            os.environ.setdefault(name, value)


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", ()))


def allowed(notebook: nbformat.NotebookNode) -> int:
    """How much memory a notebook's kernel may take, in MB of 10⁶ bytes."""
    return MEGABYTES_TO_TRAIN if any("trains" in tags(cell) for cell in notebook.cells) else MEGABYTES


def marked(notebook: nbformat.NotebookNode) -> int | None:
    """The place of the cell whose line the reader is told to change."""
    places = [place for place, cell in enumerate(notebook.cells) if TAG in tags(cell)]
    assert len(places) <= 1
    return places[0] if places else None


class InKernel(pytest.Item):
    """A test in the kernel in which the cells of its notebook have run."""

    parent: IPyNbFile

    def run_cell(self, source: str) -> list[nbformat.NotebookNode]:
        """Run a cell as nbval does; what it put out."""
        cell = nbformat.v4.new_code_cell(source)
        item = IPyNbCell.from_parent(self.parent, name=self.name, cell_num=0, cell=cell, options=defaultdict(bool))
        item.runtest()
        return list(item.test_outputs)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
        """A cell that raised is shown with its traceback, as nbval shows it."""
        if isinstance(excinfo.value, NbCellError):
            return f"{excinfo.value.source}\n{excinfo.value.inner_traceback}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Any, int, str]:
        """Where the test is."""
        return self.path, 0, f"{self.path.name}::{self.name}"


class Memory(InKernel):
    """The kernel is small, has live figures, and nothing in it that they do not need."""

    def runtest(self) -> None:
        if sys.platform != "linux":
            pytest.skip("the size of a process is read from /proc")
        (printed,) = self.run_cell(PROBE)
        found, limit = json.loads(printed.text), allowed(self.parent.nb)
        assert found["sizes"]["VmRSS"] <= limit, found["sizes"]
        assert found["sizes"]["VmHWM"] <= limit, found["sizes"]
        assert {"torch", "hardtosoft.interactive.live"} <= set(found["modules"])
        assert not NOT_NEEDED & set(found["modules"])


class Change(InKernel):
    """The suggested change does what the chapter says, and what follows it runs."""

    def runtest(self) -> None:
        cells, place = self.parent.nb.cells, marked(self.parent.nb)
        change, words = cells[place].metadata["change"], "\n".join(cell.source for cell in cells[place + 1 :])
        assert f"`{change['from']}`" in words
        assert f"`{change['to']}`" in words
        assert cells[place].source.count(change["from"]) == 1
        outputs = self.run_cell(cells[place].source.replace(change["from"], change["to"]))
        for cell in cells[place + 1 :]:
            if cell.cell_type == "code":
                self.run_cell(cell.source)
        assert change["then"] in json.dumps(outputs, ensure_ascii=False)
        assert change["then"] not in json.dumps(cells[place].outputs, ensure_ascii=False)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Add the tests to a notebook's cells."""
    report: Any = yield
    if isinstance(collector, IPyNbFile) and report.passed:
        report.result.append(Memory.from_parent(collector, name="memory"))
        if marked(collector.nb) is not None:
            report.result.append(Change.from_parent(collector, name="change"))
    return report
