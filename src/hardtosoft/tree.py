"""Whether the package runs from its source tree, and where that is."""

from __future__ import annotations

from pathlib import Path


def source_tree() -> Path | None:
    """The checkout that this package runs from, or None when it was installed away from one."""
    root = Path(__file__).resolve().parents[2]
    # An editable install runs from src/ of the tree; a wheel lies in some site-packages.
    return root if (root / "_config.yml").is_file() and (root / "pyproject.toml").is_file() else None
