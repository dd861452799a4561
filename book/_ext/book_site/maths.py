"""Formulas without another host: MathJax 3 from the site itself, as pip has installed it."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from sphinx.errors import ExtensionError

# What `loader.load` in _config.yml names, what those files load in their turn, and the fonts.
_FILES = ("startup.js", "core.js", "input/tex.js", "output/chtml.js", "a11y/assistive-mml.js")
_FOLDERS = ("input/tex/extensions", "output/chtml/fonts")


def copy_mathjax(target: Path) -> None:
    """Copy the part of MathJax that the pages load (1.6 MB of 24 MB) into ``target``.

    Args:
        target: the folder that ``mathjax_path`` in ``_config.yml`` starts with; it need not exist.

    Raises:
        ExtensionError: ``sphinx-mathjax-offline`` is not installed.
    """
    # The package's name has hyphens, so that no import statement can name it; nor should its setup() run.
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise ExtensionError("the package sphinx-mathjax-offline is missing: pip install sphinx-mathjax-offline")
    source = Path(spec.origin).parent / "static" / "mathjax"
    for name in _FOLDERS:
        shutil.copytree(source / name, target / name)
    for name in _FILES:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target / name)
