"""Names of the library in the chapters lead to their descriptions: each at its first use, in text and in code.

The notebooks themselves say nothing of it, so that a name reads as plainly in JupyterLab and on Colab.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry, PythonDomain
from sphinx.environment import BuildEnvironment

REFERENCE = "reference/"
PLAIN_FORMULAS = "betavq.reference."

_NAME = r'<span class="n">\w+</span>'
_BLOCK = re.compile(r'<div class="highlight.*?</pre>', re.DOTALL)
_CHAIN = re.compile(rf'{_NAME}(?:<span class="o">\.</span>{_NAME})+')
_IMPORT = re.compile(
    r'(<span class="nn">(betavq[\w.]*)</span>)'
    r'((?:<span class="w"> </span>)?<span class="kn">import</span>(?:[^\n(]*\([^)]*\)|[^\n]*))?'
)


def described(env: BuildEnvironment) -> dict[str, ObjectEntry]:
    """Every way to write a name that can mean one description only.

    A name may stand in full, behind the last part of its module's name or its class (``geometry.partition``,
    ``MASO.from_layers``) or, if it is no method, alone.
    """
    found: dict[str, set[ObjectEntry]] = {}
    for name, entry in cast(PythonDomain, env.get_domain("py")).objects.items():
        if re.match(r"betavq(?!.*\._)", name):
            parts, ways = name.split("."), {name}
            if not name.startswith(PLAIN_FORMULAS) and entry.objtype in ("function", "class", "method"):
                ways |= {".".join(parts[-2:]), *(parts[-1:] if entry.objtype != "method" else ())}
            for way in ways:
                found.setdefault(way, set()).add(entry._replace(aliased=False))
    return {way: entries.pop() for way, entries in found.items() if len(entries) == 1}


def first_uses(app: Sphinx, page: str) -> Callable[[str], str]:
    """Give a function from a name to the address of its description: empty if it has none, or had it before."""
    entries = {} if page.startswith(REFERENCE) else described(app.env)
    seen: set[ObjectEntry] = set()

    def address(name: str) -> str:
        entry = entries.get(name)
        if entry is None or entry in seen:
            return ""
        seen.add(entry)
        return f"{app.builder.get_relative_uri(page, entry.docname)}#{entry.node_id}"

    return address


def link_text(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Link names in running text: in headings, and where a link is, they stay as they are."""
    address = first_uses(app, page)
    for literal in list(doctree.findall(nodes.literal)):
        name = re.fullmatch(r"([A-Za-z_][\w.]*)(?:\(.*\))?", literal.astext())
        above = literal.parent
        while above is not None and not isinstance(above, nodes.reference | nodes.title):
            above = above.parent
        if name and above is None and (uri := address(name[1])):
            link = nodes.reference("", "", internal=True, refuri=uri)
            literal.replace_self(link)
            link += literal


def link_code(app: Sphinx, page: str, body: str) -> str:
    """Link names in highlighted code: dotted ones, modules, and what is imported from them."""
    address = first_uses(app, page)

    def linked(html: str, prefix: str = "") -> str:
        uri = address(prefix + re.sub("<[^>]+>", "", html))
        return f'<a class="reference internal" href="{uri}">{html}</a>' if uri else html

    def imported(found: re.Match[str]) -> str:
        names = re.sub(_NAME, lambda name: linked(name[0], f"{found[2]}."), found[3] or "")
        return linked(found[1]) + names

    def block(found: re.Match[str]) -> str:
        return _CHAIN.sub(lambda chain: linked(chain[0]), _IMPORT.sub(imported, found[0]))

    return _BLOCK.sub(block, body)
