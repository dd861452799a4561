"""The page of claims."""

from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def setup(_app: Sphinx) -> ExtensionMetadata:
    return {"parallel_read_safe": True, "parallel_write_safe": True}
