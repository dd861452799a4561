"""The examples in the docstrings: every public name has one, and each shows what it says."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from betavq import reference
from hardtosoft.site.reference import names, public_modules

MODULES = list(public_modules())
#: Each object once, under the first module that offers it; the two left out are data, which has no docstring at run
#: time.
PUBLIC = {
    id(getattr(module, name)): (module, name)
    for module in reversed(MODULES)
    for name in names(module)
    if name not in ("NOISES", "Noise")
}
PLAIN_FORMULAS = Path(__file__).parents[2] / "book" / "reference" / "reference.rst"
MOST_LINES, MOST_COLUMNS = 10, 80  # what a page shows without scrolling


def examples(found: Any) -> Iterator[doctest.DocTest]:
    """The doctests of an object and, if it is a class, of its members; each starts with nothing imported."""
    for test in doctest.DocTestFinder().find(found, getattr(found, "__name__", None), globs={}):
        if test.examples:
            yield test


def parsed(text: str) -> doctest.DocTest:
    return doctest.DocTestParser().get_doctest(text, {}, "text", None, None)


def run(test: doctest.DocTest) -> str:
    """What the example prints that it should not, and the other way round."""
    report: list[str] = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    return "".join(report)


@pytest.mark.parametrize(
    ("module", "name"), PUBLIC.values(), ids=[f"{module.__name__}.{name}" for module, name in PUBLIC.values()]
)
def test_example_shows_what_it_says(module: ModuleType, name: str) -> None:
    found = getattr(module, name)
    tests = list(examples(found))
    assert any(test.docstring == found.__doc__ for test in tests), f"{name} needs an example"
    for test in tests:
        assert any(example.want for example in test.examples), f"{test.name} needs a result"
        lines = [line for example in test.examples for line in example.source.splitlines()]
        assert len(lines) <= MOST_LINES, f"{test.name} needs fewer lines"
        assert max(map(len, lines)) <= MOST_COLUMNS, f"{test.name} needs shorter lines"
        assert run(test) == ""


def test_plain_formulas_are_all_tried_on_their_page() -> None:
    test = parsed(PLAIN_FORMULAS.read_text(encoding="utf-8"))
    assert run(test) == ""
    tried = " ".join(example.source for example in test.examples)
    assert [name for name in names(reference) if f"reference.{name}(" not in tried] == []


@pytest.mark.parametrize("module", MODULES, ids=[module.__name__ for module in MODULES])
def test_examples_of_a_module_show_what_they_say(module: ModuleType) -> None:
    assert run(parsed(module.__doc__ or "")) == ""


@pytest.mark.parametrize("module", MODULES, ids=[module.__name__ for module in MODULES])
def test_a_module_says_what_is_in_it(module: ModuleType) -> None:
    """``help(module)`` begins with its docstring; the plain formulas follow theirs at once."""
    said = set(re.findall(r"`~?\.?([\w.]+)`", module.__doc__ or ""))
    if module is not reference:
        assert [name for name in names(module) if name not in said] == []


def test_an_example_that_is_wrong_is_noticed() -> None:
    assert "Expected" in run(parsed(">>> 1 + 1\n3\n"))
