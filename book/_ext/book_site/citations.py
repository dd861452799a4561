"""Citations in the book's sources are links with words, which JupyterLab, GitHub and Colab show as they are.

On a page each becomes Sphinx's role, which makes the list of works, and says which work it is when pointed at.
"""

from __future__ import annotations

import re

from sphinx.application import Sphinx

#: ``[[Lloyd, 1982]](references.bib#lloyd1982least)``; for two works, their keys with a comma between.
LINK = re.compile(r"\[\[([^][]*)\]\]\(references\.bib#([\w,]+)\)")


def as_roles(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Write a source with roles, as Sphinx reads it."""
    source[0] = LINK.sub(r"{cite}`\2`", source[0])
