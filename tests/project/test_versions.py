"""One set of versions: what is installed, and what constraints.txt pins."""

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
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


def needs(name, extras=frozenset(), seen=None):
    """Every distribution that ``name`` needs on this machine, however far down."""
    seen = {} if seen is None else seen
    if seen.get(name, frozenset()) >= extras and name in seen:
        return seen
    seen[name] = seen.get(name, frozenset()) | extras
    for requirement in map(Requirement, distribution(name).requires or ()):
        contexts = [{"extra": extra} for extra in extras or {""}]
        if requirement.marker is None or any(requirement.marker.evaluate(context) for context in contexts):
            needs(canonicalize_name(requirement.name), frozenset(requirement.extras), seen)
    return seen


@pytest.fixture(scope="module")
def needed():
    names = set(needs("hardtosoft", frozenset({"test"}))) - {"betavq", "hardtosoft"}
    return sorted(name for name in names if not FOR_CUDA.match(name))


def test_every_distribution_in_use_is_pinned_and_installed_as_pinned(needed):
    assert len(needed) > 80
    installed = {name: distribution(name).version.partition("+")[0] for name in needed}
    assert installed == {name: PINNED.get(name) for name in needed}


def test_citation_and_changelog_name_this_version():
    assert f"\nversion: {betavq.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {betavq.__version__} " in (ROOT / "CHANGELOG.md").read_text()
