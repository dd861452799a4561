"""The source tree is found where there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardtosoft import tree

ROOT = Path(__file__).parents[2]


def test_the_source_tree_is_this_checkout() -> None:
    assert tree.source_tree() == ROOT


def test_an_installed_package_has_no_source_tree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tree, "__file__", str(tmp_path / "lib" / "hardtosoft" / "tree.py"))
    assert tree.source_tree() is None
