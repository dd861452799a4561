"""The tests that check claims: found by their marks, ``@pytest.mark.claim("C7")``, in the source of the tests."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MarkedTest:
    """A test that checks a claim.

    Attributes:
        claim_id: the claim.
        path: file of the test, relative to the folder of the tests, with forward slashes.
        name: the test as pytest names it, ``Class::function`` inside a class.
        summary: first line of its docstring, empty without one.
    """

    claim_id: str
    path: str
    name: str
    summary: str


def collect(tests_dir: Path) -> list[MarkedTest]:
    """Find the tests marked with a claim, by reading their source; nothing is imported or run.

    Marks on a function, on a class around it and in a module's or class's ``pytestmark`` count; names follow
    pytest's rules (``test_*.py``, ``test*``, ``Test*``), so that a test pytest would not run is not listed.

    Raises:
        ValueError: a mark without an id written out as a string.
    """
    return [test for path in test_files(tests_dir) for test in collect_file(path, tests_dir)]


def test_files(tests_dir: Path) -> list[Path]:
    """The files in which pytest looks for tests, in alphabetical order."""
    return sorted(tests_dir.rglob("test_*.py"))


def collect_file(path: Path, tests_dir: Path) -> list[MarkedTest]:
    """The same as `collect` for one file."""
    module = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    relative = path.relative_to(tests_dir).as_posix()
    return [MarkedTest(claim_id, relative, name, summary) for claim_id, name, summary in _tests(module, "", ())]


def _tests(scope: ast.Module | ast.ClassDef, prefix: str, outer: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Claim, name and summary of every marked test in a module or class, given the ids marked around it."""
    around = (*outer, *_ids(_pytestmark(scope)))
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests(node, f"{prefix}{node.name}::", (*around, *_ids(node.decorator_list)))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            summary = (ast.get_docstring(node) or "").partition("\n")[0]
            for claim_id in dict.fromkeys((*around, *_ids(node.decorator_list))):
                yield claim_id, prefix + node.name, summary


def _pytestmark(scope: ast.Module | ast.ClassDef) -> list[ast.expr]:
    """The marks that a module or class gives to all it holds."""
    marks: list[ast.expr] = []
    for node in scope.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["pytestmark"]:
            marks.extend(node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value])
    return marks


def _ids(marks: Iterable[ast.expr]) -> list[str]:
    """Ids in those of the marks that are ``pytest.mark.claim(...)``."""
    ids = []
    for mark in marks:
        if not isinstance(mark, ast.Call) or ast.unparse(mark.func) not in (
            "pytest.mark.claim",
            "mark.claim",
        ):
            continue
        match mark:
            case ast.Call(args=[ast.Constant(value=str(claim_id))], keywords=[]):
                ids.append(claim_id)
            case _:
                raise ValueError(f"a claim mark must hold one id as a string, got {ast.unparse(mark)}")
    return ids
