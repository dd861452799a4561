"""The README, and the page of the library: their code runs, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "src" / "README.md")
RUNNING = ROOT / "book" / "running.md"
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("path", [*PAGES, RUNNING], ids=["project", "library", "running"])
def test_the_code_runs(path: Path) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.S))
    assert code
    with torch.random.fork_rng():
        torch.manual_seed(0)
        exec(compile(code, path, "exec"), {})


@pytest.mark.parametrize("path", PAGES, ids=["project", "library"])
def test_links_within_the_repository_lead_somewhere(path: Path) -> None:
    links = LINK.findall(path.read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not link.startswith("https://") and not (path.parent / link).exists()]


def test_the_project_page_is_short() -> None:
    """Whoever comes by reads a page; the rest has its place on the site."""
    assert len(PAGES[0].read_text(encoding="utf-8").split()) <= 700


def test_every_chapter_is_listed() -> None:
    listed = set(LINK.findall(PAGES[0].read_text(encoding="utf-8")))
    chapters = {path.relative_to(ROOT).as_posix() for path in (ROOT / "book").glob("*.ipynb")} - {"book/index.ipynb"}
    assert chapters <= listed


def test_numbers_in_the_library_page_are_those_it_prints() -> None:
    text, scores = PAGES[1].read_text(encoding="utf-8"), torch.tensor([0.0, 1.0])
    import betavq

    for found, call in (
        (betavq.code(scores, beta=0.5), "betavq.code(scores, beta=0.5)"),
        (betavq.value(scores, beta=0.5), "betavq.value(scores, beta=0.5)"),
        (betavq.code(scores, beta=0.25, entropy="quadratic"), 'betavq.code(scores, beta=0.25, entropy="quadratic")'),
        (betavq.noise.value(scores, "gaussian"), 'betavq.noise.value(scores, "gaussian")'),
    ):
        (line,) = [line for line in text.splitlines() if line.startswith(call)]
        printed = [float(number) for number in re.findall(r"0\.\d{3}", line.partition("#")[2])]
        assert [round(value, 3) for value in found.flatten().tolist()] == printed
