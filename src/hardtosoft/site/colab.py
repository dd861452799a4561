"""The first cell of every notebook: on Google Colab it installs the book's packages, elsewhere it does nothing.

The cell stands in the notebook itself, since on Colab a notebook comes alone. It carries the repository's address;
``python -m hardtosoft.site.notebooks`` keeps it up to date.
"""

from __future__ import annotations

import re

import nbformat

_ID = "colab"

_SOURCE = """\
# On Google Colab this cell installs the book's package. Anywhere else it does nothing.
import importlib.util
import sys

if "google.colab" in sys.modules:
    if importlib.util.find_spec("hardtosoft") is None:
        {install}
    from google.colab import output

    output.enable_custom_widget_manager()"""
_INSTALL = '%pip install --quiet "betavq @ git+{address}" "hardtosoft @ git+{address}#subdirectory=book"'
_NO_ADDRESS = 'raise ImportError("No address to install from: upload the repository, then %pip install . ./book")'


def cell_source(address: str) -> str:
    """Write the cell.

    Args:
        address: of the repository, ``https://host/owner/name``. Without one (empty) the cell tells a reader on Colab
            what is missing.

    Raises:
        ValueError: an address that is not a plain ``https`` one.
    """
    if address and not re.fullmatch(r"https://[\w.:/~-]+", address):
        raise ValueError(f"address must be like https://github.com/owner/name, got {address!r}")
    return _SOURCE.format(install=_INSTALL.format(address=address) if address else _NO_ADDRESS)


def place_cell(notebook: nbformat.NotebookNode, address: str) -> None:
    """Make the cell the notebook's first, in place of the one it may have.

    Args:
        notebook: of nbformat 4.5, whose cells have ids.
        address: as for :func:`cell_source`; empty keeps the address that the cell names already.
    """
    source = cell_source(address or named_address(notebook))
    standing = [cell for cell in notebook.cells if cell.get("id") == _ID]
    cell = standing[0] if standing else nbformat.v4.new_code_cell(id=_ID)
    # Readers of the page and of JupyterLab came for something else.
    metadata = {"jupyter": {"source_hidden": True}, "tags": ["remove-cell"]}
    cell.update(source=source, metadata=nbformat.from_dict(metadata))
    notebook.cells = [cell, *(other for other in notebook.cells if other.get("id") != _ID)]


def named_address(notebook: nbformat.NotebookNode) -> str:
    """Give the address that the notebook's cell installs from; empty when it names none or there is no such cell."""
    sources = [cell.source for cell in notebook.cells if cell.get("id") == _ID]
    found = re.search(r'"betavq @ git\+(\S+)"', "".join(sources))
    return found[1] if found else ""
