"""Run notebooks and store their text: ``python -m hardtosoft.site.notebooks book/*.ipynb``.

The book's notebooks are committed with text outputs only. They are what nbval compares with, and they keep pictures
and plotting code out of the repository. Their first cell, which Colab needs, is written anew with the repository's
address.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from ..interactive.figure import STATIC
from ..tree import source_tree
from .colab import place_cell
from .repository import read_repository


def refresh(path: Path, address: str) -> None:
    """Run a notebook and replace it by itself with fresh text outputs; a failing cell leaves it untouched.

    Args:
        path: the notebook.
        address: of the repository, for the notebook's first cell; empty keeps what stands there.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised.
    """
    notebook = nbformat.read(path, as_version=4)
    place_cell(notebook, address)
    # Coalesced: one cell's prints may otherwise arrive, and be stored, in pieces.
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=300, coalesce_streams=True, resources=where).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_text_only, cell.outputs) if output]
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    draft = path.with_suffix(".part")
    draft.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    draft.replace(path)


def _text_only(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    if output.output_type in ("display_data", "execute_result"):
        output.data = {kind: text for kind, text in output.data.items() if kind == "text/plain"}
        output.metadata = {}
        return output if output.data else None
    return output


def main() -> None:
    """Refresh every notebook named on the command line."""
    os.environ[STATIC] = "1"
    tree = source_tree()
    address = read_repository(tree).address if tree else ""
    for name in sys.argv[1:]:
        print(f"Running {name} ...", flush=True)
        refresh(Path(name), address)


if __name__ == "__main__":
    main()
