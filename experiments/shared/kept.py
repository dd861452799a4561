"""What is done of a long piece of work, kept in files so that the same command goes on from there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def replace(path: Path, save: Callable[[str], object]) -> None:
    """Write a file in one step, so that a stopped run leaves the old one whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".partial")
    os.close(handle)
    try:
        save(name)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def keep(path: Path, identity: str, **state: Any) -> None:
    """Keep tensors, numbers, texts, and lists and dictionaries of them, with all that they depend on."""
    replace(path, lambda name: torch.save({"identity": identity, **state}, name))


def kept(path: Path, identity: str) -> dict[str, Any] | None:
    """The state that an earlier start has left of the same work, if any."""
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        same: bool = state.pop("identity") == identity
    except Exception:  # a damaged file may raise anything
        print(f"{path} cannot be read: it is made anew", flush=True)
        return None
    return state if same else None
