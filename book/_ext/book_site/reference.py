"""The library's reference: every public name can be found and linked, under each module that offers it."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry, PythonDomain
from sphinx.domains.python._object import PyObject
from sphinx.environment import BuildEnvironment

from hardtosoft.site.reference import names, public_modules
from hardtosoft.site.repository import read_repository

ROOT = Path(__file__).resolve().parents[3]


def add_aliases(_app: Sphinx, env: BuildEnvironment) -> None:
    """Enter names that a second module offers: their page is that of the module which has their documentation."""
    objects = cast(PythonDomain, env.get_domain("py")).objects
    offered = [
        (f"{module.__name__}.{name}", getattr(module, name)) for module in public_modules() for name in names(module)
    ]
    homes = {id(value): name for name, value in offered if name in objects}
    for name, value in offered:
        home = homes.get(id(value), name)
        if name not in objects and home in objects:
            members = {f"{name}{entry[len(home) :]}": entry for entry in objects if entry.startswith(f"{home}.")}
            for alias, entry in {name: home, **members}.items():
                objects[alias] = ObjectEntry(*objects[entry][:3], aliased=True)


def source_link(domain: str, info: dict[str, str]) -> str | None:
    """Give the address of an object's lines on GitHub; None where the repository is not there."""
    place = read_repository(ROOT)
    if domain != "py" or not place.github:
        return None
    found: Any = importlib.import_module(info["module"])
    for part in info["fullname"].split("."):
        found = getattr(found, part, None)
    if isinstance(found, property):
        found = found.fget
    try:
        lines, first = inspect.getsourcelines(inspect.unwrap(found))
        path = Path(inspect.getsourcefile(found) or "").relative_to(ROOT)
    except (TypeError, ValueError, OSError):
        return None
    return f"{place.address}/blob/{place.branch}/{path.as_posix()}#L{first}-L{first + len(lines) - 1}"


def link_papers(app: Sphinx, doctree: nodes.document) -> None:
    """Make links of the numbers by which docstrings name their sources."""
    if not app.env.docname.startswith("reference/"):
        return
    for text in list(doctree.findall(nodes.Text)):
        parts = re.split(r"(arXiv\s\d{4}\.\d{4,5})", text)
        if len(parts) > 1 and isinstance(text.parent, nodes.paragraph):
            papers = {part: f"https://arxiv.org/abs/{part[6:]}" for part in parts[1::2]}
            linked = [
                nodes.reference("", part, refuri=papers[part]) if part in papers else nodes.Text(part)
                for part in parts
            ]
            text.parent.replace(text, linked)


def mend_signatures(body: str) -> str:
    """Make lines of what Sphinx makes lists without terms: signatures of several lines."""

    def mend(signature: re.Match[str]) -> str:
        lines = re.sub(r"</?dl>", "", signature[0])
        return lines.replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")

    return re.sub(r'<dt class="sig .*?</dt>', mend, body, flags=re.DOTALL)


def prepare(app: Sphinx) -> None:
    """Say where sources are and how finds are ranked, and head a class's attributes so, not as "Variables"."""
    app.config.linkcode_resolve = source_link
    app.config.html_search_scorer = str(Path(__file__).with_name("scorer.js"))
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
