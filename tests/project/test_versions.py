"""One set of versions: what is installed, and what constraints.txt pins."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from fresh import needs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import betavq

ROOT = Path(__file__).parents[2]
PINNED = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M)
}
#: What torch's builds for CUDA bring along; builds for other machines have none of it.
FOR_CUDA = re.compile(r"nvidia-|cuda-|triton")


@pytest.fixture(scope="module")
def needed():
    names = needs("hardtosoft", frozenset({"test"})) - {"betavq", "hardtosoft"}
    return sorted(name for name in names if not FOR_CUDA.match(name))


def test_every_distribution_in_use_is_pinned_and_installed_as_pinned(needed):
    assert len(needed) > 80
    installed = {name: distribution(name).version.partition("+")[0] for name in needed}
    assert installed == {name: PINNED.get(name) for name in needed}


def test_every_named_requirement_is_pinned():
    extras = tomllib.loads((ROOT / "book" / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {canonicalize_name(Requirement(each).name) for extra in extras.values() for each in extra} - {"hardtosoft"}
    assert {"timm", "jupyterlab", "pytest"} <= named
    assert named <= set(PINNED)


def test_citation_and_changelog_name_this_version():
    assert f"\nversion: {betavq.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {betavq.__version__} " in (ROOT / "CHANGELOG.md").read_text()
