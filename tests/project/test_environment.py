"""What a hosted notebook runs in: Binder's environment, made anew, and the scripts that it starts with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fresh import ROOT, Fresh
from packaging.requirements import Requirement

from hardtosoft.interactive import plotly

PINNED = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M))
DEPENDENCIES: list[Any] = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
(PIP_LINES,) = [entry["pip"] for entry in DEPENDENCIES if isinstance(entry, dict)]
CONDA = dict(entry.split("=") for entry in DEPENDENCIES if isinstance(entry, str) and "=" in entry)
#: Packages of conda whose Python distribution has another name.
DISTRIBUTIONS = {"pytorch-cpu": "torch", "numpy": "numpy"}

# A reader's kernel: the figures are made live, not for a page.
MAKE_A_FRAME = """
import os, sys
assert "HARDTOSOFT_STATIC" not in os.environ
import torch
from hardtosoft.figures import every_figure
figure = next(iter(every_figure()))
assert figure.frame().panels
print(torch.__file__, torch.__version__, torch.get_num_threads(), sep="\\n")
"""


def test_binder_takes_the_pinned_versions() -> None:
    assert {DISTRIBUTIONS[name]: version for name, version in CONDA.items() if name != "python"} == {
        name: PINNED[name] for name in ("numpy", "torch")
    }
    assert PIP_LINES == ["--constraint constraints.txt", "--editable .", "--editable ./book[site]"]


def test_binder_takes_a_python_that_the_project_allows() -> None:
    allowed = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert allowed is not None
    assert int(allowed[1]) <= int(CONDA["python"].removeprefix("3.")) < int(allowed[2])


def test_colab_keeps_its_own_widgets_and_torch() -> None:
    # Colab's page speaks the language of ipywidgets 7, and another torch would be a download of gigabytes.
    files = (ROOT / "pyproject.toml", ROOT / "book" / "pyproject.toml")
    asked = [name for file in files for name in tomllib.loads(file.read_text())["project"]["dependencies"]]
    specifiers = {requirement.name: requirement.specifier for requirement in map(Requirement, asked)}
    assert "7.7.1" in specifiers["ipywidgets"]
    assert "2.6.0+cu124" in specifiers["torch"]
    assert "jupyterlab" not in specifiers


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    """The environment, with the pip part of environment.yml installed as conda does: from a file in the tree."""
    folder = tmp_path_factory.mktemp("binder")
    made = Fresh(folder, *(DISTRIBUTIONS[name] for name in CONDA if name != "python"))
    (made.tree / "pip-part.txt").write_text("\n".join(PIP_LINES) + "\n")
    # What is compiled to bytes beforehand saves the reader time and tells this test nothing.
    command = (made.bin / "python", "-m", "pip", "install", "--quiet", "--no-compile", "--requirement", "pip-part.txt")
    made.run(*command)
    yield made
    shutil.rmtree(folder)


needs_links = pytest.mark.skipif(sys.platform == "win32", reason="Binder runs on Linux; the links need a POSIX system")


@needs_links
def test_the_pip_part_leaves_condas_torch_alone_and_makes_figures(fresh: Fresh) -> None:
    assert (fresh.packages / "torch" / "__init__.py").is_symlink()
    file, version, threads = fresh.run(fresh.tree / "start", "python", "-c", MAKE_A_FRAME).split()
    assert Path(file).is_relative_to(fresh.packages)
    assert version.partition("+")[0] == PINNED["torch"]
    assert threads == "1"


@needs_links
def test_the_pip_part_brings_jupyterlab_and_live_figures(fresh: Fresh) -> None:
    assert fresh.run("jupyter", "lab", "--version").strip() == PINNED["jupyterlab"]
    extensions = fresh.run("sh", "-c", "jupyter labextension list 2>&1")
    assert re.search(r"anywidget v\S+ enabled.*OK", re.sub(r"\x1b\[\d*m", "", extensions))


@needs_links
def test_the_last_step_of_binders_build_leaves_nothing_for_the_reader_to_wait_for(fresh: Fresh) -> None:
    # The build of the site has fetched the bundle, so that nothing is fetched here.
    cache = fresh.tree / "_build" / ".cache"
    cache.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(plotly.plotly_bundle(plotly.cache_dir()), cache / plotly.PLOTLY_BUNDLE)
    fresh.run(fresh.tree / "postBuild")
    assert (cache / f"{plotly.PLOTLY_BUNDLE}.gz").is_file()
    assert "announcements" in fresh.run("sh", "-c", "jupyter labextension list 2>&1").partition("Disabled")[2]


def start(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command through Binder's start script, on a machine with no setting of threads."""
    kept = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    return subprocess.run([ROOT / "start", *command], env=kept, capture_output=True, text=True, check=False)


@needs_links
def test_start_sets_one_core_and_becomes_the_command() -> None:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    script = f"import os, sys; print(*map(os.environ.get, {names}), *sys.argv[1:], sep='|'); sys.exit(3)"
    done = start(sys.executable, "-c", script, "two words", "$HOME *")
    assert done.stdout == "1|1|1|two words|$HOME *\n"
    assert done.returncode == 3
    assert done.stderr == ""


@needs_links
def test_binders_scripts_can_be_run() -> None:
    for name in ("start", "postBuild"):
        assert os.access(ROOT / name, os.X_OK), f"git must know {name} as executable"
        assert (ROOT / name).read_bytes().startswith(b"#!/bin/sh\n")
    assert not [folder for folder in ("binder", ".binder") if (ROOT / folder).exists()], "Binder would look only there"
