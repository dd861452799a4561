"""The parts of the book's Sphinx extension, each on its own."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from book_site import build, icons, maths, pages, reference, scripts, styles
from docutils import nodes
from jupyter_cache.executors import utils as executor
from sphinx.builders.html._assets import _JavaScript

from hardtosoft.site.repository import Repository

ROOT = Path(__file__).parents[2]


def paragraph(*children: nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", *children)


def in_section(*children: nodes.Node) -> nodes.document:
    document = nodes.document(None, None)
    document += nodes.section("", nodes.title(text="A title"), *children)
    return document


def test_formulas_in_descriptions_become_unicode() -> None:
    text = paragraph(nodes.Text("hardness "), nodes.math(text=r"\beta \le 1"), nodes.Text(" and\nso on"))
    assert pages.plain_text(text) == "hardness β ≤ 1 and so on"
    assert pages.plain_text(paragraph(nodes.math(text=r"\frac{1}{2}"))) is None
    assert pages.plain_text(paragraph(nodes.math(text="x_1"))) is None
    cited = paragraph(nodes.Text("as said ["), nodes.reference("", "Maas et al., 2013"), nodes.Text("]"))
    assert pages.plain_text(cited) == "as said (Maas et al., 2013)"


def test_description_is_the_first_plain_paragraph() -> None:
    box = nodes.admonition("", nodes.title(text="Before you start"), paragraph(nodes.Text("in a box " * 10)))
    formula = paragraph(nodes.Text("much text before a formula that has no plain form: "), nodes.math(text="x^2"))
    plain = paragraph(nodes.Text("This is the paragraph that says what the page is about."))
    assert pages.first_text(in_section(box, formula, plain)) == plain.astext()
    assert pages.first_text(in_section()) == ""
    assert pages.first_text(None) == ""


def test_long_description_ends_at_a_word() -> None:
    found = pages.first_text(in_section(paragraph(nodes.Text("lengthy words " * 40))))
    assert 180 < len(found) <= 202
    assert found.endswith((" lengthy …", " words …"))


def test_bibliography_and_switches_are_mended() -> None:
    assert pages.mend('<div role="doc-biblioentry">') == '<div role="listitem">'
    assert pages.mend('<summary aria-label="Toggle hidden content"><p>Show</p>') == "<summary><p>Show</p>"


def test_scripts_come_once_and_where_needed_and_none_stays_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "documentation_options.js").write_text("const OPTIONS = {}")
    (tmp_path / "start.js").write_text("(theme)")
    given = [
        _JavaScript("_static/doctools.js", priority=100),
        _JavaScript("_static/documentation_options.js", priority=90),
        _JavaScript("_static/copybutton.js"),
        _JavaScript("_static/copybutton.js"),
        _JavaScript("_static/design-tabs.js"),
        _JavaScript("", body="let toggleHintShow = 'x';"),
        _JavaScript("_static/togglebutton.js"),
        _JavaScript("", body="once()"),
        _JavaScript("", body="once()", priority=600),
        _JavaScript("", body="DOCUMENTATION_OPTIONS.pagename = 'x';"),
    ]

    def left(body: str) -> tuple[list[str], str]:
        context = {"body": body, "script_files": list(given)}
        scripts.lighten(tmp_path, context)
        assert all(script.attributes["defer"] == "defer" for script in context["script_files"])
        name = context["start_js"].removeprefix("_static/")
        return [os.fspath(script.filename) for script in context["script_files"]], (tmp_path / name).read_text()

    # Statements end where their part does, whether or not it says so.
    start = "const OPTIONS = {};\nonce();\n(theme)\n"
    assert left("<p>text</p>") == (["_static/doctools.js"], start)
    names, more = left('<div class="highlight"></div><div class="toggle"></div>')
    assert names == ["_static/doctools.js", "_static/copybutton.js", "_static/togglebutton.js"]
    assert more == start.replace("once();", "let toggleHintShow = 'x';;\nonce();")
    assert left("")[1] == start
    assert len(list(tmp_path.glob("start-*"))) == 2


def test_what_a_cell_prints_is_one_text_however_it_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDTOSOFT_STATIC", "1")
    monkeypatch.setattr(executor, "executenb", None)
    build.prepare(SimpleNamespace())
    printing = "import sys\nprint(64, end='', flush=True)\nsys.stdout.flush()\nprint(' filters')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(printing)])
    executor.single_nb_execution(notebook, cwd=None, timeout=60, allow_errors=False)
    assert [output["text"] for output in notebook.cells[0].outputs] == ["64 filters\n"]


def test_a_misspelt_icon_is_named() -> None:
    assert icons.code_points(("bars", "sun")) == {"bars": "\uf0c9", "sun": "\uf185"}
    with pytest.raises(ValueError, match="barz"):
        icons.code_points(("bars", "barz"))


def test_pages_are_outdated_when_what_they_stand_on_changes(tmp_path: Path) -> None:
    (tmp_path / "src" / "betavq").mkdir(parents=True)
    (tmp_path / "book" / "_assets").mkdir(parents=True)
    module, style = tmp_path / "src" / "betavq" / "a.py", tmp_path / "book" / "_assets" / "site.css"
    module.write_text("x = 1")
    style.write_text("p {}")
    app = SimpleNamespace(srcdir=str(tmp_path / "book"))
    env = SimpleNamespace(found_docs={"index", "notation"})

    def outdated() -> list[str]:
        return build.outdated(app, env, set(), set(), set())

    assert outdated() == ["index", "notation"]
    assert outdated() == []
    for path in (module, style):
        path.write_text(path.read_text() + " ")
        assert outdated() == ["index", "notation"]
    (tmp_path / "src" / "betavq" / "b.json").write_text("{}")
    assert outdated() == ["index", "notation"]
    assert outdated() == []


WORDS = {"btn", "w-1/2", "card", "main", "show"}


@pytest.mark.parametrize(
    ("css", "left"),
    [
        (".btn{a:b}.gone{c:d}", ".btn{a:b}"),
        (".btn.gone{a:b}.btn .card>a:hover{c:d}", ".btn .card>a:hover{c:d}"),
        (".gone,.card , p{a:b}", ".card,p{a:b}"),
        ("#main{a:b}#aside{c:d}", "#main{a:b}"),
        ("p:not(.gone){a:b}:is(.gone,.btn) a{c:d}", "p:not(.gone){a:b}:is(.gone,.btn) a{c:d}"),
        (".card:not(:is(.gone,.x),.y){a:b}", ".card:not(:is(.gone,.x),.y){a:b}"),
        ("@media print{.gone{a:b}}@media print{.gone{a:b}.btn{c:d}}", "@media print{.btn{c:d}}"),
        ("@font-face{src:url(a.b)}@keyframes gone{0%{a:b}}", "@font-face{src:url(a.b)}@keyframes gone{0%{a:b}}"),
        ('.btn::before{content:"}.gone{"}.gone{a:b}', '.btn::before{content:"}.gone{"}'),
        (".w-1\\/2{a:b}.w-3\\/4{a:b}", ".w-1\\/2{a:b}"),
        ("/* .btn{ */.gone{a:b}[data-x='.gone']{a:b}", '[data-x=".gone"]{a:b}'),
        ("@import 'x.css';.btn{a:b}", '@import "x.css";.btn{a:b}'),
    ],
)
def test_rules_that_no_page_uses_are_dropped(css: str, left: str) -> None:
    assert styles.prune(css, WORDS) == left


def test_words_come_from_pages_and_scripts(tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    (tmp_path / "index.html").write_text('<p class="sd-card w-1/2" id="main">')
    (tmp_path / "_static" / "site.js").write_text("element.classList.add('bs-tooltip-auto')")
    assert {"sd-card", "w-1/2", "main", "bs-tooltip-auto"} <= styles.words_of(tmp_path)


def test_mathjax_copy_holds_what_the_pages_load(tmp_path: Path) -> None:
    maths.copy_mathjax(tmp_path)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    wanted = [*config["mathjax3_config"]["loader"]["load"], Path(config["mathjax_path"]).stem]
    assert all((tmp_path / f"{name}.js").is_file() for name in wanted)
    assert list(tmp_path.rglob("*.woff"))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 2_000_000


def test_signatures_of_several_lines_are_lines() -> None:
    listed = '<dt class="sig"><dl>\n<dd>beta,</dd>\n</dl>)</dt><dd><dl><dd>text</dd></dl></dd>'
    lines = '<dt class="sig">\n<span class="sig-line">beta,</span>\n)</dt><dd><dl><dd>text</dd></dl></dd>'
    assert reference.mend_signatures(listed.replace('"sig"', '"sig py"')) == lines.replace('"sig"', '"sig py"')


@pytest.mark.parametrize(
    ("name", "start"),
    [("soften", "def soften("), ("Report.replaced", "    @property"), ("MASO.from_layers", "    @classmethod")],
)
def test_sources_are_linked_line_by_line_on_github(monkeypatch: pytest.MonkeyPatch, name: str, start: str) -> None:
    place = Repository("https://github.com/owner/name", "main", "book")
    monkeypatch.setattr(reference, "read_repository", lambda _: place)
    module = "betavq.maso" if name.startswith("MASO") else "betavq.softening"
    link = reference.source_link("py", {"module": module, "fullname": name})
    found = re.fullmatch(r"https://github\.com/owner/name/blob/main/(src/betavq/[\w/]+\.py)#L(\d+)-L\d+", link or "")
    assert found
    assert (ROOT / found[1]).read_text(encoding="utf-8").splitlines()[int(found[2]) - 1].startswith(start)


@pytest.mark.parametrize("address", ["", "https://git.example.org/owner/name"])
def test_sources_are_not_linked_elsewhere(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(reference, "read_repository", lambda _: Repository(address, "main", "book"))
    assert reference.source_link("py", {"module": "betavq.softening", "fullname": "soften"}) is None
    assert reference.source_link("c", {}) is None


@pytest.mark.parametrize(("page", "links"), [("reference/nn", ["https://arxiv.org/abs/1810.09274"]), ("chapter", [])])
def test_papers_in_docstrings_are_linked(page: str, links: list[str]) -> None:
    document = in_section(paragraph(nodes.Text("Hard to Soft, arXiv\n1810.09274, and 1805.0, ")))
    said = document.astext()
    reference.link_papers(SimpleNamespace(env=SimpleNamespace(docname=page)), document)
    assert [link["refuri"] for link in document.findall(nodes.reference)] == links
    assert document.astext() == said
