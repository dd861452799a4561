"""How the program that runs was started."""

from __future__ import annotations

import sys


def program() -> str | None:
    """``python -m`` and the name of the module, for the first line of its help; None where none was started."""
    module = sys.modules["__main__"].__spec__
    return None if module is None else f"python -m {module.name.removesuffix('.__main__')}"
