"""How the book is built: on all cores, notebooks as static pages, and anew where the code behind them has changed."""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path

import zmq
from jupyter_cache.executors import utils as executor
from jupyter_client.manager import KernelManager
from nbclient import execute
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

MOST = 4  # kernels at once, each of which may take 400 MB
UNDECLARED = "sphinx_multitoc_numbering"  # Jupyter Book adds it; the book's settings leave it nothing to do

# Sphinx compares the pages' sources only. Pages stand as much on what their notebooks import and read, on this
# extension, and on the assets whose check sums are in the pages.
_PATTERNS = {"src": ("*.py", "*.js", "*.css", "*.json"), "book/_ext": ("*.py",), "book/_assets": ("*.*",)}


def prepare(app: Sphinx) -> None:
    """Set what Jupyter Book's command has no option for."""
    app.parallel = min(os.cpu_count() or 1, MOST)
    # Figures become static HTML; kernels inherit the build's environment.
    os.environ["HARDTOSOFT_STATIC"] = "1"
    # What a cell prints may arrive in pieces, cut anywhere.
    executor.executenb = partial(execute, coalesce_streams=True)
    if zmq.has("curve"):
        # Kernels warn of messages that are not encrypted. They start without reading Jupyter's configuration, so the
        # default is what counts.
        KernelManager.transport_encryption.default_value = "auto"


def declare(app: Sphinx, _config: Config) -> None:
    """Say what an extension does not say of itself: that it may read pages beside others."""
    if UNDECLARED in app.extensions:
        app.extensions[UNDECLARED].parallel_read_safe = True


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
