"""Every benchmark can be started as its first line says."""

import re
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}
COMMANDS = [name for name, text in SOURCES.items() if '__name__ == "__main__"' in text]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_repeats_the_command(name, capsys, monkeypatch):
    assert f"python -m benchmarks.{name}``" in SOURCES[name].splitlines()[0]
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    monkeypatch.delitem(sys.modules, f"benchmarks.{name}", raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=True)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: python -m benchmarks.{name} [-h]")


def test_only_one_file_looks_at_a_clock():
    in_a_browser = {"lab", "notebooks", "pages"}  # these read that of the page
    looking = {name for name, text in SOURCES.items() if re.search(r"perf_counter|monotonic|process_time", text)}
    assert looking - in_a_browser == {"timing"}
