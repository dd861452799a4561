"""Names of the library in chapters: which are links, and to what."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from book_site import names
from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.domains.python import ObjectEntry

OBJECTS = {
    "betavq": ("index", "module-betavq", "module"),
    "betavq.noise": ("noise", "module-betavq.noise", "module"),
    "betavq.inference.code": ("inference", "code", "function"),
    "betavq.code": ("inference", "code", "function"),
    "betavq.noise.code": ("noise", "noise-code", "function"),
    "betavq.noise.maximum": ("noise", "maximum", "function"),
    "betavq.reference.relu": ("reference", "relu", "function"),
    "betavq.maso.MASO": ("maso", "MASO", "class"),
    "betavq.MASO": ("maso", "MASO", "class"),
    "betavq.maso.MASO.fit": ("maso", "fit", "method"),
}


@pytest.fixture
def app() -> Any:
    domain = SimpleNamespace(objects={name: ObjectEntry(*entry, aliased=False) for name, entry in OBJECTS.items()})
    builder = SimpleNamespace(get_relative_uri=lambda _, page: f"{page}.html")
    return SimpleNamespace(env=SimpleNamespace(get_domain=lambda _: domain), builder=builder)


def links_in_code(app: Any, code: str, page: str = "chapter") -> list[tuple[str, str]]:
    """The links that highlighted code gets: what they lead to, and what they stand on."""
    html = f'<div class="highlight">{highlight(code, PythonLexer(), HtmlFormatter(nowrap=False))}</div>'
    linked = names.link_code(app, page, html)
    assert re.sub("<[^>]+>", "", linked) == re.sub("<[^>]+>", "", html)
    found = re.findall(r'<a class="reference internal" href="([^"]+)">(.*?)</a>', linked)
    return [(address, re.sub("<[^>]+>", "", text)) for address, text in found]


@pytest.mark.parametrize(
    ("code", "links"),
    [
        ("betavq.code(z)", [("inference.html#code", "betavq.code")]),
        ("a = betavq.code(z) + betavq.code(y)", [("inference.html#code", "betavq.code")]),
        ("noise.code(z)", [("noise.html#noise-code", "noise.code")]),
        ("import betavq", [("index.html#module-betavq", "betavq")]),
        (
            "from betavq.noise import (\n    code,\n    maximum,\n)\ncode(z)",
            [
                ("noise.html#module-betavq.noise", "betavq.noise"),
                ("noise.html#noise-code", "code"),
                ("noise.html#maximum", "maximum"),
            ],
        ),
        ("MASO.fit(x), betavq.MASO", [("maso.html#fit", "MASO.fit"), ("maso.html#MASO", "betavq.MASO")]),
        ("maximum = z.code + F.relu(u) + nn.MASO2", []),  # variables, and the names of others
        ("# betavq.code", []),
    ],
)
def test_names_in_code_are_linked_once(app: Any, code: str, links: list[tuple[str, str]]) -> None:
    assert sorted(links_in_code(app, code)) == sorted(links)


def test_the_reference_itself_is_left_alone(app: Any) -> None:
    assert links_in_code(app, "betavq.code(z)", "reference/inference") == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("betavq.code", "inference.html#code"),
        ("betavq.code(scores, beta)", "inference.html#code"),
        ("MASO", "maso.html#MASO"),
        ("maso.MASO", "maso.html#MASO"),
        ("code", ""),  # two modules have one
        ("relu", ""),  # of the plain formulas, which are named in full
        ("fit", ""),  # a method
        ("F.relu", ""),
        ("code(…) @ c", ""),
    ],
)
def test_names_in_text(app: Any, text: str, address: str) -> None:
    document = nodes.document(None, None)
    document += nodes.paragraph("", "", nodes.literal(text=text), nodes.Text(" and "), nodes.literal(text=text))
    names.link_text(app, document, "chapter")
    assert [link["refuri"] for link in document.findall(nodes.reference)] == ([address] if address else [])


def test_names_in_headings_and_links_stay(app: Any) -> None:
    document = nodes.document(None, None)
    document += nodes.section("", nodes.title("", "", nodes.literal(text="betavq.MASO")))
    document += nodes.paragraph("", "", nodes.reference("", "", nodes.literal(text="betavq.code"), refuri="there"))
    names.link_text(app, document, "chapter")
    assert [link["refuri"] for link in document.findall(nodes.reference)] == ["there"]
