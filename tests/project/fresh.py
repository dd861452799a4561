"""Environments and copies of the source tree, made anew for a test."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "_build", "build", "*.egg-info", "__pycache__", ".*_cache")


def needs(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """A distribution and all that it needs on this machine, however far down."""
    seen: set[tuple[str, str]] = set()

    def add(name: str, extra: str) -> None:
        if (name, extra) not in seen:
            seen.add((name, extra))
            for requirement in map(Requirement, distribution(name).requires or ()):
                if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                    for further in requirement.extras | {""}:
                        add(canonicalize_name(requirement.name), further)

    for extra in extras | {""}:
        add(canonicalize_name(name), extra)
    return {name for name, _ in seen}


def link(found: Distribution, place: Path) -> None:
    """Let a distribution that is installed here appear in another environment, without a copy of it.

    File by file: a folder that is a link would let pip write into the environment that runs this test.
    """
    for file in found.files or ():
        if file.parts[0] != ".." and not file.is_absolute():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).symlink_to(found.locate_file(file))


class Fresh:
    """A fresh environment with pip and some of the distributions installed here, and a copy of the source tree."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.tree = folder / "tree"
        shutil.copytree(ROOT, self.tree, ignore=NOT_COPIED)
        venv.create(folder / "env")
        self.bin = folder / "env" / "bin"
        (self.packages,) = (folder / "env" / "lib").glob("python*/site-packages")
        for one in set().union(*(needs(name) for name in ("pip", *names))):
            link(distribution(one), self.packages)

    def run(self, *command: str | Path, **more: str) -> str:
        """Run a command in the tree as on a reader's machine; give what it printed."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HARDTOSOFT_", "PYTHON"))}
        environment = {**kept, "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", **more}
        done = subprocess.run(command, cwd=self.tree, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout
