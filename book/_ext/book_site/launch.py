"""Ways to run a chapter: launch buttons in the header, and a block under the title with Binder, Colab, own machine.

Binder and Colab open notebooks from GitHub. Where the repository's address is another one, or there is none yet, their
links are left out, and the way over the reader's own machine stands alone.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from hardtosoft.site.repository import BINDER, COLAB, Repository, read_repository


def configure(app: Sphinx, config: Config) -> None:
    """Give the theme what it makes its launch buttons from."""
    place = read_repository(Path(app.srcdir).parent)
    options: dict[str, Any] = config.html_theme_options
    # The theme stops at hosts that it does not know, and its buttons at addresses that it has not.
    options["repository_url"] = place.address if place.github else ""
    options["repository_branch"] = place.branch
    options["path_to_docs"] = place.book
    buttons = {"binderhub_url": BINDER, "colab_url": COLAB, "notebook_interface": "jupyterlab"}
    options["launch_buttons"] = buttons if place.github else {}


def block(place: Repository, notebook: str) -> str:
    """Write the block for one notebook of the book.

    Args:
        place: where the repository stands.
        notebook: path of the notebook in the book's folder, such as ``relu-to-swish.ipynb``.
    """
    online = ""
    note = "<p>Binder and Colab open chapters from GitHub: their links appear once the book is there.</p>"
    if place.github:
        online = (
            f'<a href="{escape(place.binder(notebook))}">Binder</a><a href="{escape(place.colab(notebook))}">Colab</a>'
        )
        note = (
            "<p>Binder may take a few minutes to start; then choose <em>Run ▸ Run All Cells</em>. "
            "Colab asks for a Google account.</p>"
        )
    if place.address:
        where = "You need git, make and Python 3.11 to 3.13; the README says how to get a small PyTorch on Linux."
        commands = f"git clone {place.address}\ncd {place.address.rsplit('/', 1)[1]}\nmake lab"
    else:
        where = "In your copy of the book’s repository, type:"
        commands = "make lab"
    return f"""
<div class="run-chapter" role="group" aria-label="Run this chapter">
<p>Run this chapter</p>{online}
<details><summary>On your own machine</summary>
<p>{where}</p>
<div class="highlight"><pre>{escape(commands)}</pre></div>
<p>JupyterLab opens; choose <code>{escape(notebook)}</code>, then <em>Run ▸ Run All Cells</em>. The first time takes a
few minutes.</p>
</details>{note}
</div>
"""


def add_block(app: Sphinx, page: str, context: dict[str, Any]) -> None:
    """Put the block under the title of every notebook but the front page."""
    if page == app.config.root_doc or page not in app.env.found_docs:
        return
    notebook = str(app.env.doc2path(page, base=False))
    if notebook.endswith(".ipynb"):
        place = read_repository(Path(app.srcdir).parent)
        context["body"] = context["body"].replace("</h1>", "</h1>" + block(place, notebook), 1)
