"""Each notebook in a kernel of its own, as a reader runs it: it must fit beside others on a small machine.

A notebook with a cell tagged ``trains`` may take more than one that only shows.
"""

import json
import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "book").glob("*.ipynb"))
MEGABYTES, MEGABYTES_TO_TRAIN = 350, 430

PROBE = """
import json, sys
from pathlib import Path
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
sizes = {name: int(status[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM", "RssAnon", "RssFile")}
print(json.dumps({"sizes": sizes, "modules": sorted(sys.modules)}))
"""


def tags(notebook):
    return {tag for cell in notebook.cells for tag in cell.metadata.get("tags", ())}


def allowed(notebook):
    return MEGABYTES_TO_TRAIN if "trains" in tags(notebook) else MEGABYTES


def run_and_probe(path):
    """Run every cell in a live kernel; what the kernel's process has become at the end."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    environment = {name: value for name, value in os.environ.items() if name != "HARDTOSOFT_STATIC"}
    resources = {"metadata": {"path": str(path.parent)}}
    # A busy machine may hand over in pieces what a cell prints.
    client = NotebookClient(notebook, timeout=300, resources=resources, coalesce_streams=True)
    client.execute(env={**environment, "OMP_NUM_THREADS": "1"})
    (printed,) = notebook.cells[-1].outputs
    return json.loads(printed.text)


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is read from /proc")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_kernel_stays_small(path):
    found = run_and_probe(path)
    limit = allowed(nbformat.read(path, as_version=4))
    assert found["sizes"]["VmRSS"] <= limit, found["sizes"]
    assert found["sizes"]["VmHWM"] <= limit, found["sizes"]
    # They take a quarter of the room and are not needed to show a figure.
    assert "hardtosoft.live" in found["modules"]  # the figures lived
    assert not {"sklearn", "scipy", "pandas", "matplotlib"} & set(found["modules"])
    assert "torch" in found["modules"]


def test_only_a_notebook_that_says_it_trains_may_take_more():
    cell = nbformat.v4.new_code_cell("1")
    assert allowed(nbformat.v4.new_notebook(cells=[cell])) == 350
    cell.metadata["tags"] = ["hide-input", "trains"]
    assert allowed(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(), cell])) == 430
