"""Every experiment can be started as its first lines say."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "experiments"
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.py"))}
STARTED = {path: re.search(r"``python -m (experiments[.\w]+)", text) for path, text in SOURCES.items()}
COMMANDS = {found[1]: path for path, found in STARTED.items() if found and "__main__" in SOURCES[path]}


def test_all_that_can_be_started_says_how():
    scripts = {path for path, text in SOURCES.items() if '__name__ == "__main__"' in text}
    assert scripts == {*COMMANDS.values(), FOLDER / "photograph.py"}
    for name, path in COMMANDS.items():
        written = path.relative_to(FOLDER.parent).with_suffix("").parts
        assert ".".join(written).removesuffix(".__main__") == name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_repeats_the_command(name, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    for imported in (name, f"{name}.__main__"):  # by another test of this process
        monkeypatch.delitem(sys.modules, imported, raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m {name} [-h] [--out OUT]")


def test_a_folder_that_is_not_there_is_named(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["", "--out", "nowhere/found.json"])
    with pytest.raises(SystemExit):
        runpy.run_module("experiments.pooling", run_name="__main__", alter_sys=True)
    assert capsys.readouterr().err.endswith("argument --out: there is no folder nowhere\n")
