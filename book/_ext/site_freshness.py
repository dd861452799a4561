"""Second builds that are right: pages are made anew when the code behind their figures has changed.

Sphinx compares the pages' sources only. What the notebooks import, the data that they read, this folder's
extensions, and the assets whose check sums stand in the pages are compared here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

_PATTERNS = {"src": ("*.py", "*.js", "*.css", "*.json"), "book/_ext": ("*.py",), "book/_assets": ("*.*",)}


def fingerprint(root: Path) -> str:
    """Digest of every file that pages depend on without naming it."""
    digest = hashlib.sha256()
    for folder, patterns in _PATTERNS.items():
        for path in sorted(path for pattern in patterns for path in (root / folder).rglob(pattern)):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def outdated(
    app: Sphinx, env: BuildEnvironment, _added: set[str], _changed: set[str], _removed: set[str]
) -> list[str]:
    """Name every page when the fingerprint differs from the one of the build before."""
    now = fingerprint(Path(app.srcdir).parent)
    before = getattr(env, "hardtosoft_fingerprint", None)
    env.hardtosoft_fingerprint = now  # type: ignore[attr-defined]
    return [] if before == now else sorted(env.found_docs)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
