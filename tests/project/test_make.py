"""What `make` installs and starts for whom, and that it is never silent for long."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from fresh import ROOT, Fresh, needs

TEST_TOOLS = {"axe-playwright-python", "entmax", "hypothesis", "mypy", "nbval", "onnx", "playwright", "pytest", "ruff"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="make and its shell are those of a POSIX system")


def planned(*arguments: str) -> str:
    """The commands that `make` would run, in an environment that is not there yet."""
    command = ["make", "--dry-run", "--no-print-directory", "VENV=not-there", *arguments]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=True).stdout


def extras(commands: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'--editable "book\[(\w+)\]"', commands)))


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("book", ["site"]),
        ("site", ["site"]),
        ("lab", ["site"]),
        ("notebooks", ["site"]),
        ("lint", ["site", "test"]),
        ("test", ["site", "test"]),
        ("bench", ["site", "test"]),
        ("test-all", ["site", "test", "zoo"]),
    ],
)
def test_each_target_installs_what_it_needs(target: str, found: list[str]) -> None:
    assert extras(planned(target)) == found


def test_a_reader_gets_no_test_tools() -> None:
    site, test = (needs("hardtosoft", frozenset({extra})) for extra in ("site", "test"))
    assert not site & TEST_TOOLS
    assert test >= TEST_TOOLS


def test_torch_comes_from_the_index_that_was_asked_for() -> None:
    commands = planned("test-all", "TORCH_INDEX=https://index.example").splitlines()
    indexed = [line.rpartition(" ")[2] for line in commands if "--index-url https://index.example --no-deps" in line]
    assert list(dict.fromkeys(indexed)) == ["torch", "torchvision"]


def test_a_word_on_time_and_disk_comes_before_the_installation() -> None:
    lines = planned("book").splitlines()
    said = next(i for i, line in enumerate(lines) if "minutes" in line and "GB" in line)
    assert said < next(i for i, line in enumerate(lines) if "install.py" in line)


def test_lab_opens_the_first_page_as_whoever_starts_it() -> None:
    (line,) = [
        line for line in planned("lab", "LAB_FLAGS=--no-browser --port=1").splitlines() if "jupyter lab" in line
    ]
    assert (ROOT / "book" / line.partition("default_url=/lab/tree/")[2].split()[0]).is_file()
    assert ("--allow-root" in line.split()) == (os.getuid() == 0)
    assert line.endswith("--no-browser --port=1")


def test_the_build_tells_one_address() -> None:
    lines = [line for line in planned("book").splitlines() if "jupyter-book" in line or "serve" in line]
    build, serve = lines
    assert build.endswith(" -q > /dev/null")
    assert serve.endswith("-m hardtosoft.site.serve _build/html")


def test_help_is_the_first_lines_of_the_makefile() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    head = [line.removeprefix("# ") for line in text.partition("\n\n")[0].splitlines()]
    command = ["make", "--no-print-directory", "help"]  # under make test it would say which folder it enters
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == head
    for target in re.findall(r"^\.PHONY: (.*)", text, re.M)[0].split():
        assert target in ("help", "env", "lint", "clean") or f"make {target}" in " ".join(head), target


def test_installing_says_each_package(tmp_path: Path) -> None:
    fresh = Fresh(tmp_path)
    for name in ("one", "two"):
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(tmp_path / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", "")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    wheels = sorted(tmp_path.glob("*.whl"))
    told = fresh.run(fresh.bin / "python", fresh.tree / ".make" / "install.py", "--no-index", *wheels)
    assert [line for line in told.splitlines() if line.startswith("Installed ")] == [
        "Installed one 1.0",
        "Installed two 1.0",
    ]
    with pytest.raises(AssertionError, match="No matching distribution found for nowhere"):
        fresh.run(fresh.bin / "python", fresh.tree / ".make" / "install.py", "--no-index", "nowhere")


@pytest.mark.rare
def test_a_readers_environment_builds_the_book(tmp_path: Path) -> None:
    fresh = Fresh(tmp_path)
    shutil.rmtree(fresh.bin.parent)
    told = fresh.run("make", "site", f"VENV={fresh.bin.parent}")
    assert "Installed torch" in told
    assert (fresh.tree / "_build" / "html" / "index.html").is_file()
    assert not [name for name in TEST_TOOLS if list(fresh.packages.glob(f"{name.replace('-', '_')}-*.dist-info"))]
