"""What a build says: each page when it is done, not when the batch of pages is with which it was read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXTENSION = Path(__file__).parents[2] / "book" / "_ext" / "book_site"  # its module alone: no figure is needed
# The second page of a batch is done only once the first was told.
SETTINGS = """
import sys, time
from pathlib import Path
sys.path.insert(0, {extension!r})
import progress

def wait(app, doctree):
    page = app.env.docname
    if page[-1] == "2":
        for _ in range(1000):
            if f": {{page[:-1]}}1 (" in Path("told").read_text():
                return
            time.sleep(0.02)
        raise RuntimeError(f"{{page[:-1]}}1 was not told")

def setup(app):
    app.parallel = 2
    app.connect("env-before-read-docs", progress.begin)
    app.connect("doctree-read", wait, priority=100)
    app.connect("doctree-read", progress.page_read)
    app.connect("env-updated", progress.all_read)
    app.connect("build-finished", progress.end)
    return {{"parallel_read_safe": True}}
"""


def build(folder: Path) -> list[str]:
    told = folder / "told"
    with told.open("w") as stream:
        command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", ".", "_build"]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=stream, text=True, check=False)
    assert done.returncode == 0, told.read_text()
    assert done.stdout == ""
    return told.read_text().splitlines()


def test_each_page_is_told_when_it_is_done(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(SETTINGS.format(extension=str(EXTENSION)))
    (tmp_path / "index.rst").write_text("Home\n====\n")
    pages = [f"{name}{number}" for name in "abcdef" for number in (1, 2)]
    for page in pages:
        (tmp_path / f"{page}.rst").write_text(f":orphan:\n\n{page}\n==\n")
    first, *lines, writing, end = build(tmp_path)
    assert first == "Reading 13 pages; chapters are run."
    counted = [re.fullmatch(r" *(\d+) of 13: (\w+) \(\d+ s\)", line) for line in lines]
    assert [int(found[1]) for found in counted if found] == list(range(1, 14))
    assert sorted(found[2] for found in counted if found) == sorted(["index", *pages])
    assert writing == "Writing the pages."
    assert re.fullmatch(r"Built in \d+ s\.", end)
    assert build(tmp_path) == []  # nothing has changed
