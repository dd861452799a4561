"""Builds on all cores: Jupyter Book's command has no option for it, and most of a build is running the notebooks."""

from __future__ import annotations

import os

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

MOST = 4  # kernels at once, each of which may take 400 MB
UNDECLARED = "sphinx_multitoc_numbering"  # Jupyter Book adds it; the book's settings leave it nothing to do


def declare(app: Sphinx, _config: Config) -> None:
    """Say what an extension does not say of itself: that it may read pages beside others."""
    if UNDECLARED in app.extensions:
        app.extensions[UNDECLARED].parallel_read_safe = True


def setup(app: Sphinx) -> ExtensionMetadata:
    app.parallel = min(os.cpu_count() or 1, MOST)
    app.connect("config-inited", declare)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
